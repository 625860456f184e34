"""Answers to what the bot asks in the middle of a turn: own cases, a case by number and code, a number, the queue."""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bots.contract import AskFound, AskNumber, AskOwn, AskQueue, Found, NewNumber, QueueView
from gateway.runtime import millis
from gateway.store import codes, kept
from normalizer import case_no

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bots.contract import Ask
    from gateway.cases.book import CaseBook
    from gateway.store.seal import Sealer
    from gateway.store.store import Batch
    from gateway.turns import Talk

OWN_LIMIT = 5
BLOCK = 32
"""Case numbers taken from the counter at a time; a kill may leave a gap of as many."""


class Answers:
    """Fills in the facts that turns ask for."""

    def __init__(
        self,
        *,
        book: CaseBook,
        sealer: Sealer,
        region: str,
        zone: ZoneInfo,
        random_int: Callable[[int], int],
    ) -> None:
        self._book = book
        self._sealer = sealer
        self._region = region
        self._zone = zone
        self._random_int = random_int
        self._numbers: deque[int] = deque()
        self._day = ""

    async def fill(self, batch: Batch, asked: Sequence[tuple[Talk, Ask]], now: datetime) -> None:
        """Answer every ask of a batch; own cases and places in the queue are read for all talks at once."""
        if own := [talk for talk, ask in asked if isinstance(ask, AskOwn)]:
            await self._own(batch, own)
        if queued := [talk for talk, ask in asked if isinstance(ask, AskQueue)]:
            await self._queue(batch, queued)
        for talk, ask in asked:
            match ask:
                case AskNumber():
                    talk.facts = replace(talk.facts, number=await self._number(batch, now))
                case AskFound():
                    talk.facts = replace(talk.facts, found=await self._found(batch, talk, ask, now))

    async def _own(self, batch: Batch, talks: Sequence[Talk]) -> None:
        found = await batch.own([talk.conversation for talk in talks], OWN_LIMIT)
        for talk in talks:
            rows = found[talk.conversation]
            talk.cases = {row.case_no: row for row in rows}
            talk.facts = replace(talk.facts, own=tuple(self._book.read(row) for row in rows))

    async def _queue(self, batch: Batch, talks: Sequence[Talk]) -> None:
        ahead = await batch.ahead([talk.conversation for talk in talks])
        for talk in talks:
            # Nobody can be at a desk that is not built yet; the citizen is told so.
            talk.facts = replace(talk.facts, queue=QueueView(ahead=ahead[talk.conversation], agents=0))

    async def _number(self, batch: Batch, now: datetime) -> NewNumber:
        local = now.astimezone(self._zone).date()
        day = f"{local:%y%m%d}"
        if day != self._day or not self._numbers:
            last = await batch.run(lambda connection: kept.add(connection, f"case {day}", BLOCK))
            self._day, self._numbers = day, deque(range(last - BLOCK + 1, last + 1))
        number = case_no.make(self._region, local, self._numbers.popleft())
        return NewNumber(number, case_no.make_code(self._random_int))

    async def _found(self, batch: Batch, talk: Talk, ask: AskFound, now: datetime) -> Found:
        at = millis(now)
        subjects = (
            self._sealer.hash(f"case {ask.case_no}"),
            self._sealer.hash(f"by {talk.conversation.hex()}"),
        )
        if await batch.run(partial(codes.locked, subjects=subjects, now=at)):
            return Found(None, locked=True)
        row = (await batch.cases([ask.case_no])).get(ask.case_no)
        given = self._book.code_hash(ask.case_no, ask.query_code)
        # Compared even when there is no such case, so that both take the same time.
        right = hmac.compare_digest(given, row.query_code if row else bytes(len(given)))
        if row is not None and right:
            return Found(self._book.read(row))
        await batch.run(partial(codes.wrong, subjects=subjects, now=at))
        return Found(None)
