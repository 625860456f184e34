"""T27: clocks that run on when the hours of the desk or its calendar change are set anew from their beginning."""

from datetime import date, datetime, time, timedelta

import pytest

from gateway.calendar import ZONE, Calendar
from gateway.desk import clocks
from gateway.desk.hours import Hours
from gateway.desk.routing import Rules
from gateway.desk.rules import mark_of
from gateway.desk_settings import DeskSettings
from gateway.runtime import instant, millis
from gateway.store.rows import DeskEventRow, HeardRow, Rows
from tests.kit.desk import Floor
from tests.kit.gateway import Hand, Person, running, settings
from tests.kit.staff import staff, taken, talk_of

DAY = ((time(8, 30), time(21)),)
CALENDAR = Calendar(DAY)
NEW = Rules(hours=Hours(CALENDAR, DAY))


async def test_who_was_silent_when_hours_are_set_is_silent_again_in_the_morning(store):
    floor, li, talk = await _taken(store, "2026-11-26 20:59:00")
    await _is_due(floor, talk, "2026-11-26 21:01:00")
    assert await _reset(floor, "2026-11-26 21:00:30") == 1
    await _is_due(floor, talk, "2026-11-27 08:31:00")
    await _nothing_strikes_before(floor, li, talk, "2026-11-27 08:31:00")


async def test_an_overdue_talk_is_not_taken_away_at_night(store):
    floor, li, talk = await _taken(store, "2026-11-26 20:56:00")
    await _ticks(floor, li, "2026-11-26 20:58:00")
    assert (await floor.talk(talk)).clock == "overdue"
    assert await _reset(floor, "2026-11-26 21:30:00") == 1
    # Six minutes more, of which two are left of the evening.
    await _is_due(floor, talk, "2026-11-27 08:34:00")
    await _nothing_strikes_before(floor, li, talk, "2026-11-27 08:34:00")
    assert (await floor.talk(talk)).owner == "queued"


async def test_an_idle_citizen_is_neither_reminded_nor_left_at_night(store):
    floor, li, talk = await _taken(store, "2026-11-26 20:50:00")
    floor.clock.now = _local("2026-11-26 20:55:00")
    await floor.alive(li)
    await floor.desk.reply(li, talk, (await floor.talk(talk)).epoch, "请问门牌号是多少？", "e1")
    assert await _reset(floor, "2026-11-26 21:02:00") == 1
    await _is_due(floor, talk, "2026-11-27 08:35:00")


async def test_a_talk_that_was_to_be_closed_is_not_closed_at_night(store):
    floor, li, talk = await _taken(store, "2026-11-26 22:30:00")
    floor.clock.now = _local("2026-11-26 22:31:00")
    await floor.desk.reply(li, talk, (await floor.talk(talk)).epoch, "请问门牌号是多少？", "e1")
    await _ticks(floor, li, "2026-11-26 22:41:00")
    assert (await floor.talk(talk)).clock == "closing"
    assert await _reset(floor, "2026-11-26 22:43:00") == 1
    await _is_due(floor, talk, "2026-11-27 08:35:00")
    await _nothing_strikes_before(floor, li, talk, "2026-11-27 08:35:00")


async def test_what_a_citizen_says_after_an_answer_begins_the_clock(store):
    floor, li, talk = await _taken(store, "2026-11-26 20:50:00")
    floor.clock.now = _local("2026-11-26 20:55:00")
    await floor.desk.reply(li, talk, (await floor.talk(talk)).epoch, "请问门牌号是多少？", "e1")
    await _says(floor, talk, "2026-11-26 20:59:00")
    await _is_due(floor, talk, "2026-11-26 21:01:00")
    assert await _reset(floor, "2026-11-26 21:00:30") == 1
    await _is_due(floor, talk, "2026-11-27 08:31:00")


async def test_what_a_citizen_says_to_an_agent_who_is_overdue_begins_it_anew(store):
    floor, li, talk = await _taken(store, "2026-11-26 20:56:00")
    await _ticks(floor, li, "2026-11-26 20:58:00")
    await _says(floor, talk, "2026-11-26 20:59:30")
    assert (await floor.talk(talk)).clock == "silent"
    assert await _reset(floor, "2026-11-26 21:00:30") == 1
    await _is_due(floor, talk, "2026-11-27 08:31:30")


async def test_an_offer_runs_by_the_new_span_and_who_is_late_has_the_grace(store):
    floor = Floor(store, offer_ms=600_000)
    floor.clock.now = _local("2026-11-26 10:00:00")
    await floor.agent("li")
    talk = await floor.waits("p")
    await floor.desk.route()
    assert (await floor.talk(talk)).clock == "offer"
    assert await _reset(floor, "2026-11-26 10:01:00") == 1
    await _is_due(floor, talk, "2026-11-26 10:02:00")


@pytest.mark.parametrize("clock", ["silent", "overdue", "idle", "closing", "offer", "wrap_up", "again"])
async def test_under_the_rules_that_set_it_a_clock_strikes_as_before(store, clock):
    """The log holds the beginning of every clock: set anew by the same rules none moves."""
    floor = Floor(store, hours=NEW.hours)
    floor.clock.now = _local("2026-11-26 10:00:00")
    li, talk = await floor.agent("li"), await floor.waits("p")
    await _until(floor, li, talk, clock)
    before = await floor.talk(talk)
    assert before.clock == clock
    assert await clocks.reset(store, NEW, "new", floor.now) == 0
    assert await floor.talk(talk) == before


async def test_nothing_is_set_anew_where_nothing_was_changed(store):
    floor, _, talk = await _taken(store, "2026-11-26 20:59:00")
    assert await clocks.reset(store, Rules(), "same", floor.now) == 0
    assert await clocks.reset(store, NEW, "same", floor.now) == 0
    await _is_due(floor, talk, "2026-11-26 21:01:00")


def test_the_mark_is_another_for_other_hours_another_span_and_another_calendar():
    others = [
        (DeskSettings(hours=DAY), CALENDAR),
        (DeskSettings(holiday_hours=DAY), CALENDAR),
        (DeskSettings(silent_seconds=60), CALENDAR),
        (DeskSettings(), Calendar(DAY, off=frozenset({date(2026, 11, 27)}))),
        (DeskSettings(), Calendar(DAY, work=frozenset({date(2026, 11, 28)}))),
    ]
    marks = {mark_of(*each) for each in [(DeskSettings(), CALENDAR), *others]}
    assert len(marks) == 6
    assert mark_of(DeskSettings(queue_limit=7), CALENDAR) == mark_of(DeskSettings(), CALENDAR)


async def test_a_gateway_that_starts_with_other_hours_closes_nothing_at_night(database, tmp_path):
    clock = Hand(_local("2026-11-26 20:59:00"))
    async with running(settings(database, tmp_path), clock=clock) as gateway:
        person = Person(gateway, clock)
        li = await staff(gateway)
        await taken(gateway, person, li)
        before = await talk_of(gateway, person)
    clock.now = _local("2026-11-26 21:00:30")
    desk = {"hours": [["08:30", "21:00"]]}
    async with running(settings(database, tmp_path, desk=desk), clock=clock) as gateway:
        person.gateway = gateway
        after = await talk_of(gateway, person)
        left = timedelta(minutes=2) - (_local("2026-11-26 21:00:00") - instant(before.due_at - 120_000))
        assert instant(after.due_at) == _local("2026-11-27 08:30:00") + left
        assert after == before._replace(due_at=after.due_at)


async def _taken(store, at: str) -> tuple[Floor, bytes, bytes]:
    """A talk that was taken while the desk had no hours."""
    floor = Floor(store)
    floor.clock.now = _local(at) - timedelta(seconds=1)
    li, talk = await floor.agent("li"), await floor.waits("p")
    await floor.desk.take(li, talk, 1)
    return floor, li, talk


async def _until(floor: Floor, li: bytes, talk: bytes, clock: str) -> None:
    """Let things go their way until a clock runs."""
    if clock in {"offer", "again"}:
        await floor.desk.route()
        if clock == "again":
            floor.clock.wait(seconds=3)
            await floor.desk.decline(li, talk, (await floor.talk(talk)).epoch)
        return
    held = await floor.desk.take(li, talk, 1)
    if clock == "overdue":
        await _ticks(floor, li, "2026-11-26 10:02:01")
    if clock == "wrap_up":
        await floor.desk.wrap_up(li, talk, held.epoch)
    if clock in {"idle", "closing"}:
        await floor.desk.reply(li, talk, held.epoch, "您好", "e1")
    if clock == "closing":
        await _ticks(floor, li, "2026-11-26 10:10:01")


async def _reset(floor: Floor, at: str) -> int:
    floor.clock.now = _local(at)
    floor.desk = floor.another(hours=NEW.hours)
    return await clocks.reset(floor.store, NEW, "new", floor.now)


async def _ticks(floor: Floor, li: bytes, at: str) -> None:
    floor.clock.now = _local(at)
    await floor.alive(li)
    assert await floor.desk.tick() == 1


async def _nothing_strikes_before(floor: Floor, li: bytes, talk: bytes, at: str) -> None:
    before = await floor.talk(talk)
    floor.clock.now = _local(at) - timedelta(seconds=1)
    await floor.alive(li)
    assert await floor.desk.tick() == 0
    assert await floor.talk(talk) == before
    await _ticks(floor, li, at)


async def _says(floor: Floor, talk: bytes, at: str) -> None:
    """Say something as the pipeline writes it."""
    now = millis(_local(at))
    rows = Rows(
        heard=[HeardRow(talk, now, now + 120_000)], desk=[DeskEventRow(now, talk, "message", "agent", 2)]
    )
    async with floor.store.batch() as batch:
        await batch.write(rows)


async def _is_due(floor: Floor, talk: bytes, at: str) -> None:
    due = (await floor.talk(talk)).due_at
    assert due is not None
    assert instant(due) == _local(at)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)
