"""The queue as citizens are told of it: when they ask for a person, and while they wait (desk-and-open311.md 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bots.contract import Owner, QueueView
from bots.handoff import expected
from gateway.desk.rights import SERVES
from gateway.desk.wait import WINDOW_MS, band
from gateway.runtime import millis
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.desk.hours import Hours
    from gateway.desk.routing import Rules
    from gateway.desk.voice import Voice
    from gateway.store.store import Store

TELLS = 3
"""How often somebody who waits is told, at most: each costs a message of the channel's leave."""
SPARE = 2
"""Messages of that leave which are kept for the agent."""
TOLD_PAGE = 200
LONG = "long"


@dataclass(frozen=True, slots=True)
class _Due:
    """Somebody to be told, and what."""

    conversation: bytes
    ahead: int
    what: str


class Line:
    """Tells of the queue.

    ``pushes`` says of an account whether people look at it while they wait (no text, no mail); by those that ``texts``
    names they are told one thing only: that it takes long, and what they may choose.
    """

    def __init__(
        self,
        *,
        store: Store,
        voice: Voice,
        rules: Rules,
        hours: Hours | None,
        pushes: Callable[[str], bool],
        texts: Callable[[str], bool],
        now: Callable[[], datetime],
        owed: Callable[[], None],
    ) -> None:
        self._store = store
        self._voice = voice
        self._rules = rules
        self._hours = hours
        self._pushes = pushes
        self._texts = texts
        self._now = now
        self._owed = owed

    def view(self, connection: Connection) -> Callable[[int], QueueView]:
        """Return what may be told to somebody with so many before him."""
        at = self._now()
        now = millis(at)
        agents = sql.online(connection, SERVES, now)
        accepted = sql.accepted(connection, now - WINDOW_MS)
        full = sql.waiting(connection) >= self._rules.queue_limit
        opens = self._hours.next(at) if self._hours is not None else None
        return lambda ahead: QueueView(ahead, agents, band(ahead, accepted), opens, full)

    async def tell(self) -> int:
        """Tell those whose band has changed, and once those who wait for long; return how many were told."""
        told = 0
        for due in await self._store.read(self._due):
            told += await self._store.write(partial(self._told, due))
        if told:
            self._owed()
        return told

    def _due(self, connection: Connection) -> list[_Due]:
        now = millis(self._now())
        if not sql.online(connection, SERVES, now):
            return []
        accepted = sql.accepted(connection, now - WINDOW_MS)
        due = []
        for ahead, talk in enumerate(sql.queue(connection, TOLD_PAGE)):
            if ahead >= TOLD_PAGE:
                break
            waited = self._rules.passed(talk.enqueued_at or now, now)
            what = LONG if waited >= self._rules.long_ms else _name(band(ahead, accepted))
            if what and (self._pushes(talk.account) or (what == LONG and self._texts(talk.account))):
                due.append(_Due(talk.conversation, ahead, what))
        return due

    def _told(self, due: _Due, connection: Connection) -> bool:
        """Tell one of them under the lock, where what he was told before is looked up."""
        now = millis(self._now())
        talk = sql.lock(connection, due.conversation, skip=True)
        if talk is None or talk.owner != Owner.QUEUED.value:
            return False
        before = sql.told(connection, talk.conversation, talk.enqueued_at or 0)
        # The first band was told when he came; only a change is news.
        first = not before and due.what != LONG
        if not first and not self._news(connection, talk, due, before, now):
            return False
        if due.what == LONG and not self._voice.offers(connection, talk):
            return False
        if not first:
            wait = "" if due.what == LONG else expected(self._voice.lang(talk), _band(due.what))
            words = "desk_long" if due.what == LONG else "desk_place"
            self._voice.say(connection, talk, words, now, ahead=due.ahead, wait=wait)
        event = DeskEventRow(now, talk.conversation, sql.TOLD, talk.owner, talk.epoch, detail=due.what)
        sql.append(connection, [event])
        return not first

    def _news(self, connection: Connection, talk: sql.Talk, due: _Due, before: list[str], now: int) -> bool:
        known = LONG in before or due.what == (before[-1] if before else "")
        few = len(before) <= TELLS
        return not known and few and sql.may_write(connection, talk.conversation, now, SPARE)


def _name(wait: tuple[int, int] | None) -> str:
    return "" if wait is None else f"{wait[0]}-{wait[1]}"


def _band(name: str) -> tuple[int, int]:
    low, _, high = name.partition("-")
    return int(low), int(high)
