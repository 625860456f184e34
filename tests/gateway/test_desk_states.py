"""Whatever happens at the desk in whatever order: one owner, loads that are true, nobody between queue and owner.

``JIESU_TEST_STATES`` is how many courses are played on each store.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select

from gateway.desk.moves import Refused
from gateway.store import desk as sql
from gateway.store import migrate
from gateway.store.desk_tables import AGENT, DESK_EVENT, DESK_TALK, PRESENCE
from gateway.store.store import Store
from gateway.store.tables import CONVERSATION, OUTGOING
from outbox import queue as outbox
from outbox.tables import OutState
from tests.conftest import open_any
from tests.kit.desk import Floor

COURSES = int(os.environ.get("JIESU_TEST_STATES", "8"))
STEPS = 40
WORDS = ("ann", "bob", "eve")

who = st.sampled_from(WORDS)
which = st.integers(0, 7)
_SELDOM = st.sampled_from([False, False, False, False, True])


class Course(RuleBasedStateMachine):
    """One day at the desk; every rule is one act of somebody."""

    runner: asyncio.Runner
    store: Store

    @initialize()
    def opens(self) -> None:
        self.run(self.store.write(_empty))
        self.floor = Floor(self.store)
        self.came = 0
        self.came_at: dict[bytes, int] = {}
        self.written: dict[bytes, tuple[bytes, bytes, int]] = {}
        self.agents = {word: self.run(self.floor.agent(word, capacity=1)) for word in WORDS}
        self.boss = self.run(self.floor.agent("boss", role="supervisor", capacity=1))
        self.run(self.floor.chose(self.boss, "busy"))
        for _ in range(3):
            self.arrives("", urgent=False)
        self.takes("ann", 0, stale=False)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def tried(self, work: Any) -> bool:
        """Do what may be refused; what is refused changes nothing."""
        before = self.run(self.store.read(sql.last_event))
        try:
            self.run(work)
        except Refused:
            assert self.run(self.store.read(sql.last_event)) == before
            return False
        return True

    def talk(self, number: int) -> sql.Talk | None:
        if not self.came:
            return None
        word = f"c{number % self.came}"
        return self.run(self.floor.talk(word.encode().ljust(16, b".")))

    def someones(self, number: int, *owners: str) -> sql.Talk | None:
        """Return one of the talks that stand so; any talk at all where none does, so that what is refused is tried too."""
        query = select(CONVERSATION.c.id).where(CONVERSATION.c.owner.in_(owners)).order_by(CONVERSATION.c.id)
        ours = self.run(self.store.read(lambda c: c.execute(query).scalars().all()))
        return self.run(self.floor.talk(ours[number % len(ours)])) if ours else self.talk(number)

    @rule(skill=st.sampled_from(["", "", "en"]), urgent=st.booleans())
    def arrives(self, skill: str, *, urgent: bool) -> None:
        at = self.floor.now
        self.came_at[self.run(self.floor.waits(f"c{self.came}", skill=skill, urgent=urgent))] = at
        self.came += 1

    @rule()
    def routes(self) -> None:
        waited = {talk.conversation: talk for talk in self.line()}
        loads = self.loads()
        self.run(self.floor.desk.route())
        for agent, load in self.loads().items():
            if load > loads[agent]:
                self.may_have_more(agent, "online")
        left = {talk.conversation for talk in self.line()}
        given = [talk for key, talk in waited.items() if key not in left]
        for still in (waited[key] for key in left if _plain(waited[key])):
            for got in given:
                if _plain(got) and got.skill == still.skill:
                    assert (got.rank, got.conversation) < (still.rank, still.conversation)
        self.nobody_waits_before_an_empty_seat()

    def loads(self) -> dict[bytes, int]:
        return {agent: self.run(self.floor.load(agent)) for agent in (*self.agents.values(), self.boss)}

    def may_have_more(self, agent: bytes, *states: str) -> None:
        """Only who is there, wants more, may reply and has the room gets anything."""
        row = self.run(self.store.read(lambda c: sql.agent(c, agent)))
        assert self.run(self.floor.load(agent)) <= row["capacity"] * 5
        assert row["state"] in states
        assert not row["disabled"]
        assert self.run(self.store.read(lambda c: sql.last_seen(c, agent))) > self.floor.now

    def nobody_waits_before_an_empty_seat(self) -> None:
        free = self.run(self.store.read(lambda c: sql.free(c, ("agent", "supervisor"), self.floor.now)))
        room = any(row["capacity"] * 5 - load >= 5 for row, load in free)
        assert not room or not any(_plain(talk) and not talk.skill for talk in self.line())

    @rule(count=st.integers(1, 3))
    def router_crashes(self, count: int) -> None:
        async def dies() -> None:
            try:
                async with asyncio.timeout(0.002 * count):
                    await self.floor.another().route()
            except TimeoutError:
                return

        self.run(dies())
        # What the dead router had begun is done or undone before anybody looks.
        self.run(self.store.write(partial(sql.append, events=[])))

    @rule(seconds=st.sampled_from([1, 14, 16, 59, 61, 125, 700]), beat=st.sets(who))
    def time_passes(self, seconds: int, beat: set[str]) -> None:
        self.floor.clock.wait(seconds=seconds)
        for word in sorted(beat):
            self.run(self.floor.alive(self.agents[word]))
        self.run(self.floor.desk.tick())

    @rule(word=who)
    def disconnects(self, word: str) -> None:
        self.run(self.floor.desk.leave(self.agents[word], "tab"))

    @rule(word=who)
    def reconnects(self, word: str) -> None:
        self.run(self.floor.alive(self.agents[word]))

    @rule(word=who, state=st.sampled_from(["online", "online", "busy", "away"]))
    def chooses(self, word: str, state: str) -> None:
        self.run(self.floor.chose(self.agents[word], state))

    @rule(word=who, capacity=st.integers(1, 2), skills=st.sampled_from(["", "en"]), disabled=_SELDOM)
    def is_equipped(self, word: str, capacity: int, skills: str, *, disabled: bool) -> None:
        values = {"capacity": capacity, "skills": skills, "disabled": disabled}
        self.run(self.floor.change(self.agents[word], **values))

    @rule(word=who, number=which, stale=_SELDOM)
    def takes(self, word: str, number: int, stale: bool) -> None:  # noqa: FBT001 - drawn
        if (talk := self.someones(number, "queued", "bot")) is None:
            return
        agent = self.agents[word]
        won = self.tried(self.floor.desk.take(agent, talk.conversation, talk.epoch - stale))
        if won:
            assert not stale
            self.may_have_more(agent, "online", "busy")

    @rule(number=which, act=st.sampled_from(["accept", "accept", "decline"]), as_another=_SELDOM)
    def answers_an_offer(self, number: int, act: str, *, as_another: bool) -> None:
        self.does(self.someones(number, "offered"), act, as_another=as_another)

    @rule(number=which, act=st.sampled_from(["close", "give_back", "wrap_up"]), as_another=_SELDOM)
    def is_done_with_it(self, number: int, act: str, *, as_another: bool) -> None:
        self.does(self.someones(number, "agent", "wrap_up"), act, as_another=as_another)

    def does(self, talk: sql.Talk | None, act: str, *, as_another: bool) -> None:
        if talk is None:
            return
        agent = talk.agent if talk.agent and not as_another else self.agents["eve"]
        won = self.tried(getattr(self.floor.desk, act)(agent, talk.conversation, talk.epoch))
        assert not won or agent == talk.agent

    @rule(number=which, word=st.sampled_from([*WORDS, ""]), skill=st.sampled_from(["", "en"]))
    def transfers(self, number: int, word: str, skill: str) -> None:
        talk = self.someones(number, "agent")
        if talk is not None and talk.agent is not None:
            to = self.agents.get(word)
            desk = self.floor.desk
            before = self.run(self.floor.load(talk.agent))
            named = (talk.agent, talk.conversation, talk.epoch)
            if self.tried(desk.transfer(*named, to_agent=to, to_skill=skill)):
                assert self.run(self.floor.load(talk.agent)) == before - 5 * (not talk.held)

    @rule(number=which, held=st.booleans())
    def holds(self, number: int, held: bool) -> None:  # noqa: FBT001 - drawn
        talk = self.someones(number, "agent")
        if talk is not None and talk.agent is not None:
            self.tried(self.floor.desk.hold(talk.agent, talk.conversation, talk.epoch, held=held))

    @rule(number=which)
    def is_taken_over(self, number: int) -> None:
        if (talk := self.someones(number, "agent", "wrap_up")) is not None:
            self.tried(self.floor.desk.take_over(self.boss, talk.conversation, talk.epoch))

    @rule(number=which, stale=_SELDOM)
    def replies(self, number: int, stale: bool) -> None:  # noqa: FBT001 - drawn
        talk = self.someones(number, "agent")
        if talk is None or talk.agent is None:
            return
        echo = f"e{self.run(self.store.read(sql.last_event))}"
        reply = self.floor.desk.reply(talk.agent, talk.conversation, talk.epoch - stale, "您好", echo)
        if self.tried(reply):
            assert not stale
            key = select(OUTGOING.c.id).order_by(OUTGOING.c.id.desc()).limit(1)
            row = self.run(self.store.read(partial(_value, query=key)))
            self.written[row] = (talk.agent, talk.conversation, talk.epoch)

    @rule()
    def sends(self) -> None:
        """Nothing goes out that an owner wrote who owns no more."""
        now = self.floor.now
        for row in self.run(self.store.write(lambda c: outbox.claim(c, now, 50, now + 60_000))):
            if row.id in self.written:
                self.was_his_to_say(*self.written[row.id])
            else:
                talk = self.run(self.floor.talk(row.conversation))
                under = select(OUTGOING.c.epoch).where(OUTGOING.c.id == row.id)
                assert self.run(self.store.read(partial(_value, query=under))) == talk.epoch
            done = outbox.Settled(row, OutState.SENT, now, tried="custom")
            self.run(self.store.write(partial(outbox.settle, settled=[done])))

    def was_his_to_say(self, agent: bytes, conversation: bytes, epoch: int) -> None:
        """What somebody wrote goes out while he has the talk, or when it was he who ended that."""
        after = [
            event
            for event in self.run(self.floor.desk.events(0, 100_000))
            if event.conversation == conversation and event.kind in _CHANGES and event.epoch > epoch
        ]
        assert not after or after[0].actor == agent or after[0].kind == "closed"

    def line(self) -> list[sql.Talk]:
        return self.run(self.store.read(lambda c: list(sql.queue(c, 100))))

    @invariant()
    def one_owner_and_nobody_between(self) -> None:
        assert self.run(self.floor.broken()) == []

    @invariant()
    def every_change_of_owner_has_its_epoch_once(self) -> None:
        changes = (DESK_EVENT.c.epoch > 0, DESK_EVENT.c.kind.in_(_CHANGES))
        several = func.count() > 1
        query = select(DESK_EVENT.c.conversation).where(*changes)
        query = query.group_by(DESK_EVENT.c.conversation, DESK_EVENT.c.epoch).having(several)
        assert self.run(self.store.read(lambda c: c.execute(query).all())) == []

    @invariant()
    def the_log_and_the_tables_say_the_same_of_who_has_whom_and_so_do_the_loads(self) -> None:
        """The log is followed by itself; what it says is held is what each agent's load counts."""
        last: dict[bytes, Any] = {}
        held: dict[bytes, bool] = {}
        events = self.run(self.floor.desk.events(0, 100_000))
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        for event in events:
            if event.kind in _CHANGES:
                last[event.conversation], held[event.conversation] = event, False
            elif event.kind in {"held", "unheld", "reply"}:
                held[event.conversation] = event.kind == "held"
        loads = dict.fromkeys((*self.agents.values(), self.boss), 0)
        for conversation, event in last.items():
            talk = self.run(self.floor.talk(conversation))
            assert (talk.owner, talk.epoch, talk.agent) == (event.owner, event.epoch, event.agent)
            assert talk.held == held[conversation]
            if talk.agent is not None and not talk.held:
                loads[talk.agent] += talk.weight
        assert self.loads() == loads

    @invariant()
    def nothing_is_owed_that_was_not_its_writers_to_say(self) -> None:
        """What the outbox would let pass now, whether or not it is sent before the next act."""
        owed = select(OUTGOING.c.id, OUTGOING.c.epoch, CONVERSATION.c.epoch.label("now")).join(
            CONVERSATION, CONVERSATION.c.id == OUTGOING.c.conversation
        )
        owed = owed.where(OUTGOING.c.state == OutState.QUEUED)
        for row in self.run(self.store.read(lambda c: c.execute(owed).all())):
            if row.id in self.written and row.epoch in {outbox.ANY_OWNER, row.now}:
                self.was_his_to_say(*self.written[row.id])

    @invariant()
    def whoever_waits_has_kept_the_instant_he_came(self) -> None:
        events = self.run(self.floor.desk.events(0, 100_000))
        served = {event.conversation for event in events if event.kind in {"returned", "closed"}}
        for talk in self.line():
            assert talk.enqueued_at is not None
            assert talk.rank is not None
            assert talk.rank <= talk.enqueued_at
            assert talk.conversation in served or talk.enqueued_at == self.came_at[talk.conversation]

    @invariant()
    def no_clock_outlives_its_state(self) -> None:
        query = select(CONVERSATION.c.owner, DESK_TALK.c.clock, DESK_TALK.c.due_at).select_from(
            CONVERSATION.join(DESK_TALK, DESK_TALK.c.conversation == CONVERSATION.c.id)
        )
        for owner, clock, due_at in self.run(self.store.read(lambda c: c.execute(query).all())):
            assert clock in _CLOCKS[owner], (owner, clock)
            assert (due_at is None) == (clock == "")


