"""What a person at the desk may do with a conversation, each verb in one commit with its event (design 4).

Every verb names the epoch under which its caller saw the conversation; under another one it is refused with who holds
it now, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bots.contract import Owner
from gateway.desk.hands import Hands, Held, event_of, held_as, staff
from gateway.desk.moves import Act, Doubted, Refused, Why, moved
from gateway.desk.presence import Presence, State
from gateway.desk.rights import Right, may
from gateway.desk.routing import CHAT, Rules
from gateway.desk.sweep import Sweep
from gateway.desk.voice import Voice
from gateway.runtime import millis
from gateway.store import desk as sql
from gateway.store import mentions as calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection

    from gateway.store.desk import Talk
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import SourceChannel

T = TypeVar("T")

DESPITE = "despite"
"""The first word in the detail of what a supervisor gave to whom the router would not; then why it would not."""


@dataclass(frozen=True, slots=True)
class Written:
    """A reply that is on its way; until ``undo_until`` (milliseconds) it can be taken back."""

    row: bytes
    undo_until: int


class Desk:
    """The verbs of the desk, and the router.

    ``changed`` is called after every commit: the live views look then. ``owed`` is called when something is to be sent.
    ``pushes`` says of an account whether people look at it while they talk (no text, no mail): only there they are
    reminded.
    """

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        ids: Callable[[], bytes],
        now: Callable[[], datetime],
        changed: Callable[[], None],
        owed: Callable[[], None],
        rules: Rules = Rules(),  # noqa: B008 - frozen
        pushes: Callable[[str], bool] = lambda _: True,
        source: Callable[[str], SourceChannel | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._ids = ids
        self._voice = Voice(sealer=sealer, ids=ids, source=source)
        self._clock = now
        self.changed = changed
        self.owed = owed
        self.rules = rules
        self._hands = Hands(sealer=sealer, voice=self._voice, rules=rules)
        self._presence = Presence(store=store, write=self._write, now=now, came=changed, rules=rules)
        self._sweep = Sweep(
            store=store, hands=self._hands, voice=self._voice, write=self._write, now=now, pushes=pushes
        )

    # What a person does

    async def take(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """Take a waiting conversation, or one of the bot's; raises Refused."""
        return await self._write(lambda c, now: self._taken(c, agent, conversation, epoch, now))

    async def accept(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """Accept an offer; raises Refused."""
        return await self._write(lambda c, now: self._accepted(c, agent, conversation, epoch, now))

    async def decline(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """Decline an offer: it goes back to its place and is not offered to the same agent for a while."""
        return await self._write(
            lambda c, now: self._hands.back_in_line(
                c, self._hands.own(c, agent, conversation, epoch), Act.DECLINE, agent, now
            )
        )

    async def take_over(self, supervisor: bytes, conversation: bytes, epoch: int) -> Held:
        """Take a conversation from whoever has it, whatever the load; raises Refused."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.wanted(connection, conversation, epoch)
            row = staff(connection, supervisor, Right.TAKE_OVER)
            return self._hands.give_to(connection, talk, row, Act.TAKE_OVER, actor=supervisor, now=now)

        return await self._write(work)

    async def assign(
        self,
        supervisor: bytes,
        conversation: bytes,
        epoch: int,
        to_agent: bytes,
        *,
        despite: frozenset[Why] = frozenset(),
    ) -> Held:
        """Give a conversation to an agent who is there; raises Refused.

        Raises Doubted, and gives nothing, while he is full, away or without its skill and that is not among ``despite``:
        what the supervisor knows and wants nevertheless. The event says so.
        """

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.wanted(connection, conversation, epoch)
            who = sql.agent(connection, supervisor)
            if who is None or not may(who["role"], Right.TAKE_OVER):
                raise Refused(Why.RIGHT)
            row = staff(connection, to_agent, Right.REPLY)
            here, held = sql.room(connection, to_agent, now)
            if not here:
                raise Refused(Why.AWAY, to_agent)
            doubts = _doubts(talk, row, held)
            if not despite.issuperset(doubts):
                raise Doubted(doubts)
            detail = " ".join((DESPITE, *doubts)) if doubts else ""
            return self._hands.give_to(
                connection, talk, row, Act.HAND, actor=supervisor, now=now, detail=detail
            )

        return await self._write(work)

    async def boost(self, supervisor: bytes, conversation: bytes, epoch: int) -> Held:
        """Move a waiting conversation up as an urgent one would stand, once; raises Refused."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.wanted(connection, conversation, epoch)
            staff(connection, supervisor, Right.TAKE_OVER)
            if talk.owner != Owner.QUEUED.value or talk.rank is None:
                raise Refused(Why.TAKEN if talk.agent else Why.STATE, talk.agent)
            place = (talk.enqueued_at or now) - self.rules.urgent_boost
            if talk.rank <= place:
                raise Refused(Why.STATE)
            new = talk._replace(rank=place)
            sql.keep(connection, new)
            sql.append(connection, [event_of(new, "boosted", supervisor, now)])
            return held_as(new)

        return await self._write(work)

    async def transfer(
        self,
        agent: bytes,
        conversation: bytes,
        epoch: int,
        *,
        to_agent: bytes | None = None,
        to_skill: str = "",
        note: str = "",
    ) -> Held:
        """Pass a conversation on to an agent or to those with a skill (none: anybody), with a note for them.

        Its place is the one it came with; every clock of the former holder ends here (T11, T12).
        """

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.own(connection, agent, conversation, epoch)
            if to_agent is not None:
                row = staff(connection, to_agent, Right.REPLY)
                if not sql.present(connection, row["id"], now):
                    raise Refused(Why.AWAY, to_agent)
            asked = talk._replace(
                skill=to_skill or talk.skill, only_for=to_agent, last_agent=agent, last_at=now
            )
            return self._hands.requeue(
                connection, asked, Act.TRANSFER, agent, now, words="desk_moved", note=note
            )

        return await self._write(work)

    async def give_back(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """Return a conversation to the bot, which begins afresh and answers the next message (T18)."""
        return await self._leave(agent, conversation, epoch, Act.BACK, "desk_back")

    async def close(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """End the service: the citizen is told once and asked to rate it, the bot answers what he writes later."""
        return await self._leave(agent, conversation, epoch, Act.CLOSE, "desk_closed")

    async def wrap_up(self, agent: bytes, conversation: bytes, epoch: int) -> Held:
        """End the talking and keep the conversation for the paperwork; it closes by itself after a while."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.own(connection, agent, conversation, epoch)
            owner = moved(Act.WRAP_UP, talk.owner, talk.agent)
            clock: dict[str, Any] = {"clock": "wrap_up", "due_at": now + self.rules.wrap_up_ms, "held": False}
            new = sql.give(connection, talk._replace(owner=owner.value, **clock))
            sql.release(connection, talk, now)
            return self._hands.done(connection, new, Act.WRAP_UP, agent, now)

        return await self._write(work)

    async def hold(self, agent: bytes, conversation: bytes, epoch: int, *, held: bool) -> Held:
        """Put a conversation on hold, where it weighs nothing, or take it off; the owner stays."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.own(connection, agent, conversation, epoch, Owner.AGENT)
            clock = ("idle", self.rules.after(now, self.rules.idle_ms)) if not held else ("", None)
            new = talk._replace(held=held, clock=clock[0], due_at=clock[1])
            sql.keep(connection, new)
            kind = "held" if held else "unheld"
            sql.append(connection, [event_of(new, kind, agent, now)])
            return held_as(new)

        return await self._write(work)

    async def reply(
        self,
        agent: bytes,
        conversation: bytes,
        epoch: int,
        text: str,
        echo: str,
        *,
        fields: bytes | None = None,
    ) -> Written:
        """Answer the citizen; it goes out after the time in which it can be taken back.

        ``echo`` names the attempt: the same one twice is one reply (T22). ``fields`` is what the answer brings beside
        words, as ``Sending`` made it ready.
        """

        def work(connection: Connection, now: int) -> Written:
            key = f"echo:{agent.hex()}:{echo}"
            talk = self._hands.own(connection, agent, conversation, epoch, Owner.AGENT)
            if (before := sql.echoed(connection, key)) is not None:
                return Written(before, now)
            at = now + self.rules.undo_ms
            row = self._voice.row(talk, text, sql.AGENT_NOTICE, now)._replace(next_at=at, notice_key=key)
            row = row._replace(fields=fields)
            sql.promise(connection, [row])
            clock: dict[str, Any] = {
                "waiting_since": None,
                "clock": "idle",
                "due_at": self.rules.after(now, self.rules.idle_ms),
            }
            new = talk._replace(held=False, **clock)
            sql.keep(connection, new)
            sql.append(connection, [event_of(new, "reply", agent, now, detail=row.id.hex())])
            return Written(row.id, at)

        return await self._write(work)

    async def undo(self, agent: bytes, conversation: bytes, epoch: int, row: bytes) -> None:
        """Take a reply back; raises Refused with STATE when it is too late."""

        def work(connection: Connection, now: int) -> None:
            talk = self._hands.own(connection, agent, conversation, epoch, Owner.AGENT)
            if not sql.undo(connection, row, conversation, epoch, now):
                raise Refused(Why.STATE, talk.agent)
            new = talk._replace(waiting_since=talk.waiting_since or now, clock="silent")
            sql.keep(connection, new._replace(due_at=self.rules.after(now, self.rules.silent_ms)))
            sql.append(connection, [event_of(new, "undone", agent, now, detail=row.hex())])

        await self._write(work)

    async def note(
        self,
        agent: bytes,
        conversation: bytes,
        text: str,
        *,
        whisper: bool = False,
        mentions: Sequence[bytes] = (),
    ) -> int:
        """Write a note that the citizen never sees and return its event's id; a whisper is a supervisor's.

        Who is called in it (``mentions``) has an alert of his own until he has seen it; who may not read it has none.
        """

        def work(connection: Connection, now: int) -> int:
            staff(connection, agent, Right.WHISPER if whisper else Right.NOTE)
            talk = sql.seen(connection, conversation)
            if talk is None:
                raise Refused(Why.UNKNOWN)
            called = [
                calls.Row(self._ids(), now, conversation, each, agent)
                for each in dict.fromkeys(mentions)
                if each != agent and _reads(connection, talk, each, whisper=whisper)
            ]
            calls.add(connection, called)
            event = event_of(talk, "whisper" if whisper else "note", agent, now)
            said = event._replace(note=self._sealer.seal(text.encode()))
            told = [event_of(talk, "mention", agent, now, detail=each.id.hex()) for each in called]
            return sql.append(connection, [said, *told]) - len(told)

        return await self._write(work)

    async def acknowledge(self, agent: bytes, alert: bytes) -> None:
        """Look after an alert, or see that one was called; raises Refused with UNKNOWN when that is done already."""

        def work(connection: Connection, now: int) -> None:
            staff(connection, agent, Right.ACKNOWLEDGE_ALERT)
            kind, conversation = "acknowledged", sql.acknowledge(connection, alert, now)
            if conversation is None:
                kind, conversation = "mention", calls.see(connection, alert, agent, now)
            talk = sql.seen(connection, conversation) if conversation else None
            if talk is None:
                raise Refused(Why.UNKNOWN)
            sql.append(connection, [event_of(talk, kind, agent, now, detail=alert.hex())])

        await self._write(work)

    async def beat(self, agent: bytes, tab: str) -> None:
        """Keep one tab of an agent alive for a minute; beat every 30 s. Several tabs count as one presence."""
        await self._presence.beat(agent, tab)

    async def leave(self, agent: bytes, tab: str) -> None:
        """End the lease of a tab; nothing is taken from the agent before the grace is over."""
        await self._presence.leave(agent, tab)

    async def choose(self, agent: bytes, state: State) -> None:
        """Set what an agent wants to be: online gets new talks, busy keeps his and may take, away gets none."""
        await self._presence.choose(agent, state)

    async def standing(self, agent: bytes) -> tuple[State, int]:
        """Return how an agent stands now, and what he holds in fifths of a chat."""
        return await self._presence.standing(agent)

    async def events(self, after: int, limit: int = 500) -> list[sql.Event]:
        """Return what happened after an id, in order and without a hole."""
        return await self._store.read(lambda c: sql.events(c, after, limit))

    # What the router and the clocks do

    async def route(self) -> int:
        """Give the queue to who has room, and return how many were given; to be run on every freed place."""
        return await self._sweep.route()

    async def tick(self) -> int:
        """Let the clocks strike, and take their talks from agents who are gone; return how many were moved."""
        return await self._sweep.tick()

    # Inside one transaction

    async def _write(self, work: Callable[[Connection, int], T]) -> T:
        now = millis(self._clock())
        done = await self._store.write(lambda connection: work(connection, now))
        self.changed()
        self.owed()
        return done

    def _taken(self, connection: Connection, agent: bytes, conversation: bytes, epoch: int, now: int) -> Held:
        talk = self._hands.locked(connection, conversation, epoch)
        moved(Act.TAKE, talk.owner, talk.agent)
        if talk.only_for not in (None, agent):
            raise Refused(Why.TAKEN, talk.only_for)
        row, _ = self._hands.with_room(connection, talk, agent, now)
        return self._hands.give_to(connection, talk, row, Act.TAKE, actor=agent, now=now)

    def _accepted(
        self, connection: Connection, agent: bytes, conversation: bytes, epoch: int, now: int
    ) -> Held:
        talk = self._hands.own(connection, agent, conversation, epoch, Owner.OFFERED)
        return self._hands.give_to(
            connection, talk, staff(connection, agent, Right.REPLY), Act.ACCEPT, actor=agent, now=now
        )

    async def _leave(self, agent: bytes, conversation: bytes, epoch: int, act: Act, words: str) -> Held:
        def work(connection: Connection, now: int) -> Held:
            talk = self._hands.own(connection, agent, conversation, epoch)
            return self._hands.left(connection, talk, act, actor=agent, now=now, words=words)

        return await self._write(work)


def _doubts(talk: Talk, row: Mapping[str, Any], held: int) -> tuple[Why, ...]:
    """Return why automatic routing would not give a conversation to an agent who holds so much (fifths of a chat)."""
    found = {
        Why.FULL: held + talk.weight > row["capacity"] * CHAT,
        Why.AWAY: row["state"] == State.AWAY.value,
        Why.SKILL: not set(talk.skill.split()) <= set(row["skills"].split()),
    }
    return tuple(why for why, true in found.items() if true)


def _reads(connection: Connection, talk: Talk, agent: bytes, *, whisper: bool) -> bool:
    """Return whether somebody may read a note: of a whisper its holder and the supervisors alone."""
    row = sql.agent(connection, agent)
    if row is None or row["disabled"] or not may(row["role"], Right.READ_TALKS):
        return False
    return not whisper or agent == talk.agent or may(row["role"], Right.WHISPER)
