"""How long what is kept, and the end of files that nobody has any more (domain.md 1.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.runtime import millis
from gateway.store import media as rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.blobs import Blobs
    from gateway.store.store import Store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spans:
    """How long is kept what was said in talks that led to no case, files and records after their cases ended, and logs."""

    talks: timedelta = timedelta(days=180)
    media: timedelta = timedelta(days=1095)
    records: timedelta = timedelta(days=3650)
    logs: timedelta = timedelta(days=1095)


class Retention:
    """Forgets files whose time is over: nobody attached them in time, or what they belonged to is over."""

    def __init__(self, *, blobs: Blobs, store: Store, now: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._store = store
        self._now = now

    async def due(self) -> int:
        """Return how many files are to be forgotten now."""
        return len(await self._store.read(partial(rows.expired, now=millis(self._now()))))

    async def forget(self) -> int:
        """Forget them with their copies; return how many rows went. A file that another owner has stays in the store."""
        files = await self._store.read(partial(rows.expired, now=millis(self._now())))
        for owner, key in files:
            gone = await self._store.write(partial(rows.forget, owner=owner, key=key))
            for each in gone:
                await self._blobs.delete(each)
        if files:
            log.info("media.forgotten", count=len(files))
        return len(files)
