"""Answers to what the bot asks in the middle of a turn: own cases, a case, a number, the queue, a code."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from bots.contract import (
    AskAnswers,
    AskBind,
    AskBindCode,
    AskEntry,
    AskFound,
    AskNumber,
    AskOwn,
    AskProved,
    AskQueue,
    AskSlip,
    Bound,
    Found,
    Known,
    NewNumber,
    QueueView,
)
from gateway.cases import slips
from gateway.cases.lookup import found
from gateway.knowledge.entry import ZONE
from gateway.knowledge.search import NEAR, sure
from gateway.runtime import millis
from gateway.store import bindings, codes, kept
from gateway.store.rows import Unsure
from gateway.turns import There
from normalizer import case_no
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from bots.contract import Ask
    from gateway.cases.book import CaseBook
    from gateway.knowledge.book import Book
    from gateway.knowledge.entry import Entry
    from gateway.store.seal import Sealer
    from gateway.store.store import Batch
    from gateway.turns import Talk
    from normalizer.case import Case

OWN_LIMIT = 5
NEAREST = 3
LASTING = AskFound, AskBindCode, AskBind
"""Asks whose answer leaves something behind, though the batch be decided anew."""
BIND_MS = 600_000
"""How long a code that binds a telephone holds: ten minutes."""
BLOCK = 32
"""Case numbers taken from the counter at a time; a kill may leave a gap of as many."""


class Answers:
    """Fills in the facts that turns ask for."""

    def __init__(
        self,
        *,
        book: CaseBook,
        knowledge: Book,
        sealer: Sealer,
        region: str,
        zone: ZoneInfo,
        random_int: Callable[[int], int],
        line: Callable[[Connection], Callable[[int], QueueView]],
    ) -> None:
        self._book = book
        self._knowledge = knowledge
        self._sealer = sealer
        self._region = region
        self._zone = zone
        self._random_int = random_int
        self._line = line
        self._numbers: deque[int] = deque()
        self._day = ""

    async def fill(
        self, batch: Batch, asked: Sequence[tuple[Talk, Ask]], now: datetime, *, looks: bool
    ) -> None:
        """Answer every ask of a batch; own cases and places in the queue are read for all talks at once.

        Raises Unsure for one whose answer leaves something behind, unless it was looked whether its message is a
        repeat: a code must not be tried twice.
        """
        if not looks and any(isinstance(ask, LASTING) for _, ask in asked):
            raise Unsure("the batch asks what a repeat must not ask again")
        if own := [talk for talk, ask in asked if isinstance(ask, AskOwn)]:
            await self._own(batch, own)
        if queued := [talk for talk, ask in asked if isinstance(ask, AskQueue)]:
            await self._queue(batch, queued)
        for talk, ask in asked:
            await self._answer(batch, talk, ask, now)

    async def _answer(self, batch: Batch, talk: Talk, ask: Ask, now: datetime) -> None:
        match ask:
            case AskNumber():
                talk.facts = evolve(talk.facts, number=await self._number(batch, now))
            case AskFound():
                talk.facts = evolve(talk.facts, found=await self._found(batch, talk, ask, now))
            case AskProved(number):
                talk.facts = evolve(talk.facts, proved=await self._proved(batch, talk, number))
            case AskBindCode():
                talk.facts = evolve(talk.facts, bind_code=await self._bind_code(batch, talk, now))
            case AskBind(code):
                talk.facts = evolve(talk.facts, bound=await self._bound(batch, talk, code, now))
            case AskSlip(number):
                talk.facts = evolve(talk.facts, slip=slips.make(self._sealer, number, millis(now)))
            case AskAnswers() | AskEntry():
                talk.facts = evolve(talk.facts, answers=self._answers(ask, now))

    def _answers(self, ask: AskAnswers | AskEntry, now: datetime) -> tuple[Known, ...]:
        if isinstance(ask, AskAnswers):
            return self._known(ask.question, now)
        found = self._knowledge.entry(ask.entry)
        return (_told(found, sure=True),) if found else ()

    async def _own(self, batch: Batch, talks: Sequence[Talk]) -> None:
        found = await batch.own([talk.conversation for talk in talks], OWN_LIMIT)
        for talk in talks:
            rows = found[talk.conversation]
            talk.cases |= {row.case_no: row for row in rows}
            talk.facts = evolve(talk.facts, own=tuple(self._book.read(row) for row in rows))

    async def _queue(self, batch: Batch, talks: Sequence[Talk]) -> None:
        ahead = await batch.ahead([talk.conversation for talk in talks])
        view = await batch.run(self._line)
        for talk in talks:
            talk.facts = evolve(talk.facts, queue=view(ahead[talk.conversation]))

    def _known(self, question: str, now: datetime) -> tuple[Known, ...]:
        """Return what the knowledge base says to a question: nothing below the floor under which it is silent."""
        hits = self._knowledge.search(question, limit=NEAREST, now=now, region=self._region)
        near = [hit.entry for hit in hits if hit.score >= NEAR]
        return tuple(_told(entry, sure=n == 0 and sure(hits)) for n, entry in enumerate(near))

    async def _number(self, batch: Batch, now: datetime) -> NewNumber:
        local = now.astimezone(self._zone).date()
        day = f"{local:%y%m%d}"
        if day != self._day or not self._numbers:
            last = await batch.run(lambda connection: kept.add(connection, f"case {day}", BLOCK))
            self._day, self._numbers = day, deque(range(last - BLOCK + 1, last + 1))
        number = case_no.make(self._region, local, self._numbers.popleft())
        return NewNumber(number, case_no.make_code(self._random_int))

    async def _found(self, batch: Batch, talk: Talk, ask: AskFound, now: datetime) -> Found:
        work = partial(
            found,
            book=self._book,
            sealer=self._sealer,
            number=ask.case_no,
            code=ask.query_code,
            by=talk.conversation.hex(),
            now=millis(now),
        )
        return await batch.run(work)

    async def _proved(self, batch: Batch, talk: Talk, number: str) -> tuple[Case, ...]:
        row = (await batch.cases([number])).get(number)
        if row is None:
            return ()
        talk.cases[number] = row
        return (self._book.read(row),)

    async def _bind_code(self, batch: Batch, talk: Talk, now: datetime) -> str:
        at = millis(now)
        while True:
            code = case_no.make_code(self._random_int)
            give = partial(
                bindings.give,
                code=self._sealer.hash(f"bind {code}"),
                conversation=talk.conversation,
                now=at,
                until=at + BIND_MS,
            )
            if await batch.run(give):
                return code

    async def _bound(self, batch: Batch, talk: Talk, code: str, now: datetime) -> Bound:
        """Look a code up; wrong ones lock the sender as query codes do."""
        at, given = millis(now), self._sealer.hash(f"bind {code}")
        subjects = {self._sealer.hash(f"by {talk.conversation.hex()}"): codes.TRIES}

        def look(connection: Connection) -> tuple[bool, Any]:
            find = partial(bindings.find, connection, code=given, now=at)
            return codes.attempt(connection, subjects, at, find)

        locked, there = await batch.run(look)
        if there is None:
            return Bound(right=False, locked=locked)
        talk.there = There(there.id, there.account, given)
        return Bound(right=True)


def _told(entry: Entry, *, sure: bool) -> Known:
    """Return an entry as a citizen may be told it."""
    updated = entry.updated_at.astimezone(ZONE).date() if entry.updated_at else None
    return Known(entry.id, entry.title, entry.answer_short, entry.basis, entry.source_unit, updated, sure)
