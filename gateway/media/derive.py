"""The copies of a file that may leave: made when first asked for, and kept in the media store."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.media.links import Variant
from gateway.media.workers import Job
from gateway.store import media as rows
from normalizer.errors import NotFound
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.blobs import Blobs
    from gateway.media.workers import Workers
    from gateway.store.media import MediaRow
    from gateway.store.store import Store

COPIES = {
    PartKind.IMAGE: frozenset({Variant.THUMB, Variant.PREVIEW}),
    PartKind.VIDEO: frozenset({Variant.THUMB, Variant.PREVIEW, Variant.PLAY}),
    PartKind.VOICE: frozenset({Variant.PLAY}),
}
"""Which copies there are of each kind; of a video, thumb and preview are its poster. Documents have none."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file to hand out: its key in the store and its media type."""

    key: str
    mime: str


class Derive:
    """Makes copies, each once."""

    def __init__(self, *, blobs: Blobs, workers: Workers, store: Store) -> None:
        self._blobs = blobs
        self._workers = workers
        self._store = store
        self._making: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    async def copy_of(self, owner: str, key: str, variant: Variant) -> Copy:
        """Return a copy of an owner's file; raises NotFound, NotAccepted, Busy."""
        row = await self._store.read(partial(rows.find, owner=owner, key=key))
        if row is None:
            raise NotFound("no such file")
        return await self.copy(row, variant)

    async def copy(self, row: MediaRow, variant: Variant) -> Copy:
        """Return a copy of a file, made now if it was not made before.

        Raises NotFound where the kind has no such copy, NotAccepted when the file cannot be opened, Busy.
        """
        if variant not in COPIES.get(PartKind(row.kind), frozenset()):
            raise NotFound("no such copy")
        async with self._alone(row.key, variant):
            fresh = await self._store.read(partial(rows.find, owner=row.owner, key=row.key)) or row
            made = json.loads(fresh.copies).get(variant)
            if made is not None and await self._blobs.has(made[0]):
                return Copy(*made)
            return await self._make(row, variant)

    async def _make(self, row: MediaRow, variant: Variant) -> Copy:
        job = Job(variant.value, row.mime, row.size, PartKind(row.kind))
        made = await self._workers.do(job, partial(self._blobs.open_range, row.key), self._blobs.put_stream)
        if made.copy is None:
            raise NotFound("no such copy")
        copy = (made.copy.key, made.mime)
        await self._store.write(partial(rows.note_copy, key=row.key, variant=variant.value, copy=copy))
        return Copy(*copy)

    @asynccontextmanager
    async def _alone(self, key: str, variant: Variant) -> AsyncIterator[None]:
        """Let one ask for a copy at a time, so that it is made once."""
        place = (key, variant.value)
        lock, waiting = self._making.get(place, (asyncio.Lock(), 0))
        self._making[place] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._making.pop(place)
            if waiting > 1:
                self._making[place] = (lock, waiting - 1)
