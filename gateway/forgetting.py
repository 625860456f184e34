"""Forgets what is over, in small portions beside the talk: a pass a day, and at once after a wish to be deleted.

The pass stands in the database: it goes on where a kill left it, and several processes share it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.cases.anonymise import anonymise
from gateway.cases.archive import archive
from gateway.runtime import millis
from gateway.store import forgetting as sql
from gateway.store.holds import Limits
from gateway.store.walks import walks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.media.retention import Spans
    from gateway.store.forgetting import Mark, Portion
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.store.walks import Walk

log = structlog.get_logger()

DAY_MS = 86_400_000
"""From one pass to the next."""


class Forgetting:
    """Finds what is over and forgets it; ``forgot`` is told what went, by table and count, after each commit."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        book: CaseBook,
        now: Callable[[], datetime],
        spans: Spans,
        forgot: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._book = book
        self._now = now
        self._spans = spans
        self._forgot = forgot
        self._walks = {walk.name: walk for walk in walks(self._archive, self._anonymise)}
        self._order = tuple(self._walks)

    async def some(self) -> bool:
        """Forget the next portion of a pass, or begin one that is due; return whether there was anything to do."""
        mark = await self._store.read(sql.mark)
        if mark is None or mark.ended_at is not None:
            return await self._store.read(partial(self._due, last=mark)) and await self._begin()
        await self._step(mark)
        return True

    async def all(self, told: Callable[[str], None] = lambda _: None) -> dict[str, int]:
        """Go through everything now, from the beginning, and return what went, by table; ``told`` hears which it is at."""
        gone = dict.fromkeys(self._order, 0)
        await self._begin()
        while (mark := await self._store.read(sql.mark)) is not None and mark.ended_at is None:
            told(mark.walk)
            gone[mark.walk] += await self._step(mark)
        return gone

    async def only(self, *names: str) -> int:
        """Go through some of the tables now, beside the pass, and return how much went."""
        gone = 0
        for walk in (self._walks[name] for name in names):
            after, through, last = b"", await self._store.read(self._through), False
            while not last:
                part = await self._portion(walk, after, through)
                let_go = partial(sql.let_go, walk=walk, keys=part.keys, limits=self._limits())
                gone += await self._store.write(let_go)
                after, last = part.upto, part.last
        return gone

    async def due(self) -> dict[str, int]:
        """Return how much is over and not held, by table."""
        return {name: await self._count(walk) for name, walk in self._walks.items()}

    async def last(self) -> Mark | None:
        """Return how far the pass is; None before the first."""
        return await self._store.read(sql.mark)

    async def _count(self, walk: Walk) -> int:
        count, after = 0, b""
        through = await self._store.read(self._through)
        while True:
            part = await self._portion(walk, after, through)
            count, after = count + len(part.keys), part.upto
            if part.last:
                return count

    async def _begin(self) -> bool:
        await self._store.write(self._new_pass)
        return True

    def _due(self, connection: Connection, last: Mark | None) -> bool:
        if last is None or last.began_at <= millis(self._now()) - DAY_MS:
            return True
        return sql.wished_since(connection, last.began_at)

    def _new_pass(self, connection: Connection) -> None:
        """Begin anew; a pass that somebody else is at is given up for it."""
        through, now = self._through(connection), millis(self._now())
        sql.set_mark(connection, sql.Mark(self._order[0], b"", now, through, None, 0))

    def _through(self, connection: Connection) -> int:
        """Return before when a new pass looks at what came: all of it, where somebody had all deleted meanwhile."""
        last = sql.mark(connection)
        wished = sql.wished_since(connection, last.began_at if last is not None else 0)
        return millis(self._now()) + 1 if wished else self._limits().talks

    async def _step(self, mark: Mark) -> int:
        walk = self._walks[mark.walk]
        part = await self._portion(walk, mark.after, mark.through)
        count = await self._store.write(partial(self._settle, seen=mark, walk=walk, part=part))
        if count:
            self._forgot(walk.name, count)
        return count

    async def _portion(self, walk: Walk, after: bytes, through: int) -> Portion:
        look = partial(sql.portion, walk=walk, after=after, limits=self._limits(), through=through)
        return await self._store.read(look)

    def _settle(self, connection: Connection, seen: Mark, walk: Walk, part: Portion) -> int:
        """Forget a portion and note how far the pass is; nothing when another process was faster."""
        mark = sql.mark(connection, lock=True)
        if mark != seen:
            return 0
        count = sql.let_go(connection, walk, part.keys, self._limits())
        sql.set_mark(connection, self._next(mark, part)._replace(gone=mark.gone + count))
        return count

    def _next(self, mark: Mark, part: Portion) -> Mark:
        if not part.last:
            return mark._replace(after=part.upto)
        following = self._order[self._order.index(mark.walk) + 1 :]
        if following:
            return mark._replace(walk=following[0], after=b"")
        return mark._replace(after=b"", ended_at=millis(self._now()))

    def _limits(self) -> Limits:
        now = self._now()
        spans = self._spans
        return Limits(
            millis(now),
            *(millis(now - span) for span in (spans.talks, spans.media, spans.records, spans.logs)),
        )

    def _archive(self, connection: Connection, case_no: str) -> None:
        archive(connection, case_no, self._book, self._now())

    def _anonymise(self, connection: Connection, case_no: str) -> None:
        anonymise(connection, case_no, self._sealer, millis(self._now()))
