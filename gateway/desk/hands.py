"""What happens to a conversation inside one transaction: who owns it, where it waits, and the event that tells it.

Everything here stands under the locks of the caller's connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from bots import service
from bots import state as states
from bots.contract import Owner
from bots.scene import idle
from gateway.desk.moves import Act, Refused, Why, moved
from gateway.desk.rights import Right, may
from gateway.desk.routing import CHAT, Rules, rank
from gateway.desk.served import asks
from gateway.runtime import instant
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from sqlalchemy import Connection

    from gateway.desk.voice import Voice
    from gateway.store.desk import Talk
    from gateway.store.seal import Sealer

T = TypeVar("T")


class Write(Protocol):
    """Commits work, which gets the connection and the instant in milliseconds, and wakes who looks."""

    async def __call__(self, work: Callable[[Connection, int], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation as a verb left it."""

    conversation: bytes
    owner: Owner
    epoch: int
    agent: bytes | None


_WAITING = frozenset({Owner.QUEUED.value, Owner.OFFERED.value})


class Hands:
    """Moves conversations from hand to hand."""

    def __init__(self, *, sealer: Sealer, voice: Voice, rules: Rules) -> None:
        self._sealer = sealer
        self._voice = voice
        self.rules = rules

    def locked(self, connection: Connection, conversation: bytes, epoch: int) -> Talk:
        """Lock a conversation as it was seen; raises Refused."""
        talk = sql.lock(connection, conversation)
        if talk is None:
            raise Refused(Why.UNKNOWN)
        if talk.epoch != epoch:
            raise Refused(Why.TAKEN if talk.agent else Why.STALE, talk.agent)
        return talk

    def wanted(self, connection: Connection, conversation: bytes, epoch: int) -> Talk:
        """Lock a conversation that a supervisor decides about; raises Refused.

        While it waits, offers come and go and each counts the epoch up: what he wants of it stands all the same.
        """
        talk = sql.lock(connection, conversation)
        if talk is None or talk.owner not in _WAITING:
            return self.locked(connection, conversation, epoch)
        return talk

    def own(
        self,
        connection: Connection,
        agent: bytes,
        conversation: bytes,
        epoch: int,
        owner: Owner | None = None,
    ) -> Talk:
        """Lock a conversation that an agent has, as ``owner`` where one is named; raises Refused."""
        talk = self.locked(connection, conversation, epoch)
        if talk.agent != agent or (owner is not None and talk.owner != owner.value):
            raise Refused(Why.TAKEN if talk.agent and talk.agent != agent else Why.STATE, talk.agent)
        staff(connection, agent, Right.REPLY)
        return talk

    def with_room(
        self, connection: Connection, talk: Talk, agent: bytes, now: int
    ) -> tuple[Mapping[str, Any], int]:
        """Lock an agent who is there, may reply and has room for a talk; return him and what he holds."""
        row = staff(connection, agent, Right.REPLY)
        here, held = sql.room(connection, agent, now)
        if row["state"] == "away" or not here:
            raise Refused(Why.AWAY)
        if held + talk.weight > row["capacity"] * CHAT:
            raise Refused(Why.FULL)
        return row, held

    def give_to(
        self,
        connection: Connection,
        talk: Talk,
        row: Mapping[str, Any],
        act: Act,
        *,
        actor: bytes | None,
        now: int,
        detail: str = "",
    ) -> Held:
        """Make a locked agent the owner of a locked talk, and tell the citizen unless it is only offered."""
        owner = moved(act, talk.owner, talk.agent)
        offered = owner is Owner.OFFERED
        new = sql.give(
            connection,
            talk._replace(
                owner=owner.value,
                agent=row["id"],
                rank=None,
                only_for=talk.only_for if offered else None,
                enqueued_at=talk.enqueued_at or now,
                waiting_since=talk.waiting_since or now,
                clock="offer" if offered else "silent",
                due_at=now + self.rules.offer_ms if offered else self.rules.after(now, self.rules.silent_ms),
                refused=None,
                held=False,
            ),
        )
        sql.assigned(connection, row["id"], now)
        if not offered:
            self._voice.say(connection, new, "desk_taken", now, agent=row["login"])
        return self.done(connection, new, act, actor, now, detail=detail)

    def back_in_line(
        self, connection: Connection, talk: Talk, act: Act, actor: bytes | None, now: int
    ) -> Held:
        """Return an offer to the queue, past whoever had it."""
        refused = talk._replace(refused=talk.agent)
        return self.requeue(connection, refused, act, actor, now)

    def requeue(
        self,
        connection: Connection,
        talk: Talk,
        act: Act,
        actor: bytes | None,
        now: int,
        *,
        words: str = "",
        note: str = "",
    ) -> Held:
        """Put a locked talk back at its place in the queue."""
        owner = moved(act, talk.owner, talk.agent)
        came = talk.enqueued_at or now
        state = states.load(self._sealer.open(talk.state))
        place = rank(
            came, self.rules, urgent=talk.urgent, elderly=state.elderly, returned=act is not Act.TRANSFER
        )
        pause = ("again", now + self.rules.decline_ms) if talk.refused or talk.only_for else ("", None)
        waits: dict[str, Any] = {"enqueued_at": came, "rank": place, "clock": pause[0], "due_at": pause[1]}
        new = sql.give(connection, talk._replace(owner=owner.value, agent=None, held=False, **waits))
        if act is Act.TRANSFER:
            sql.release(connection, talk, now)
        if words:
            self._voice.say(connection, new, words, now)
        return self.done(connection, new, act, actor, now, note=note)

    def left(
        self, connection: Connection, talk: Talk, act: Act, *, actor: bytes | None, now: int, words: str
    ) -> Held:
        """End a service, and ask for its rating where it is to be rated."""
        owner = moved(act, talk.owner, talk.agent)
        state = idle(states.load(self._sealer.open(talk.state)), heard=False)
        if act is Act.CLOSE and asks(connection, talk, state, now):
            state, words = service.asked(state, talk.enqueued_at or 0, instant(now)), "ask_service"
        new = sql.give(
            connection,
            talk._replace(
                owner=owner.value,
                state=self._sealer.seal(states.dump(state)),
                agent=None,
                enqueued_at=None,
                skill="",
                held=False,
                waiting_since=None,
                clock="",
                due_at=None,
                last_agent=talk.agent,
                last_at=now,
            ),
        )
        sql.release(connection, talk, now)
        self._voice.say(connection, new, words, now)
        return self.done(connection, new, act, actor, now)

    def done(
        self,
        connection: Connection,
        talk: Talk,
        act: Act,
        actor: bytes | None,
        now: int,
        *,
        note: str = "",
        detail: str = "",
    ) -> Held:
        """Note an act as an event and return the talk as it stands."""
        event = event_of(talk, act.value, actor, now, detail=detail)
        if note:
            event = event._replace(note=self._sealer.seal(note.encode()))
        sql.append(connection, [event])
        return held_as(talk)


def staff(connection: Connection, agent: bytes, right: Right) -> Mapping[str, Any]:
    """Lock somebody of the staff who has a right; raises Refused."""
    row = sql.lock_agent(connection, agent)
    if row is None or row["disabled"] or not may(row["role"], right):
        raise Refused(Why.RIGHT)
    return row


def event_of(talk: Talk, kind: str, actor: bytes | None, now: int, *, detail: str = "") -> DeskEventRow:
    """Return an event of a talk as it stands."""
    return DeskEventRow(
        now, talk.conversation, kind, talk.owner, talk.epoch, talk.agent, actor, detail or talk.skill
    )


def held_as(talk: Talk) -> Held:
    """Return a talk as a verb left it."""
    return Held(talk.conversation, Owner(talk.owner), talk.epoch, talk.agent)
