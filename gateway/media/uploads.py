"""Uploads that may be cut anywhere and go on: pieces made durable one by one, then taken in as one file.

A piece is on the shelf, then in the database, then it counts; so whatever offset was answered survives any crash and
is known to every process. Two processes that write the same upload at once cannot both count: the row says where it
stands, and only who finds it there moves it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.media import missing
from gateway.media.intake import Claim, Gauge, from_row
from gateway.media.links import Grant
from gateway.media.pieces import Pieces
from gateway.runtime import instant, millis
from gateway.store import media as media_rows
from gateway.store import uploads as rows
from gateway.store import wanted
from gateway.store.uploads import UploadRow
from normalizer.errors import Busy, JiesuError, NotFound
from normalizer.media import Breach, NotAccepted, Refusal
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.blobs import Blobs
    from gateway.media.intake import Intake, Taken
    from gateway.media.links import Links
    from gateway.media.missing import Missing
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.store.uploads import Piece

T = TypeVar("T")

LIVES = timedelta(hours=24)
"""How long an upload that stands still is kept, and a file that nobody attaches."""
GRANT_LIVES = timedelta(hours=2)
SWEPT = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: where it stands (bytes), and until when it is kept. ``refusal`` says why it was not accepted."""

    id: str
    owner: str
    size: int
    received: int
    expires_at: datetime
    metadata: str
    name: str
    refusal: Breach | None = None
    key: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.refusal is not None or bool(self.key)


class Moved(JiesuError):
    """The upload does not stand where the sender thinks: another request moved or ended it."""


