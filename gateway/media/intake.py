"""Takes a file in, the same way for every channel: to the store while measuring, looked into, judged, kept or refused.

Nothing refused is ever under a key: a file lies aside until it was looked into.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.media.scan import Scan
from gateway.media.workers import Job
from gateway.runtime import Ids, millis
from gateway.store import media as rows
from gateway.store.media import MediaRow
from normalizer.errors import Busy
from normalizer.media import (
    ACCEPTED,
    HEAD,
    TAIL,
    Breach,
    Facts,
    NotAccepted,
    Refusal,
    Trait,
    judge,
    safe_name,
    sniff,
)
from normalizer.message import Part, PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime, timedelta

    from gateway.blobs import Blobs, Received
    from gateway.media.scan import Scanner
    from gateway.media.workers import Workers
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.media import Limits

log = structlog.get_logger()

UNPACKED = 10
"""How many times the limit of a document an archive may unpack to."""
_PLAIN = frozenset({"text/plain"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken in.

    ``name`` is safe to show and to save under; ``size`` in bytes, ``width`` and ``height`` in pixels; ``scan`` says
    whether it was scanned; ``taken_at`` (ISO 8601), ``lon`` and ``lat`` are what the camera noted and
    ``words`` what was read in it, for agents only.
    """

    owner: str
    key: str
    kind: PartKind
    mime: str
    name: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    traits: frozenset[Trait]
    scan: Scan
    sha256: str
    created_at: int
    taken_at: str | None = None
    lon: float | None = None
    lat: float | None = None
    words: str = ""

    @property
    def part(self) -> Part:
        """The file as a part of a message."""
        return Part(self.kind, blob=self.key, mime=self.mime, name=self.name, size=self.size)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed of a file by whoever sends it, and whose it shall be; without ``lives`` it is kept for good.

    ``declared`` is the size in bytes that was announced, 0 for unknown.
    """

    owner: str
    name: str = ""
    declared: int = 0
    lives: timedelta | None = None


class Intake:
    """Takes files in."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        workers: Workers,
        scanner: Scanner,
        store: Store,
        sealer: Sealer,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._workers = workers
        self._scanner = scanner
        self._store = store
        self._sealer = sealer
        self.limits = limits
        self._now = now
        self._ids = Ids()

    async def take(self, stream: AsyncIterator[bytes], claim: Claim) -> Taken:
        """Take a file in and return what it is, durable; raises NotAccepted and Busy."""
        gauge = Gauge(self.limits, claim.declared)
        received = await self._blobs.receive(gauge.through(stream))
        try:
            facts, more = await self._look(received, gauge.facts(received.size))
            scan = await self._scan(received)
            taken = self._taken(claim, received, facts, scan, more)
            await self._blobs.keep(received)
            await self._write(taken, claim)
        except NotAccepted as error:
            log.info("media.refused", reason=error.breach.refusal, kind=error.breach.kind, size=received.size)
            raise
        finally:
            await self._blobs.drop(received)
        return taken

    async def _look(self, received: Received, facts: Facts) -> tuple[Facts, dict[str, Any]]:
        _must(judge(facts, self.limits))
        if facts.mime in _PLAIN:
            return facts, {}
        limit = self.limits.of(facts.kind)
        job = Job(
            "examine", facts.mime, facts.size, facts.kind, limit.pixels, UNPACKED * self.limits.file.size
        )
        more = (await self._workers.do(job, partial(self._blobs.range_at, received.name), _nothing)).facts
        facts = _with(facts, more)
        _must(judge(facts, self.limits))
        return facts, more

    async def _scan(self, received: Received) -> Scan:
        scan = await self._scanner.scan(self._blobs.range_at(received.name, 0, None))
        if scan is Scan.FOUND:
            raise NotAccepted(Breach(Refusal.VIRUS))
        return scan

    def _taken(
        self, claim: Claim, received: Received, facts: Facts, scan: Scan, more: dict[str, Any]
    ) -> Taken:
        return Taken(
            owner=claim.owner,
            key=self._blobs.key(received),
            kind=facts.kind,
            mime=facts.mime,
            name=safe_name(claim.name, facts.mime),
            size=facts.size,
            width=facts.width,
            height=facts.height,
            seconds=facts.seconds,
            traits=facts.traits,
            scan=scan,
            sha256=received.sha256.hex(),
            created_at=millis(self._now()),
            taken_at=more.get("taken_at"),
            lon=more.get("lon"),
            lat=more.get("lat"),
        )

    async def _write(self, taken: Taken, claim: Claim) -> None:
        row = to_row(taken, self._sealer, claim.lives, self._ids())
        try:
            await self._store.write(partial(rows.add, row=row))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
        if not await self._blobs.has(taken.key):
            # Retention removed the same file between our keeping it and our saying so.
            raise Busy


