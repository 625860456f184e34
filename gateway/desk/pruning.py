"""What is to be found no more: documents whose time is over or whose source is gone, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.media.retention import STAGES, TALKS
from gateway.runtime import millis
from gateway.store import unindex as sql

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.store.store import Store

AT_ONCE = 1000
"""Documents that are looked at in one go."""
GRAMS_AT_ONCE = 10_000
_FIRST = (-(2**31), 0)
"""Before every gram."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """Takes out of the index what is over; ``days`` is how long a talk is found after its case ended (domain.md 1.10)."""

    store: Store
    now: Callable[[], datetime]
    days: int

    async def due(self) -> int:
        """Return how many documents would be taken out."""
        return await self._through(lambda ids: self.store.read(partial(self._over, ids=ids)))

    async def prune(self) -> int:
        """Take out what is over, page by page, and return how many documents that were."""
        gone = await self._through(lambda ids: self.store.write(partial(self._drop, ids=ids)))
        await self.sweep()
        return gone

    async def sweep(self) -> int:
        """Delete the grams whose documents are there no more, and return how many."""
        last, count = _FIRST, 0
        while page := await self.store.read(partial(sql.strays, last=last, limit=GRAMS_AT_ONCE)):
            strays = [(gram, doc) for gram, doc, stray in page if stray]
            if strays:
                await self.store.write(partial(sql.drop_grams, grams=strays))
            last, count = page[-1][:2], count + len(strays)
        return count

    async def _through(self, look: Callable[[list[int]], Awaitable[list[int]]]) -> int:
        last, count = 0, 0
        while ids := await self.store.read(partial(sql.following, last=last, limit=AT_ONCE)):
            count += len(await look(ids))
            last = ids[-1]
        return count

    def _over(self, connection: Connection, ids: list[int]) -> list[int]:
        now = self.now()
        cases, talks = millis(now - timedelta(days=self.days)), millis(now - TALKS)
        return sql.over(connection, ids, STAGES, cases=cases, talks=talks)

    def _drop(self, connection: Connection, ids: list[int]) -> list[int]:
        gone = self._over(connection, ids)
        sql.drop(connection, gone)
        return gone
