"""T27: the desk's clocks run while people are at the desk, by the working calendar, and stop when the talk ends."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from gateway.app import running
from gateway.calendar import ZONE, Calendar
from gateway.cases.deadlines import due_moves
from gateway.desk.hours import Hours
from gateway.desk.rules import hours_of
from gateway.desk_settings import DeskSettings
from gateway.profile import Limit, Unit
from gateway.profile import load as load_profiles
from gateway.runtime import instant
from normalizer.case import Stage
from normalizer.message import EventKind, Part, PartKind
from tests.kit.cases import DUE, a_case
from tests.kit.desk import Floor
from tests.kit.gateway import Hand, Person, settings
from tests.kit.staff import staff, taken, talk_of

DAY = ((time(8, 30), time(12)), (time(13, 30), time(21)))
CALENDAR = Calendar(((time(9), time(17)),), work=frozenset({date(2026, 10, 10)}))
HOURS = Hours(CALENDAR, DAY)

SPANS = pytest.mark.parametrize(
    ("at", "strikes"),
    [
        pytest.param("2026-11-26 10:00:00", "2026-11-26 10:02:00", id="within the hours"),
        pytest.param("2026-11-26 11:59:00", "2026-11-26 13:31:00", id="over noon"),
        pytest.param("2026-11-26 12:10:00", "2026-11-26 13:32:00", id="begun at noon"),
        pytest.param("2026-11-26 20:59:30", "2026-11-27 08:31:30", id="over night"),
        pytest.param("2026-11-27 20:59:00", "2026-11-30 08:31:00", id="over a weekend"),
        pytest.param("2026-09-30 20:59:00", "2026-10-08 08:31:00", id="over the National Day"),
        pytest.param("2026-10-09 20:59:00", "2026-10-10 08:31:00", id="into a Saturday worked instead"),
    ],
)


@SPANS
async def test_t27_an_agent_is_silent_only_while_people_are_at_the_desk(store, at, strikes):
    floor = _floor(store, at)
    li = await floor.agent("li")
    talk = await floor.waits("p")
    floor.clock.now = _local(at)
    await floor.desk.take(li, talk, 1)
    await _strikes_at(floor, li, talk, _local(strikes), "overdue")


@SPANS
async def test_t27_a_citizen_is_idle_only_while_people_are_at_the_desk(store, at, strikes):
    floor = _floor(store, at, idle_ms=120_000)
    li = await floor.agent("li")
    talk = await floor.waits("p")
    held = await floor.desk.take(li, talk, 1)
    floor.clock.now = _local(at)
    await floor.alive(li)
    await floor.desk.reply(li, talk, held.epoch, "请问门牌号是多少？", "e1")
    await _strikes_at(floor, li, talk, _local(strikes), "closing")


async def test_t27_an_overdue_talk_is_not_taken_away_over_noon(store):
    floor = _floor(store, "2026-11-26 11:55:00")
    li = await floor.agent("li")
    talk = await floor.waits("p")
    floor.clock.now = _local("2026-11-26 11:55:00")
    await floor.desk.take(li, talk, 1)
    await _strikes_at(floor, li, talk, _local("2026-11-26 11:57:00"), "overdue")
    # Six minutes more, of which three are left of the morning.
    await _strikes_at(floor, li, talk, _local("2026-11-26 13:33:00"), "again")
    assert (await floor.talk(talk)).owner == "queued"


async def test_t27_a_wait_is_long_by_the_desks_time(store):
    floor = _floor(store, "2026-11-26 11:58:00")
    li = await floor.agent("li")
    await floor.chose(li, "busy")
    talk = await floor.waits("p")
    line = floor.line(hours=HOURS)
    for at, told in (("11:59", 0), ("13:29", 0), ("13:37", 0), ("13:38", 1), ("13:50", 0)):
        floor.clock.now = _local(f"2026-11-26 {at}:00")
        await floor.alive(li)
        assert (at, await line.tell()) == (at, told)
    assert len(await floor.told(talk)) == 1


async def test_t27_no_clock_strikes_after_the_end(store):
    floor = _floor(store, "2026-11-26 10:00:00")
    li = await floor.agent("li")
    talk = await floor.waits("p")
    held = await floor.desk.take(li, talk, 1)
    await floor.desk.close(li, talk, held.epoch)
    ended = await floor.told(talk)
    for _ in range(50):
        floor.clock.wait(minutes=30)
        await floor.alive(li)
        assert await floor.desk.tick() == 0
    after = await floor.talk(talk)
    assert (after.owner, after.clock, after.due_at, after.waiting_since) == ("closed", "", None, None)
    assert await floor.told(talk) == ended


async def test_t27_the_next_answer_is_due_by_the_desks_time_and_shown_so(database, tmp_path):
    clock = Hand(_local("2026-11-26 11:58:30"))
    spans = [["08:30", "12:00"], ["13:30", "21:00"]]
    # The agent's browser does not beat in this test; he is not to be counted as gone.
    desk = {"hours": spans, "grace_seconds": 600}
    async with running(settings(database, tmp_path, desk=desk), clock=clock) as gateway:
        person = Person(gateway, clock)
        li = await staff(gateway)
        talk = await taken(gateway, person, li)
        await gateway.desk.reply(li.id, talk.conversation, talk.epoch, "您好，请讲", "e1")
        clock.now = _local("2026-11-26 11:59:00")
        await person.says("门牌号是88号")
        after = await talk_of(gateway, person)
        assert after.due_at is not None
        assert (after.clock, instant(after.due_at)) == ("silent", _local("2026-11-26 13:31:00"))


@pytest.mark.parametrize("event", [EventKind.CLICK, EventKind.VIEW, EventKind.SCAN, EventKind.OTHER])
async def test_t27_what_a_citizen_taps_starts_no_clock_of_the_agent(database, tmp_path, event):
    clock = Hand()
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        person = Person(gateway, clock)
        li = await staff(gateway)
        talk = await taken(gateway, person, li)
        await gateway.desk.reply(li.id, talk.conversation, talk.epoch, "您好，请讲", "e1")
        before = await talk_of(gateway, person)
        clock.wait(seconds=30)
        await _taps(person, event)
        assert await talk_of(gateway, person) == before
        assert (await gateway.desk.events(0))[-1].kind == "message"
        await person.says("门牌号是88号")
        assert (await talk_of(gateway, person)).clock == "silent"


async def test_t27_what_a_citizen_taps_does_not_open_again_what_is_being_wrapped_up(database, tmp_path):
    clock = Hand()
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        person = Person(gateway, clock)
        li = await staff(gateway)
        talk = await taken(gateway, person, li)
        await gateway.desk.wrap_up(li.id, talk.conversation, talk.epoch)
        before = await talk_of(gateway, person)
        await _taps(person, EventKind.VIEW)
        assert await talk_of(gateway, person) == before


@pytest.mark.parametrize(
    ("unit", "amount", "at", "due"),
    [
        pytest.param(Unit.WORKHOUR, 2, "2026-11-26 11:30", "2026-11-26 15:30", id="hours over noon"),
        pytest.param(Unit.WORKHOUR, 4, "2026-10-09 16:00", "2026-10-10 11:00", id="into a make-up Saturday"),
        pytest.param(
            Unit.WORKDAY, 1, "2026-10-09 16:00", "2026-10-10 17:30", id="a make-up Saturday is a day"
        ),
        pytest.param(Unit.WORKDAY, 1, "2026-09-30 16:00", "2026-10-08 17:30", id="over the National Day"),
        pytest.param(Unit.WORKDAY, 5, "2026-11-26 16:00", "2026-12-03 17:30", id="over a weekend"),
    ],
)
def test_t27_a_cases_limit_is_counted_in_the_spans_of_working_days(unit, amount, at, due):
    spans = ((time(8, 30), time(12)), (time(14), time(17, 30)))
    calendar = Calendar(spans, work=frozenset({date(2026, 10, 10)}))
    assert calendar.add(_local(f"{at}:00"), Limit(amount=amount, unit=unit)) == _local(f"{due}:00")


@pytest.mark.parametrize(
    ("stage", "asks"),
    [
        pytest.param(Stage.PROCESSING, True, id="in work"),
        pytest.param(Stage.REPLIED, False, id="answered"),
        pytest.param(Stage.CLOSED_PENDING, False, id="finished"),
        pytest.param(Stage.CLOSED, False, id="closed"),
    ],
)
def test_t27_a_cases_clock_ends_with_its_answer(stage, asks):
    profiles = load_profiles(None)
    calendar = Calendar.of(profiles.current)
    found = due_moves(a_case(stage), profiles.current, calendar, DUE + timedelta(hours=1))
    assert any(move.reason in {"已过办理时限的八成", "已超期"} for move in found) is asks


def test_t27_the_hours_of_the_settings_are_those_of_the_clocks():
    found = hours_of(DeskSettings(hours=DAY), CALENDAR)
    assert found is not None
    assert found.after(_local("2026-11-26 11:59:00"), timedelta(minutes=2)) == _local("2026-11-26 13:31:00")
    assert found.passed(_local("2026-11-26 11:59:00"), _local("2026-11-27 08:31:00")) == timedelta(
        hours=7, minutes=32
    )


def test_where_nobody_is_ever_there_time_is_only_time():
    never, at = Hours(CALENDAR, ()), _local("2026-11-26 11:59:00")
    assert never.after(at, timedelta(minutes=2)) == at + timedelta(minutes=2)
    assert never.passed(at, at + timedelta(days=1)) == timedelta()


def _floor(store, at: str, **rules: int) -> Floor:
    floor = Floor(store, hours=HOURS, **rules)
    floor.clock.now = _local(at) - timedelta(seconds=1)
    return floor


async def _taps(person: Person, event: EventKind) -> None:
    part = Part(PartKind.EVENT, event=event, key="https://tai.example/guide")
    await person.gateway.inbox.accept(replace(person.message(""), parts=(part,)))


async def _strikes_at(floor: Floor, agent: bytes, talk: bytes, at: datetime, clock: str) -> None:
    """The clock strikes at an instant and not a second before."""
    before = (await floor.talk(talk)).clock
    floor.clock.now = at - timedelta(seconds=1)
    await floor.alive(agent)
    assert await floor.desk.tick() == 0
    assert (await floor.talk(talk)).clock == before
    floor.clock.now = at
    await floor.alive(agent)
    assert await floor.desk.tick() == 1
    assert (await floor.talk(talk)).clock == clock


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)