class Uploads:
    """Begins, continues, finishes and forgets uploads; every verb raises Busy when it cannot be written down."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        intake: Intake,
        links: Links,
        store: Store,
        sealer: Sealer,
        now: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._pieces = Pieces(blobs)
        self._intake = intake
        self._links = links
        self._store = store
        self._sealer = sealer
        self._now = now

    @property
    def largest(self) -> int:
        """The most bytes that one upload may have."""
        return self._intake.limits.largest

    def grant(self, owner: str, *, size: int = 0, count: int = 0, lives: timedelta = GRANT_LIVES) -> str:
        """Return a token of leave to upload files for an owner: ``size`` bytes and ``count`` files in all.

        Without them the limits of this installation hold. The owner must be no personal datum: it can be read in
        the token.
        """
        limits = self._intake.limits
        count = count or limits.count
        until = int((self._now() + lives).timestamp())
        return self._links.grant(Grant(owner, size or limits.largest * count, count, until))

    def granted(self, token: str) -> Grant:
        """Return what a token gives leave to; raises NotAccepted."""
        try:
            return self._links.granted(token)
        except (NotFound, ValueError) as error:
            raise NotAccepted(Breach(Refusal.GRANT)) from error

    async def of(self, owner: str) -> tuple[Taken, ...]:
        """Return an owner's files, oldest first."""
        found = await self._store.read(partial(media_rows.of, owner=owner))
        return tuple(from_row(row, self._sealer) for row in found)

    async def missing(self, case_no: str) -> tuple[Missing, ...]:
        """Return the files of a case that are not here, oldest first: still coming, or lost."""
        found = await self._store.read(partial(wanted.missing, case_no=case_no))
        return tuple(missing.from_row(row, self._sealer) for row in found)

    async def attach(self, owner: str, to: str, keys: Sequence[str]) -> int:
        """Make an owner's files those of a case (its number) or another owner, kept for good; return how many."""
        return await self._write(partial(media_rows.attach, owner=owner, to=to, keys=tuple(keys)))

    async def remove(self, owner: str, key: str) -> None:
        """Forget a file that an owner uploaded and does not want any more; one that is not there is well."""
        gone = await self._write(partial(_remove, owner=owner, key=key))
        for each in gone:
            await self._blobs.delete(each)

    async def take(self, grant: Grant, stream: AsyncIterator[bytes], name: str) -> Taken:
        """Take in a file that comes in one piece (a form); raises NotAccepted."""
        row = self._new(grant, 0, name, "")
        used = await self._write(partial(_begin, row=row, grant=grant))
        try:
            taken = await self._intake.take(
                _capped(stream, grant.size - used, grant.size), Claim(grant.owner, name, lives=LIVES)
            )
        except BaseException:
            await self._write(partial(rows.remove, ident=row.id))
            raise
        await self._write(partial(rows.end, ident=row.id, state="done", key=taken.key, size=taken.size))
        return taken

    async def begin(self, grant: Grant, size: int, name: str, metadata: str) -> Upload:
        """Begin an upload of ``size`` bytes; raises NotAccepted."""
        if size == 0:
            raise NotAccepted(Breach(Refusal.EMPTY))
        if size > self.largest:
            raise NotAccepted(Breach(Refusal.SIZE, allowed=self.largest))
        row = self._new(grant, size, name, metadata)
        await self._write(partial(_begin, row=row, grant=grant))
        return self._upload(row)

    async def find(self, ident: str) -> Upload:
        """Return an upload, finished now if it was whole already (a crash at the very end); raises NotFound."""
        upload = self._upload(await self._row(ident))
        if upload.received == upload.size and not upload.ended:
            return await self.finish(upload)
        return upload

    async def append(
        self, upload: Upload, stream: AsyncIterator[bytes], *, whole: Callable[[], bool] | None = None
    ) -> Upload:
        """Add what a stream brings, however it ends, and return where the upload stands then.

        With ``whole``, nothing counts before all has come and it says that it is right. Raises Moved when the upload
        does not stand there any more, NotAccepted when the file will not be accepted.
        """
        held: list[Piece] = []
        gauge = Gauge(self._intake.limits, upload.size) if upload.received == 0 else None
        checked = stream if gauge is None else gauge.through(stream)
        try:
            left = upload.size - upload.received
            async for piece in self._pieces.write(upload.id, upload.received, left, checked):
                held.append(piece)
                if whole is None:
                    upload = await self._count(upload, held)
                    held = []
        except NotAccepted as error:
            await self._refuse(upload, error.breach)
            raise
        if held and whole is not None and whole():
            upload = await self._count(upload, held)
        return await self.finish(upload) if upload.received == upload.size else upload

    async def finish(self, upload: Upload) -> Upload:
        """Take the pieces in as one file; raises NotAccepted."""
        ident = bytes.fromhex(upload.id)
        pieces = await self._store.read(partial(rows.pieces, ident=ident))
        claim = Claim(upload.owner, upload.name, upload.size, LIVES)
        try:
            taken = await self._intake.take(self._pieces.joined(pieces), claim)
        except (NotAccepted, NotFound) as error:
            return await self._unfinished(upload, error)
        await self._write(partial(rows.end, ident=ident, state="done", key=taken.key))
        await self._pieces.clear(upload.id)
        return self._upload(await self._row(upload.id))

    async def cancel(self, ident: str) -> None:
        """Forget an upload and what came of it; a file that was taken in stays. Raises NotFound."""
        await self._row(ident)
        await self._write(partial(rows.remove, ident=bytes.fromhex(ident)))
        await self._pieces.clear(ident)

    async def sweep(self) -> int:
        """Forget uploads whose time is over; return how many."""
        count = 0
        while True:
            found = await self._store.read(partial(rows.expired, now=millis(self._now()), limit=SWEPT))
            for ident in found:
                await self._write(partial(rows.remove, ident=ident))
                await self._pieces.clear(ident.hex())
            count += len(found)
            if len(found) < SWEPT:
                return count

    async def _count(self, upload: Upload, pieces: Sequence[Piece]) -> Upload:
        until = self._now() + LIVES
        work = partial(
            rows.append,
            ident=bytes.fromhex(upload.id),
            at=upload.received,
            added=tuple(pieces),
            expires_at=millis(until),
        )
        if not await self._write(work):
            raise Moved
        received = upload.received + sum(piece.size for piece in pieces)
        return replace(upload, received=received, expires_at=until)

    async def _unfinished(self, upload: Upload, error: NotAccepted | NotFound) -> Upload:
        """Return the upload if another process has finished it meanwhile (and taken its pieces away), else raise."""
        now = self._upload(await self._row(upload.id))
        if now.key:
            return now
        if isinstance(error, NotAccepted):
            await self._refuse(upload, error.breach)
        raise error

    async def _refuse(self, upload: Upload, breach: Breach) -> None:
        reason = json.dumps([breach.refusal, breach.kind, breach.allowed])
        await self._write(partial(rows.end, ident=bytes.fromhex(upload.id), state="refused", reason=reason))
        await self._pieces.clear(upload.id)

    async def _row(self, ident: str) -> UploadRow:
        try:
            key = bytes.fromhex(ident)
        except ValueError as error:
            raise NotFound("no such upload") from error
        row = await self._store.read(partial(rows.find, ident=key))
        if row is None or row.expires_at <= millis(self._now()):
            raise NotFound("no such upload")
        return row

    def _new(self, grant: Grant, size: int, name: str, metadata: str) -> UploadRow:
        now = self._now()
        return UploadRow(
            id=os.urandom(16),
            owner=grant.owner,
            size=size,
            received=0,
            state="open",
            reason="",
            key="",
            created_at=millis(now),
            expires_at=millis(now + LIVES),
            body=self._sealer.seal(json.dumps([name, metadata]).encode()),
        )

    def _upload(self, row: UploadRow) -> Upload:
        name, metadata = json.loads(self._sealer.open(row.body))
        return Upload(
            id=row.id.hex(),
            owner=row.owner,
            size=row.size,
            received=row.received,
            expires_at=instant(row.expires_at),
            metadata=metadata,
            name=name,
            refusal=_breach(row.reason) if row.state == "refused" else None,
            key=row.key,
        )

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._store.write(work)
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error


def _begin(connection: Connection, row: UploadRow, grant: Grant) -> int:
    """Begin an upload if the owner may have one more; return the bytes he had before."""
    rows.alone(connection, grant.owner)
    count, size = rows.sums(connection, grant.owner)
    if count >= grant.count:
        raise NotAccepted(Breach(Refusal.COUNT, allowed=grant.count))
    if size + row.size > grant.size:
        raise NotAccepted(Breach(Refusal.TOTAL, allowed=grant.size))
    rows.add(connection, row)
    return size


def _remove(connection: Connection, owner: str, key: str) -> Sequence[str]:
    rows.remove_of(connection, owner, key)
    return media_rows.forget(connection, owner, key)


async def _capped(stream: AsyncIterator[bytes], left: int, allowed: int) -> AsyncIterator[bytes]:
    async for piece in stream:
        left -= len(piece)
        if left < 0:
            raise NotAccepted(Breach(Refusal.TOTAL, allowed=allowed))
        yield piece


def _breach(reason: str) -> Breach:
    refusal, kind, allowed = json.loads(reason)
    return Breach(Refusal(refusal), PartKind(kind), allowed)
