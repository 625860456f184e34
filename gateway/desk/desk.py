"""What a person at the desk may do with a conversation, each verb in one commit with its event (design 4).

Every verb names the epoch under which its caller saw the conversation; under another one it is refused with who holds
it now, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bots import service
from bots import state as states
from bots.contract import Owner
from bots.scene import idle
from gateway.desk.moves import Act, Refused, Why, moved
from gateway.desk.rights import SERVES, Right, may
from gateway.desk.routing import CHAT, Free, Pair, Rules, Waiting, fits, match, rank
from gateway.desk.served import asks
from gateway.desk.voice import Voice
from gateway.runtime import instant, millis
from gateway.store import desk as sql
from gateway.store import mentions as calls
from gateway.store.rows import DeskEventRow

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

ROUTED = 200
"""How many of the queue are read at once."""
SWEPT = 100


class State(StrEnum):
    """How an agent stands; the first three are chosen, the others follow from the tabs."""

    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    RECONNECTING = "reconnecting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation as a verb left it."""

    conversation: bytes
    owner: Owner
    epoch: int
    agent: bytes | None


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
        self._pushes = pushes

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
            lambda c, now: self._back_in_line(
                c, self._own(c, agent, conversation, epoch), Act.DECLINE, agent, now
            )
        )

    async def take_over(self, supervisor: bytes, conversation: bytes, epoch: int) -> Held:
        """Take a conversation from whoever has it, whatever the load; raises Refused."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._locked(connection, conversation, epoch)
            row = _staff(connection, supervisor, Right.TAKE_OVER)
            return self._give_to(connection, talk, row, Act.TAKE_OVER, actor=supervisor, now=now)

        return await self._write(work)

    async def assign(self, supervisor: bytes, conversation: bytes, epoch: int, to_agent: bytes) -> Held:
        """Give a conversation to an agent who is there, whatever his load; raises Refused."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._locked(connection, conversation, epoch)
            who = sql.agent(connection, supervisor)
            if who is None or not may(who["role"], Right.TAKE_OVER):
                raise Refused(Why.RIGHT)
            row = _staff(connection, to_agent, Right.REPLY)
            if not sql.present(connection, to_agent, now):
                raise Refused(Why.AWAY, to_agent)
            return self._give_to(connection, talk, row, Act.HAND, actor=supervisor, now=now)

        return await self._write(work)

    async def boost(self, supervisor: bytes, conversation: bytes, epoch: int) -> Held:
        """Move a waiting conversation up as an urgent one would stand, once; raises Refused."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._locked(connection, conversation, epoch)
            _staff(connection, supervisor, Right.TAKE_OVER)
            if talk.owner != Owner.QUEUED.value or talk.rank is None:
                raise Refused(Why.TAKEN if talk.agent else Why.STATE, talk.agent)
            place = (talk.enqueued_at or now) - self.rules.urgent_boost
            if talk.rank <= place:
                raise Refused(Why.STATE)
            new = talk._replace(rank=place)
            sql.keep(connection, new)
            sql.append(connection, [_event(new, "boosted", supervisor, now)])
            return _held(new)

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
            talk = self._own(connection, agent, conversation, epoch)
            if to_agent is not None:
                row = _staff(connection, to_agent, Right.REPLY)
                if not sql.present(connection, row["id"], now):
                    raise Refused(Why.AWAY, to_agent)
            asked = talk._replace(
                skill=to_skill or talk.skill, only_for=to_agent, last_agent=agent, last_at=now
            )
            return self._requeue(connection, asked, Act.TRANSFER, agent, now, words="desk_moved", note=note)

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
            talk = self._own(connection, agent, conversation, epoch)
            owner = moved(Act.WRAP_UP, talk.owner, talk.agent)
            clock: dict[str, Any] = {"clock": "wrap_up", "due_at": now + self.rules.wrap_up_ms, "held": False}
            new = sql.give(connection, talk._replace(owner=owner.value, **clock))
            sql.release(connection, talk, now)
            return self._done(connection, new, Act.WRAP_UP, agent, now)

        return await self._write(work)

    async def hold(self, agent: bytes, conversation: bytes, epoch: int, *, held: bool) -> Held:
        """Put a conversation on hold, where it weighs nothing, or take it off; the owner stays."""

        def work(connection: Connection, now: int) -> Held:
            talk = self._own(connection, agent, conversation, epoch, Owner.AGENT)
            clock = ("idle", self.rules.after(now, self.rules.idle_ms)) if not held else ("", None)
            new = talk._replace(held=held, clock=clock[0], due_at=clock[1])
            sql.keep(connection, new)
            kind = "held" if held else "unheld"
            sql.append(connection, [_event(new, kind, agent, now)])
            return _held(new)

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
            talk = self._own(connection, agent, conversation, epoch, Owner.AGENT)
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
            sql.append(connection, [_event(new, "reply", agent, now, detail=row.id.hex())])
            return Written(row.id, at)

        return await self._write(work)

    async def undo(self, agent: bytes, conversation: bytes, epoch: int, row: bytes) -> None:
        """Take a reply back; raises Refused with STATE when it is too late."""

        def work(connection: Connection, now: int) -> None:
            talk = self._own(connection, agent, conversation, epoch, Owner.AGENT)
            if not sql.undo(connection, row, conversation, epoch, now):
                raise Refused(Why.STATE, talk.agent)
            new = talk._replace(waiting_since=talk.waiting_since or now, clock="silent")
            sql.keep(connection, new._replace(due_at=self.rules.after(now, self.rules.silent_ms)))
            sql.append(connection, [_event(new, "undone", agent, now, detail=row.hex())])

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
            _staff(connection, agent, Right.WHISPER if whisper else Right.NOTE)
            talk = sql.seen(connection, conversation)
            if talk is None:
                raise Refused(Why.UNKNOWN)
            called = [
                calls.Row(self._ids(), now, conversation, each, agent)
                for each in dict.fromkeys(mentions)
                if each != agent and _reads(connection, talk, each, whisper=whisper)
            ]
            calls.add(connection, called)
            event = _event(talk, "whisper" if whisper else "note", agent, now)
            said = event._replace(note=self._sealer.seal(text.encode()))
            told = [_event(talk, "mention", agent, now, detail=each.id.hex()) for each in called]
            return sql.append(connection, [said, *told]) - len(told)

        return await self._write(work)

    async def acknowledge(self, agent: bytes, alert: bytes) -> None:
        """Look after an alert, or see that one was called; raises Refused with UNKNOWN when that is done already."""

        def work(connection: Connection, now: int) -> None:
            _staff(connection, agent, Right.ACKNOWLEDGE_ALERT)
            kind, conversation = "acknowledged", sql.acknowledge(connection, alert, now)
            if conversation is None:
                kind, conversation = "mention", calls.see(connection, alert, agent, now)
            talk = sql.seen(connection, conversation) if conversation else None
            if talk is None:
                raise Refused(Why.UNKNOWN)
            sql.append(connection, [_event(talk, kind, agent, now, detail=alert.hex())])

        await self._write(work)

    async def beat(self, agent: bytes, tab: str) -> None:
        """Keep one tab of an agent alive for a minute; beat every 30 s. Several tabs count as one presence."""
        now = millis(self._clock())

        def work(connection: Connection) -> bool:
            came = not sql.present(connection, agent, now)
            sql.beat(connection, agent, tab, now + self.rules.lease_ms)
            return came

        if await self._store.write(work):
            # Who comes has room: the router looks at once.
            self.changed()

    async def leave(self, agent: bytes, tab: str) -> None:
        """End the lease of a tab; nothing is taken from the agent before the grace is over."""
        now = millis(self._clock())
        await self._store.write(lambda c: sql.leave(c, agent, tab, now))

    async def choose(self, agent: bytes, state: State) -> None:
        """Set what an agent wants to be: online gets new talks, busy keeps his and may take, away gets none."""

        def work(connection: Connection, now: int) -> None:
            if sql.lock_agent(connection, agent) is None:
                raise Refused(Why.UNKNOWN)
            sql.choose(connection, agent, state.value)
            event = DeskEventRow(now, None, "presence", "", 0, agent, agent, state.value)
            sql.append(connection, [event])

        await self._write(work)

    async def standing(self, agent: bytes) -> tuple[State, int]:
        """Return how an agent stands now, and what he holds in fifths of a chat."""
        now = millis(self._clock())
        row, until, load = await self._store.read(
            lambda c: (sql.agent(c, agent), sql.last_seen(c, agent), sql.load(c, agent))
        )
        if row is None or until + self.rules.grace_ms <= now:
            return State.OFFLINE, load
        return State(row["state"]) if until > now else State.RECONNECTING, load

    async def events(self, after: int, limit: int = 500) -> list[sql.Event]:
        """Return what happened after an id, in order and without a hole."""
        return await self._store.read(lambda c: sql.events(c, after, limit))

    # What the router and the clocks do

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

    # Inside one transaction

    async def _write(self, work: Callable[[Connection, int], T]) -> T:
        now = millis(self._clock())
        done = await self._store.write(lambda connection: work(connection, now))
        self.changed()
        self.owed()
        return done

    def _locked(self, connection: Connection, conversation: bytes, epoch: int) -> Talk:
        talk = sql.lock(connection, conversation)
        if talk is None:
            raise Refused(Why.UNKNOWN)
        if talk.epoch != epoch:
            raise Refused(Why.TAKEN if talk.agent else Why.STALE, talk.agent)
        return talk

    def _own(
        self,
        connection: Connection,
        agent: bytes,
        conversation: bytes,
        epoch: int,
        owner: Owner | None = None,
    ) -> Talk:
        talk = self._locked(connection, conversation, epoch)
        if talk.agent != agent or (owner is not None and talk.owner != owner.value):
            raise Refused(Why.TAKEN if talk.agent and talk.agent != agent else Why.STATE, talk.agent)
        _staff(connection, agent, Right.REPLY)
        return talk

    def _taken(self, connection: Connection, agent: bytes, conversation: bytes, epoch: int, now: int) -> Held:
        talk = self._locked(connection, conversation, epoch)
        moved(Act.TAKE, talk.owner, talk.agent)
        if talk.only_for not in (None, agent):
            raise Refused(Why.TAKEN, talk.only_for)
        row, _ = self._with_room(connection, talk, agent, now)
        return self._give_to(connection, talk, row, Act.TAKE, actor=agent, now=now)

    def _with_room(
        self, connection: Connection, talk: Talk, agent: bytes, now: int
    ) -> tuple[Mapping[str, Any], int]:
        """Lock an agent who is there, may reply and has room for a talk; return him and what he holds."""
        row = _staff(connection, agent, Right.REPLY)
        here, held = sql.room(connection, agent, now)
        if row["state"] == "away" or not here:
            raise Refused(Why.AWAY)
        if held + talk.weight > row["capacity"] * CHAT:
            raise Refused(Why.FULL)
        return row, held

    def _give_to(
        self,
        connection: Connection,
        talk: Talk,
        row: Mapping[str, Any],
        act: Act,
        *,
        actor: bytes | None,
        now: int,
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
        return self._done(connection, new, act, actor, now)

    def _accepted(
        self, connection: Connection, agent: bytes, conversation: bytes, epoch: int, now: int
    ) -> Held:
        talk = self._own(connection, agent, conversation, epoch, Owner.OFFERED)
        return self._give_to(
            connection, talk, _staff(connection, agent, Right.REPLY), Act.ACCEPT, actor=agent, now=now
        )

    def _claimed(self, pair: Pair, connection: Connection, now: int) -> bool:
        """Claim one conversation for one agent: everything that was decided is looked at again under the locks."""
        talk = sql.lock(connection, pair.conversation, skip=True)
        if talk is None or talk.owner != Owner.QUEUED.value:
            return False
        row, held = self._with_room(connection, talk, pair.agent, now)
        if row["state"] != "online":
            raise Refused(Why.AWAY)
        if not fits(_waiting(talk, now), _free(row, held), now, self.rules):
            raise Refused(Why.SKILL)
        self._give_to(
            connection, talk, row, Act.OFFER if self.rules.offers else Act.ASSIGN, actor=None, now=now
        )
        return True

    def _matched(self, connection: Connection) -> list[Pair]:
        now = millis(self._clock())
        agents = [_free(row, held) for row, held in sql.free(connection, SERVES, now)]
        queue = (_waiting(talk, now) for talk in sql.queue(connection, ROUTED))
        return match(queue, agents, now, self.rules)

    def _back_in_line(
        self, connection: Connection, talk: Talk, act: Act, actor: bytes | None, now: int
    ) -> Held:
        refused = talk._replace(refused=talk.agent)
        return self._requeue(connection, refused, act, actor, now)

    def _requeue(
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
        return self._done(connection, new, act, actor, now, note=note)

    async def _leave(self, agent: bytes, conversation: bytes, epoch: int, act: Act, words: str) -> Held:
        def work(connection: Connection, now: int) -> Held:
            talk = self._own(connection, agent, conversation, epoch)
            return self._left(connection, talk, act, actor=agent, now=now, words=words)

        return await self._write(work)

    def _left(
        self, connection: Connection, talk: Talk, act: Act, *, actor: bytes | None, now: int, words: str
    ) -> Held:
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
        return self._done(connection, new, act, actor, now)

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
            self._left(connection, talk, Act.CLOSE, actor=None, now=now, words="desk_closed")
        elif talk.owner == Owner.OFFERED.value:
            self._requeue(connection, talk, Act.LOSE, None, now)
        else:
            self._requeue(connection, talk, Act.LOSE, None, now, words="desk_moved")
        return True

    def _struck(self, conversation: bytes, connection: Connection, now: int) -> bool:
        """Do what the clock of a talk is for; one that was set anew meanwhile is left alone."""
        talk = sql.lock(connection, conversation)
        if talk is None or talk.due_at is None or talk.due_at > now:
            return False
        match talk.clock:
            case "offer":
                self._back_in_line(connection, talk, Act.LAPSE, None, now)
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
                self._requeue(
                    connection, talk._replace(refused=talk.agent), Act.LOSE, None, now, words="desk_moved"
                )
            case "idle":
                self._remind(
                    connection, talk, "idle", "desk_idle", clock="closing", due_at=now + self.rules.closing_ms
                )
            case "closing" | "wrap_up":
                self._left(connection, talk, Act.CLOSE, actor=None, now=now, words="desk_closed")
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
        sql.append(connection, [_event(new, kind if told else f"{kind}_untold", None, now)])

    def _done(
        self, connection: Connection, talk: Talk, act: Act, actor: bytes | None, now: int, *, note: str = ""
    ) -> Held:
        event = _event(talk, act.value, actor, now)
        if note:
            event = event._replace(note=self._sealer.seal(note.encode()))
        sql.append(connection, [event])
        return _held(talk)


def _staff(connection: Connection, agent: bytes, right: Right) -> Mapping[str, Any]:
    """Lock somebody of the staff who has a right; raises Refused."""
    row = sql.lock_agent(connection, agent)
    if row is None or row["disabled"] or not may(row["role"], right):
        raise Refused(Why.RIGHT)
    return row


def _reads(connection: Connection, talk: Talk, agent: bytes, *, whisper: bool) -> bool:
    """Return whether somebody may read a note: of a whisper its holder and the supervisors alone."""
    row = sql.agent(connection, agent)
    if row is None or row["disabled"] or not may(row["role"], Right.READ_TALKS):
        return False
    return not whisper or agent == talk.agent or may(row["role"], Right.WHISPER)


def _event(talk: Talk, kind: str, actor: bytes | None, now: int, *, detail: str = "") -> DeskEventRow:
    return DeskEventRow(
        now, talk.conversation, kind, talk.owner, talk.epoch, talk.agent, actor, detail or talk.skill
    )


def _held(talk: Talk) -> Held:
    return Held(talk.conversation, Owner(talk.owner), talk.epoch, talk.agent)


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
