"""What the router and the clocks do: the queue goes to who has room, and what is due happens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bots.contract import Owner
from gateway.desk.hands import event_of
from gateway.desk.moves import Act, Refused, Why
from gateway.desk.rights import SERVES
from gateway.desk.routing import CHAT, Free, Pair, Waiting, fits, match
from gateway.runtime import millis
from gateway.store import desk as sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection

    from gateway.desk.hands import Hands, Write
    from gateway.desk.voice import Voice
    from gateway.store.desk import Talk
    from gateway.store.store import Store

ROUTED = 200
"""How many of the queue are read at once."""
SWEPT = 100


class Sweep:
    """Routes the queue and lets the clocks strike."""

    def __init__(
        self,
        *,
        store: Store,
        hands: Hands,
        voice: Voice,
        write: Write,
        now: Callable[[], datetime],
        pushes: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._hands = hands
        self._voice = voice
        self._write = write
        self._clock = now
        self._pushes = pushes
        self.rules = hands.rules

    async def route(self) -> int:
        """Give the queue to who has room, and return how many were given; to be run on every freed place."""
        given = 0
        while pairs := await self._store.read(self._matched):
            won = 0
            for pair in pairs:
                try:
                    won += await self._write(partial(self._claimed, pair))
                except Refused:
                    continue
            given += won
            if not won:
                break
        return given

    async def tick(self) -> int:
        """Let the clocks strike, and take their talks from agents who are gone; return how many were moved."""
        now = millis(self._clock())
        gone = await self._store.read(
            lambda c: [
                (agent, conversation)
                for agent in sql.holders_gone(c, now - self.rules.grace_ms)
                for conversation in sql.owned(c, agent)
            ]
        )
        struck = await self._store.read(lambda c: sql.due(c, now, SWEPT))
        done = 0
        for agent, conversation in gone:
            done += await self._write(partial(self._lost, agent, conversation))
        for conversation in struck:
            done += await self._write(partial(self._struck, conversation))
        return done

    def _claimed(self, pair: Pair, connection: Connection, now: int) -> bool:
        """Claim one conversation for one agent: everything that was decided is looked at again under the locks."""
        talk = sql.lock(connection, pair.conversation, skip=True)
        if talk is None or talk.owner != Owner.QUEUED.value:
            return False
        row, held = self._hands.with_room(connection, talk, pair.agent, now)
        if row["state"] != "online":
            raise Refused(Why.AWAY)
        if not fits(_waiting(talk, now), _free(row, held), now, self.rules):
            raise Refused(Why.SKILL)
        self._hands.give_to(
            connection, talk, row, Act.OFFER if self.rules.offers else Act.ASSIGN, actor=None, now=now
        )
        return True

    def _matched(self, connection: Connection) -> list[Pair]:
        now = millis(self._clock())
        agents = [_free(row, held) for row, held in sql.free(connection, SERVES, now)]
        queue = (_waiting(talk, now) for talk in sql.queue(connection, ROUTED))
        return match(queue, agents, now, self.rules)

    def _lost(self, agent: bytes, conversation: bytes, connection: Connection, now: int) -> bool:
        """Take a talk from an agent who is gone: it returns to its place, or ends where only the paperwork was left."""
        talk = sql.lock(connection, conversation)
        if talk is None or talk.agent != agent:
            return False
        row = sql.lock_agent(connection, agent)
        back = row is not None and not row["disabled"]
        if back and sql.last_seen(connection, agent) >= now - self.rules.grace_ms:
            return False
        if talk.owner == Owner.WRAP_UP.value:
            self._hands.left(connection, talk, Act.CLOSE, actor=None, now=now, words="desk_closed")
        elif talk.owner == Owner.OFFERED.value:
            self._hands.requeue(connection, talk, Act.LOSE, None, now)
        else:
            self._hands.requeue(connection, talk, Act.LOSE, None, now, words="desk_moved")
        return True

    def _struck(self, conversation: bytes, connection: Connection, now: int) -> bool:
        """Do what the clock of a talk is for; one that was set anew meanwhile is left alone."""
        talk = sql.lock(connection, conversation)
        if talk is None or talk.due_at is None or talk.due_at > now:
            return False
        match talk.clock:
            case "offer":
                self._hands.back_in_line(connection, talk, Act.LAPSE, None, now)
            case "silent":
                self._remind(
                    connection,
                    talk,
                    "silent",
                    "desk_patience",
                    clock="overdue",
                    due_at=self.rules.after(now, 3 * self.rules.silent_ms),
                )
            case "overdue":
                self._hands.requeue(
                    connection, talk._replace(refused=talk.agent), Act.LOSE, None, now, words="desk_moved"
                )
            case "idle":
                self._remind(
                    connection, talk, "idle", "desk_idle", clock="closing", due_at=now + self.rules.closing_ms
                )
            case "closing" | "wrap_up":
                self._hands.left(connection, talk, Act.CLOSE, actor=None, now=now, words="desk_closed")
            case _:
                sql.keep(connection, talk._replace(clock="", due_at=None, refused=None, only_for=None))
        return True

    def _remind(
        self, connection: Connection, talk: Talk, kind: str, words: str, *, clock: str, due_at: int
    ) -> None:
        now = talk.due_at or due_at
        new = talk._replace(clock=clock, due_at=due_at)
        sql.keep(connection, new)
        told = self._pushes(talk.account)
        if told:
            self._voice.say(connection, new, words, now, minutes=self.rules.closing_ms // 60_000)
        sql.append(connection, [event_of(new, kind if told else f"{kind}_untold", None, now)])


def _free(row: Mapping[str, Any], held: int) -> Free:
    skills = frozenset(row["skills"].split())
    return Free(row["id"], skills, row["capacity"] * CHAT, held, row["assigned_at"])


def _waiting(talk: Talk, now: int) -> Waiting:
    pausing = talk.due_at is not None and talk.due_at > now
    return Waiting(
        talk.conversation,
        talk.rank or 0,
        talk.enqueued_at or 0,
        frozenset(talk.skill.split()),
        talk.weight,
        talk.last_agent,
        talk.last_at or 0,
        talk.only_for,
        talk.refused if pausing else None,
    )
