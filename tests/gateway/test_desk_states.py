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
STEPS = 30
WORDS = ("ann", "bob", "eve")
OWN = ("accept", "decline", "give_back", "close", "wrap_up")

who = st.sampled_from(WORDS)
which = st.integers(0, 7)


class Course(RuleBasedStateMachine):
    """One day at the desk; every rule is one act of somebody."""

    runner: asyncio.Runner
    store: Store

    @initialize()
    def opens(self) -> None:
        self.run(self.store.write(_empty))
        self.floor = Floor(self.store)
        self.came = 0
        self.agents = {word: self.run(self.floor.agent(word, capacity=1)) for word in WORDS}
        self.boss = self.run(self.floor.agent("boss", role="supervisor", capacity=1))
        self.run(self.floor.chose(self.boss, "busy"))
        for _ in range(3):
            self.run(self.floor.waits(f"c{self.came}"))
            self.came += 1

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

    @rule(skill=st.sampled_from(["", "", "en"]), urgent=st.booleans())
    def arrives(self, skill: str, *, urgent: bool) -> None:
        self.run(self.floor.waits(f"c{self.came}", skill=skill, urgent=urgent))
        self.came += 1

    @rule()
    def routes(self) -> None:
        waited = {talk.conversation: talk for talk in self.line()}
        self.run(self.floor.desk.route())
        left = {talk.conversation for talk in self.line()}
        given = [talk for key, talk in waited.items() if key not in left]
        for still in (waited[key] for key in left if _plain(waited[key])):
            for got in given:
                if _plain(got) and got.skill == still.skill:
                    assert (got.rank, got.conversation) < (still.rank, still.conversation)
        self.nobody_waits_before_an_empty_seat()

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

    @rule(word=who, capacity=st.integers(1, 2), skills=st.sampled_from(["", "en"]))
    def is_equipped(self, word: str, capacity: int, skills: str) -> None:
        self.run(self.floor.change(self.agents[word], capacity=capacity, skills=skills))

    @rule(word=who, number=which, stale=st.booleans())
    def takes(self, word: str, number: int, stale: bool) -> None:  # noqa: FBT001 - drawn
        if (talk := self.talk(number)) is None:
            return
        agent = self.agents[word]
        won = self.tried(self.floor.desk.take(agent, talk.conversation, talk.epoch - stale))
        if won:
            assert not stale
            row = self.run(self.store.read(lambda c: sql.agent(c, agent)))
            assert self.run(self.floor.load(agent)) <= row["capacity"] * 5

    @rule(number=which, act=st.sampled_from(OWN), as_another=st.booleans())
    def does(self, number: int, act: str, as_another: bool) -> None:  # noqa: FBT001 - drawn
        if (talk := self.talk(number)) is None:
            return
        other = as_another or talk.agent is None
        agent = self.agents["eve"] if other else talk.agent
        won = self.tried(getattr(self.floor.desk, act)(agent, talk.conversation, talk.epoch))
        assert not won or agent == talk.agent

    @rule(number=which, word=st.sampled_from([*WORDS, ""]))
    def transfers(self, number: int, word: str) -> None:
        talk = self.talk(number)
        if talk is not None and talk.agent is not None:
            to = self.agents.get(word)
            desk = self.floor.desk
            self.tried(desk.transfer(talk.agent, talk.conversation, talk.epoch, to_agent=to))

    @rule(number=which, held=st.booleans())
    def holds(self, number: int, held: bool) -> None:  # noqa: FBT001 - drawn
        talk = self.talk(number)
        if talk is not None and talk.agent is not None:
            self.tried(self.floor.desk.hold(talk.agent, talk.conversation, talk.epoch, held=held))

    @rule(number=which)
    def is_taken_over(self, number: int) -> None:
        if (talk := self.talk(number)) is not None:
            self.tried(self.floor.desk.take_over(self.boss, talk.conversation, talk.epoch))

    @rule(number=which, stale=st.booleans())
    def replies(self, number: int, stale: bool) -> None:  # noqa: FBT001 - drawn
        talk = self.talk(number)
        if talk is None or talk.agent is None:
            return
        echo = f"e{self.run(self.store.read(sql.last_event))}"
        won = self.tried(
            self.floor.desk.reply(talk.agent, talk.conversation, talk.epoch - stale, "您好", echo)
        )
        assert not (won and stale)

    @rule()
    def sends(self) -> None:
        """Nothing goes out that an owner wrote who owns no more."""
        now = self.floor.now
        for row in self.run(self.store.write(lambda c: outbox.claim(c, now, 50, now + 60_000))):
            talk = self.run(self.floor.talk(row.conversation))
            written = select(OUTGOING.c.epoch).where(OUTGOING.c.id == row.id)
            assert self.run(self.store.read(partial(_value, query=written))) == talk.epoch
            done = outbox.Settled(row, OutState.SENT, now, tried="custom")
            self.run(self.store.write(partial(outbox.settle, settled=[done])))

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
    def whoever_waits_has_kept_the_instant_he_came(self) -> None:
        for talk in self.line():
            assert talk.enqueued_at is not None
            assert talk.rank is not None
            assert talk.rank <= talk.enqueued_at


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
