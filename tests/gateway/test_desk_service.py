"""The rating of a service: asked once when an agent's talk ends, and taken from the answer right after (T31)."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.desk.abuse import Ground, Ladder, Level
from gateway.desk.moves import Refused
from gateway.runtime import Ids
from gateway.store import desk as sql
from gateway.store import wall
from gateway.store.tables import OUTGOING, SERVICE_RATING
from tests.kit.desk import Floor
from tests.kit.staff import staff, taken, talk_of

ASKS = "请为这次服务评价"
ENDED = "本次人工服务已结束"


async def test_t31_the_digit_after_the_end_rates_the_service_once(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    await gateway.desk.close(li.id, talk.conversation, talk.epoch)
    assert [ASKS in text for text in await _ended(gateway, talk)] == [True]
    assert "感谢您的评价“满意”" in (await person.says("4") or "")
    # A later digit is the menu's, and the first word counts.
    await person.says("1")
    assert await _ratings(gateway.books.store) == [(li.id, 4)]
    events = [e for e in await gateway.desk.events(0) if e.kind == "rated"]
    assert [event.detail for event in events] == ["4"]
    assert 'jiesu_service_ratings_total{score="4"} 1.0' in gateway.metrics.text().decode()


async def test_t31_a_case_to_be_rated_and_a_service_are_told_apart(gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    await gateway.desk.close(li.id, talk.conversation, talk.epoch)
    done = await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    assert "请核对" in (done or "")
    assert "单号" in (await person.says("1") or "")
    assert await _ratings(gateway.books.store) == [(li.id, None)]


async def test_t31_two_processes_that_end_a_talk_at_once_ask_once(floor):
    """Two desks that share nothing but the database, one of them the clock's."""
    li = await floor.agent("li")
    other = floor.another()
    for n in range(5):
        conversation = await floor.waits(f"p{n}")
        held = await floor.desk.take(li, conversation, 1)
        ends = [desk.close(li, conversation, held.epoch) for desk in (floor.desk, other, floor.desk, other)]
        done = await asyncio.gather(*ends, return_exceptions=True)
        assert sorted(isinstance(each, Refused) for each in done) == [False, True, True, True]
        assert [ASKS in text for text, _, _ in await floor.told(conversation)].count(True) == 1


async def test_t31_a_wrap_up_that_ends_by_hand_and_by_the_clock_asks_once(floor):
    li = await floor.agent("li")
    conversation = await floor.waits("p")
    held = await floor.desk.take(li, conversation, 1)
    held = await floor.desk.wrap_up(li, conversation, held.epoch)
    assert not await _asked(floor, conversation)
    floor.clock.wait(seconds=61)
    await floor.alive(li)
    await asyncio.gather(floor.desk.tick(), floor.another().tick())
    with pytest.raises(Refused):
        await floor.desk.close(li, conversation, held.epoch)
    await floor.another().tick()
    assert await _asked(floor, conversation) == 1


async def test_t31_the_store_itself_asks_no_second_time_for_one_service(floor):
    """Whatever path led to it: the key is the talk and when the citizen came into the queue."""
    li = await floor.agent("li")
    conversation = await floor.waits("p")
    await floor.desk.take(li, conversation, 1)
    talk = await floor.talk(conversation)
    assert await floor.store.write(lambda c: sql.ask(c, talk, floor.now))
    assert not await floor.store.write(lambda c: sql.ask(c, talk, floor.now + 1))
    await floor.desk.close(li, conversation, talk.epoch)
    assert await _asked(floor, conversation) == 0
    assert [ENDED in text for text, _, _ in await floor.told(conversation)].count(True) == 1


async def test_t31_who_is_served_again_is_asked_again(gateway, person):
    li = await staff(gateway)
    for score in (5, 2):
        talk = await taken(gateway, person, li)
        await gateway.desk.close(li.id, talk.conversation, talk.epoch)
        await person.says(str(score))
    assert sorted(await _ratings(gateway.books.store)) == [(li.id, 2), (li.id, 5)]


async def test_t31_a_transfer_is_one_service_and_asked_for_at_its_end(floor):
    li, wang = await floor.agent("li"), await floor.agent("wang")
    conversation = await floor.waits("p")
    held = await floor.desk.take(li, conversation, 1)
    held = await floor.desk.transfer(li, conversation, held.epoch, to_agent=wang)
    assert await _asked(floor, conversation) == 0
    held = await floor.desk.take(wang, conversation, held.epoch)
    await floor.desk.close(wang, conversation, held.epoch)
    assert await _asked(floor, conversation) == 1
    assert await _ratings(floor.store) == [(wang, None)]


async def test_t31_whose_agent_was_lost_waits_and_is_not_asked(floor):
    li = await floor.agent("li")
    conversation = await floor.waits("p")
    await floor.desk.take(li, conversation, 1)
    floor.clock.wait(seconds=200)
    await floor.desk.tick()
    assert (await floor.talk(conversation)).owner == "queued"
    assert (await _asked(floor, conversation), await _ratings(floor.store)) == (0, [])


async def test_t31_who_goes_back_to_the_bot_is_asked_what_he_wants_and_nothing_else(floor):
    li = await floor.agent("li")
    conversation = await floor.waits("p")
    held = await floor.desk.take(li, conversation, 1)
    await floor.desk.give_back(li, conversation, held.epoch)
    assert await _asked(floor, conversation) == 0


async def test_t30_and_t31_who_was_marked_in_this_service_is_not_asked(gateway, person, ladder):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    await ladder.mark(li, talk.conversation, Level.NOTICE, Ground.INSULT)
    await gateway.desk.close(li.id, talk.conversation, talk.epoch)
    assert [ASKS in text for text in await _ended(gateway, talk)] == [False]
    assert await _ratings(gateway.books.store) == []


async def test_t30_and_t31_who_is_restricted_is_not_asked(gateway, person, ladder, clock):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    await gateway.desk.close(li.id, talk.conversation, talk.epoch)
    await ladder.mark(li, talk.conversation, Level.NOTICE, Ground.INSULT)
    await ladder.mark(li, talk.conversation, Level.BOT_ONLY, Ground.INSULT, hours=2)
    clock.wait(seconds=1)
    # Words of danger lead to a person through the restriction.
    await person.says("我家着火了快来人")
    waiting = await talk_of(gateway, person)
    held = await gateway.desk.take(li.id, waiting.conversation, waiting.epoch)
    await gateway.desk.close(li.id, waiting.conversation, held.epoch)
    assert [ASKS in text for text in await _ended(gateway, talk)] == [True, False]


async def test_the_wall_counts_who_is_satisfied_and_leaves_out_who_said_nothing(floor):
    li = await floor.agent("li", capacity=9)
    for n, score in enumerate((5, 3, 2, None)):
        conversation = await floor.waits(f"p{n}")
        held = await floor.desk.take(li, conversation, 1)
        await floor.desk.close(li, conversation, held.epoch)
        rated = SERVICE_RATING.c.conversation == conversation
        change = SERVICE_RATING.update().where(rated).values(score=score)
        await floor.store.write(lambda c, change=change: c.execute(change) and None)
    assert await floor.store.read(lambda c: wall.service(c, 0)) == wall.Service(4, 3, 2)
    assert await floor.store.read(lambda c: wall.service(c, floor.now + 1)) == wall.Service(0, 0, 0)


async def _asked(floor: Floor, conversation: bytes) -> int:
    return sum(ASKS in text for text, _, _ in await floor.told(conversation))


async def _ratings(store) -> list[tuple[bytes, int | None]]:
    query = select(SERVICE_RATING.c.agent, SERVICE_RATING.c.score)
    return [tuple(row) for row in await store.read(lambda c: c.execute(query).all())]


async def _ended(gateway, talk) -> list[str]:
    """What was written to a citizen at the end of his services."""
    query = (
        select(OUTGOING.c.body).where(OUTGOING.c.conversation == talk.conversation).order_by(OUTGOING.c.id)
    )
    bodies = await gateway.books.store.read(lambda c: c.execute(query).scalars().all())
    texts = [gateway.books.sealer.open(body).decode() for body in bodies]
    return [text for text in texts if ENDED in text]


@pytest.fixture
def floor(store) -> Floor:
    return Floor(store)


@pytest.fixture
def ladder(gateway, clock) -> Ladder:
    books = gateway.books
    return Ladder(books.store, books.sealer, books.cases, Ids(), clock, lambda: None)