_CLOCKS = {
    "bot": {""},
    "queued": {"", "again"},
    "offered": {"offer"},
    "agent": {"silent", "overdue", "idle", "closing", ""},
    "wrap_up": {"wrap_up"},
    "closed": {""},
}
_CHANGES = (
    *("queued", "offered", "assigned", "taken", "accepted", "declined", "lapsed", "lost", "transferred"),
    *("taken_over", "returned", "wrapped_up", "closed"),
)


def _plain(talk: sql.Talk) -> bool:
    """Return whether somebody waits for anybody, and has been declined by nobody a moment ago."""
    return talk.only_for is None and talk.refused is None


def _value(connection: Any, query: Any) -> Any:
    return connection.execute(query).scalar()


def _empty(connection: Any) -> None:
    for table in (DESK_EVENT, DESK_TALK, OUTGOING, PRESENCE, AGENT, CONVERSATION):
        connection.execute(delete(table))


@pytest.mark.timeout(300)
def test_no_course_of_a_day_loses_doubles_or_strands_anybody(database: str) -> None:
    with asyncio.Runner() as runner:
        store = runner.run(open_any(database))
        try:
            runner.run(store.write(migrate.upgrade))
            played = type("Played", (Course,), {"runner": runner, "store": store})
            run_state_machine_as_test(
                played,
                settings=settings(
                    max_examples=COURSES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(store.close())
