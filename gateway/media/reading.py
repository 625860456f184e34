"""Reads the words in photos and documents that came in, one after the other, so that a letter can be found again."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import structlog

from gateway.media import documents
from gateway.media.workers import Job
from gateway.runtime import Ids
from gateway.store import media as rows
from normalizer.errors import NotFound
from normalizer.media import NotAccepted
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.blobs import Blobs
    from gateway.media.workers import Workers
    from gateway.store.media import MediaRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store

log = structlog.get_logger()


class Readable(NamedTuple):
    """Files that are read: of a kind, and of some types of it only if they are named."""

    kind: PartKind
    mimes: Sequence[str] | None = None


PHOTOS = Readable(PartKind.IMAGE)
PAPERS = Readable(PartKind.FILE, documents.READ)


def installed(library: str = "rapidocr") -> bool:
    """Return whether what an extra brings is there."""
    return find_spec(library) is not None


class Reading:
    """Reads what nobody has read yet."""

    def __init__(self, *, blobs: Blobs, workers: Workers, store: Store, sealer: Sealer) -> None:
        self._blobs = blobs
        self._workers = workers
        self._store = store
        self._sealer = sealer
        self._ids = Ids()

    async def read_some(self, limit: int, what: Readable = PHOTOS) -> int:
        """Read up to ``limit`` files and return how many; one that cannot be read counts as read, without words."""
        find = partial(rows.unread, kind=what.kind.value, limit=limit, mimes=what.mimes)
        found = await self._store.read(find)
        for row in found:
            words = await self._words(row)
            await self._store.write(
                partial(
                    rows.note_words,
                    owner=row.owner,
                    key=row.key,
                    words=self._sealer.seal(words.encode()),
                    noted=self._ids(),
                )
            )
        return len(found)

    async def _words(self, row: MediaRow) -> str:
        job = Job("read", row.mime, row.size, PartKind(row.kind))
        try:
            made = await self._workers.do(job, partial(self._blobs.open_range, row.key), _nothing)
        except (NotAccepted, NotFound) as error:
            log.warning("media.not_read", reason=type(error).__name__)
            return ""
        return str(made.facts["words"])


async def _nothing(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass
