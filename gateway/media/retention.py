"""Forgets files whose time is over: of cases that ended long ago, and what nobody attached (domain.md 1.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.runtime import millis
from gateway.store import media as rows
from gateway.store import wanted
from normalizer.case import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.blobs import Blobs
    from gateway.store.store import Store

log = structlog.get_logger()

TALKS = timedelta(days=180)
"""How long is known what came in a talk that became no case (domain.md 1.10)."""
STAGES = tuple(sorted(ENDED))


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be forgotten: (owner, key) of files of ended cases, and of files that nobody attached."""

    of_cases: Sequence[tuple[str, str]]
    unattached: Sequence[tuple[str, str]]


class Retention:
    """Finds and forgets; ``days`` is how long files stay after their case ended."""

    def __init__(self, *, blobs: Blobs, store: Store, now: Callable[[], datetime], days: int) -> None:
        self._blobs = blobs
        self._store = store
        self._now = now
        self._days = timedelta(days=days)

    async def due(self) -> Due:
        """Return what is to be forgotten."""
        now = self._now()
        before = millis(now - self._days)
        of_cases = await self._store.read(partial(rows.of_old_cases, stages=STAGES, before=before))
        return Due(of_cases, await self._store.read(partial(rows.expired, now=millis(now))))

    async def forget_wanted(self) -> int:
        """Forget what was wanted for cases that ended long ago, and in talks that became none; return how much."""
        now = self._now()
        cases, talks = millis(now - self._days), millis(now - TALKS)
        work = partial(wanted.forget_old, stages=STAGES, cases=cases, talks=talks)
        return await self._store.write(work)

    async def forget(self, files: Sequence[tuple[str, str]]) -> int:
        """Forget files and their copies; return how many rows went. A file that another owner has stays in the store."""
        for owner, key in files:
            gone = await self._store.write(partial(rows.forget, owner=owner, key=key))
            for each in gone:
                await self._blobs.delete(each)
        if files:
            log.info("media.forgotten", count=len(files))
        return len(files)