class Gauge:
    """Measures a file as it comes and stops it as soon as it is certain that it will not be accepted."""

    def __init__(self, limits: Limits, declared: int = 0) -> None:
        self._limits = limits
        self._declared = declared
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._most = limits.largest
        self._kind = PartKind.FILE

    async def through(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the stream on; raises NotAccepted."""
        async for piece in stream:
            self._size += len(piece)
            if len(self._head) < HEAD:
                self._begin(piece)
            self._tail += piece[-TAIL:]
            if len(self._tail) > 4 * TAIL:
                del self._tail[:-TAIL]
            if max(self._size, self._declared) > self._most:
                raise NotAccepted(Breach(Refusal.SIZE, self._kind, self._most))
            yield piece

    def facts(self, size: int) -> Facts:
        """Return what the file is by its beginning and its end."""
        return sniff(bytes(self._head), bytes(self._tail[-TAIL:]), size)

    def _begin(self, piece: bytes) -> None:
        """Look at the beginning; once enough has come, its kind's limit holds."""
        self._head += piece[: HEAD - len(self._head)]
        if len(self._head) == HEAD:
            facts = sniff(bytes(self._head), size=HEAD)
            _must(judge(facts, self._limits))
            self._kind, self._most = facts.kind, self._limits.of(facts.kind).size


def to_row(taken: Taken, sealer: Sealer, lives: timedelta | None, noted: bytes) -> MediaRow:
    """Return a file's row under a new id; what is personal in it is sealed."""
    body = {
        "name": taken.name,
        "sha256": taken.sha256,
        "traits": sorted(taken.traits),
        "taken_at": taken.taken_at,
        "lon": taken.lon,
        "lat": taken.lat,
    }
    return MediaRow(
        owner=taken.owner,
        key=taken.key,
        kind=taken.kind.value,
        mime=taken.mime,
        size=taken.size,
        width=taken.width,
        height=taken.height,
        seconds=taken.seconds,
        scan=taken.scan.value,
        copies="{}",
        created_at=taken.created_at,
        expires_at=None if lives is None else taken.created_at + int(lives.total_seconds() * 1000),
        body=sealer.seal(json.dumps(body, ensure_ascii=False).encode()),
        noted=noted,
    )


def from_row(row: MediaRow, sealer: Sealer) -> Taken:
    """Return what a row says."""
    body = json.loads(sealer.open(row.body))
    traits = frozenset(Trait(trait) for trait in body.pop("traits"))
    return Taken(
        owner=row.owner,
        key=row.key,
        kind=PartKind(row.kind),
        mime=row.mime,
        size=row.size,
        width=row.width,
        height=row.height,
        seconds=row.seconds,
        scan=Scan(row.scan),
        created_at=row.created_at,
        traits=traits,
        words=sealer.open(row.words).decode() if row.words else "",
        **body,
    )


def _with(facts: Facts, more: dict[str, Any]) -> Facts:
    """Return the facts with what the worker found; a video without pictures is a recording."""
    mime, kind = facts.mime, facts.kind
    if more.get("kind") == PartKind.VOICE:
        kind = PartKind.VOICE
        sound = mime.replace("video/", "audio/")
        mime = sound if sound in ACCEPTED else "audio/mp4"
    return replace(
        facts,
        kind=kind,
        mime=mime,
        width=more.get("width"),
        height=more.get("height"),
        seconds=more.get("seconds"),
        traits=facts.traits | {Trait(trait) for trait in more.get("traits", ())},
    )


def _must(breach: Breach | None) -> None:
    if breach is not None:
        raise NotAccepted(breach)


async def _nothing(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass
