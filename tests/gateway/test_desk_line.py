"""What somebody who waits is told: his place, a band of minutes, the next opening, and little more than that."""

from datetime import date, datetime, time

import pytest

from bots.state import Flow, State, Step, dump, load
from gateway.calendar import ZONE, Calendar
from gateway.desk.hours import Hours
from gateway.desk.wait import band
from gateway.store.tables import CONVERSATION
from tests.kit.desk import Floor


@pytest.mark.parametrize(
    ("ahead", "accepted", "expected"),
    [
        pytest.param(0, 4, None, id="too few samples"),
        pytest.param(0, 15, (0, 3), id="the next one, one a minute"),
        pytest.param(2, 15, (3, 5), id="on an edge it is the longer one"),
        pytest.param(9, 15, (10, 20), id="ten minutes"),
        pytest.param(19, 5, (60, 0), id="just an hour and more"),
        pytest.param(500, 15, (60, 0), id="a very long line"),
    ],
)
def test_the_wait_is_a_band_and_below_five_samples_unknown(ahead, accepted, expected):
    assert band(ahead, accepted) == expected


DAY = ((time(8, 30), time(12)), (time(13, 30), time(21)))
SHORT = ((time(9), time(17)),)


@pytest.mark.parametrize(
    ("at", "holiday", "opens"),
    [
        pytest.param("2026-11-26 10:00", SHORT, "2026-11-26 10:00", id="within the hours"),
        pytest.param("2026-11-26 12:00", SHORT, "2026-11-26 13:30", id="over noon"),
        pytest.param("2026-11-26 21:00", SHORT, "2026-11-27 08:30", id="in the evening"),
        pytest.param("2026-11-27 23:00", SHORT, "2026-11-28 09:00", id="a Saturday opens later"),
        pytest.param("2026-11-27 23:00", (), "2026-11-30 08:30", id="a weekend that is closed"),
        pytest.param("2026-09-30 23:00", (), "2026-10-08 08:30", id="over the National Day"),
        pytest.param("2026-10-09 22:00", (), "2026-10-10 08:30", id="a Saturday that is worked instead"),
    ],
)
def test_t27_hours_keep_to_the_working_calendar_over_noon_holidays_and_make_up_days(at, holiday, opens):
    calendar = Calendar(((time(9), time(17)),), work=frozenset({date(2026, 10, 10)}))
    found = Hours(calendar, DAY, holiday).next(_local(at))
    assert found == _local(opens)


def test_who_is_never_there_opens_never():
    assert Hours(Calendar(DAY), (), ()).next(_local("2026-11-26 10:00")) is None


async def test_the_place_skips_who_left_and_the_real_number_of_agents_is_told(floor):
    await floor.agent("one")
    await floor.agent("off", here=False)
    await floor.waits("a")
    view = await floor.store.read(floor.line().view)
    assert (view(3).ahead, view(3).agents, view(3).wait, view(3).full) == (3, 1, None, False)


async def test_beyond_the_longest_queue_a_call_back_is_advised(store):
    floor = Floor(store, queue_limit=2)
    view = await floor.store.read(floor.line().view)
    assert not view(0).full
    for word in "ab":
        await floor.waits(word)
    assert (await floor.store.read(floor.line().view))(2).full


async def test_a_wait_is_told_when_its_band_changes_and_never_more_often(floor):
    agent, line = await _busy(floor, 15), floor.line()
    await _wait(floor, 8)
    last = await floor.waits("last")
    assert await line.tell() == 0
    assert await line.tell() == 0
    for n in range(5):
        talk = await floor.talk(_word(f"w{n}"))
        held = await floor.desk.take(agent, talk.conversation, talk.epoch)
        await floor.desk.close(agent, talk.conversation, held.epoch)
    assert await line.tell() >= 1
    said = [text for text, _, _ in await floor.told(last)]
    assert said == ["前面还有3人。预计等候3到5分钟。您的位置一直保留。"]
    assert await line.tell() == 0


async def test_who_waits_long_is_offered_a_call_back_once(floor):
    await _busy(floor, 0)
    talk = await floor.waits("li")
    floor.clock.wait(minutes=11)
    await floor.alive(_word("busy"))
    assert await floor.line().tell() == 1
    assert await floor.line().tell() == 0
    assert "2 请回电 3 留言" in (await floor.told(talk))[0][0]


@pytest.mark.parametrize(
    ("leave", "told"),
    [
        pytest.param({"window_left": 2}, 0, id="two left are the agent's"),
        pytest.param({"window_left": 3}, 1, id="one to spare"),
        pytest.param({"window_left": None}, 1, id="no count"),
        pytest.param({"window_until": 1, "window_left": 5}, 0, id="the leave is over"),
    ],
)
async def test_the_channels_leave_is_kept_for_the_agent(floor, leave, told):
    await _busy(floor, 0)
    talk = await floor.waits("li")
    floor.clock.wait(minutes=11)
    await floor.alive(_word("busy"))
    values = {"window_until": floor.now + 60_000} | leave
    change = CONVERSATION.update().where(CONVERSATION.c.id == talk).values(values)
    await floor.store.write(lambda c: c.execute(change) and None)
    assert await floor.line().tell() == told


async def test_who_waits_by_text_message_is_told_once_that_it_takes_long_and_nothing_else(floor):
    await _busy(floor, 15)
    await _wait(floor, 8)
    line = floor.line(pushes=False, texts=True)
    assert await line.tell() == 0
    floor.clock.wait(minutes=11)
    await floor.alive(_word("busy"))
    assert await line.tell() == 8
    assert await line.tell() == 0
    assert "2 请回电 3 留言" in (await floor.told(_word("w0")))[0][0]


@pytest.mark.parametrize(("flow", "told"), [(Flow.NONE, 1), (Flow.ORDER, 0), (Flow.CALLBACK, 0)])
async def test_the_choices_are_not_offered_while_a_digit_would_answer_another_question(floor, flow, told):
    await _busy(floor, 0)
    talk = await floor.waits("li")
    floor.clock.wait(minutes=11)
    await floor.alive(_word("busy"))
    state = floor.sealer.seal(dump(State(flow=flow)))
    change = CONVERSATION.update().where(CONVERSATION.c.id == talk).values(state=state)
    await floor.store.write(lambda c: c.execute(change) and None)
    assert await floor.line().tell() == told
    after = load(floor.sealer.open((await floor.talk(talk)).state))
    assert (after.flow, after.step) == (flow, Step.PICK if told else Step.NONE)


async def test_t32_who_waits_on_a_channel_nobody_looks_at_is_written_nothing(floor):
    await _busy(floor, 0)
    talk = await floor.waits("li")
    floor.clock.wait(minutes=30)
    await floor.alive(_word("busy"))
    assert await floor.line(pushes=False).tell() == 0
    assert await floor.told(talk) == []


async def _busy(floor: Floor, accepted: int) -> bytes:
    """An agent who takes by hand, and who took so many a moment ago."""
    agent = await floor.agent("busy", capacity=3)
    await floor.chose(agent, "busy")
    for n in range(accepted):
        talk = await floor.waits(f"p{n}")
        held = await floor.desk.take(agent, talk, 1)
        await floor.desk.close(agent, talk, held.epoch)
    return agent


async def _wait(floor: Floor, count: int) -> None:
    for n in range(count):
        await floor.waits(f"w{n}")


def _word(word: str) -> bytes:
    return word.encode().ljust(16, b".")


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture
def floor(store):
    return Floor(store)
