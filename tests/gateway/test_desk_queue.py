"""The handoff queue: nobody is lost, doubled or stranded. The ids are those of desk-and-open311.md 3.6."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from gateway.desk.desk import Desk
from gateway.desk.moves import Refused, Why
from tests.kit.desk import Floor

RACES = int(os.environ.get("JIESU_TEST_CLAIMS", "40"))


async def test_t01_of_two_who_take_at_once_exactly_one_wins_and_the_other_sees_who(floor):
    one, two = await floor.agent("one"), await floor.agent("two")
    talk = await floor.waits("li")
    done = await asyncio.gather(
        *(floor.desk.take(agent, talk, 1) for agent in (one, two)), return_exceptions=True
    )
    won = [each for each in done if not isinstance(each, Refused)]
    lost = [each for each in done if isinstance(each, Refused)]
    assert len(won) == 1
    assert [(each.why, each.holder) for each in lost] == [(Why.TAKEN, won[0].agent)]
    assert (await floor.talk(talk)).agent == won[0].agent


async def test_t02_routers_that_run_at_once_overshoot_nobodys_capacity(floor):
    agents = [await floor.agent(f"a{n}", capacity=2) for n in range(3)]
    for n in range(RACES):
        await floor.waits(f"c{n}")
    await asyncio.gather(*(floor.another().route() for _ in range(4)))
    assert [await floor.load(agent) for agent in agents] == [10, 10, 10]
    assert await floor.broken() == []
    assert (await floor.kinds()).count("offered") == 6


async def test_t02_who_takes_many_at_once_holds_no_more_than_he_may(floor):
    """Different talks for one agent: the lock of the talk keeps nobody from it, only the agent's does."""
    agent = await floor.agent("one", capacity=2)
    talks = [await floor.waits(f"c{n}") for n in range(12)]
    desks = [floor.another() for _ in range(4)]
    takes = (desks[n % 4].take(agent, talk, 1) for n, talk in enumerate(talks))
    done = await asyncio.gather(*takes, *(desk.route() for desk in desks), return_exceptions=True)
    assert {each.why for each in done if isinstance(each, Refused)} <= {
        Why.FULL,
        Why.TAKEN,
        Why.STALE,
        Why.STATE,
    }
    assert await floor.load(agent) == 10
    assert await floor.broken() == []


async def test_t03_the_oldest_gets_the_place_that_a_close_frees(floor):
    agent = await floor.agent("one", capacity=1)
    first, second, third = [await floor.waits(word) for word in ("first", "second", "third")]
    held = await floor.desk.take(agent, first, 1)
    assert await floor.desk.route() == 0
    await floor.desk.close(agent, first, held.epoch)
    assert await floor.desk.route() == 1
    assert (await floor.talk(second)).agent == agent
    assert (await floor.talk(third)).owner == "queued"


async def test_t04_who_came_when_nobody_was_there_is_given_to_the_first_who_comes(floor):
    talk = await floor.waits("li")
    assert await floor.desk.route() == 0
    agent = await floor.agent("late")
    assert await floor.desk.route() == 1
    assert (await floor.talk(talk)).agent == agent


async def test_t04_who_comes_wakes_the_router_and_who_merely_stays_does_not(floor):
    agent = await floor.agent("one", here=False)
    await floor.waits("li")
    before = floor.woken
    await floor.alive(agent)
    assert floor.woken == before + 1
    await floor.alive(agent)
    assert floor.woken == before + 1


@pytest.mark.parametrize("act", ["close", "give_back", "wrap_up", "transfer", "hold", "online"])
async def test_t03_whatever_frees_a_place_wakes_the_router(floor, act):
    agent = await floor.agent("one", capacity=1)
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    before = floor.woken
    if act == "hold":
        await floor.desk.hold(agent, talk, held.epoch, held=True)
    elif act == "online":
        await floor.chose(agent, "online")
    else:
        await getattr(floor.desk, act)(agent, talk, held.epoch)
    assert floor.woken == before + 1


async def test_t05_a_returning_citizen_is_not_kept_for_an_agent_who_is_gone(floor):
    old, other = await floor.agent("old"), await floor.agent("other")
    talk = await floor.waits("li")
    held = await floor.desk.take(old, talk, 1)
    await floor.desk.transfer(old, talk, held.epoch)
    await floor.desk.leave(old, "tab")
    await floor.desk.route()
    assert (await floor.talk(talk)).agent == other


@pytest.mark.parametrize("state", ["away", "busy", "offline"])
async def test_t06_who_is_not_online_is_given_nothing_and_takes_only_while_he_is_there(floor, state):
    agent = await floor.agent("one", here=state != "offline")
    if state != "offline":
        await floor.chose(agent, state)
    talk = await floor.waits("li")
    assert await floor.desk.route() == 0
    if state == "busy":
        await floor.desk.take(agent, talk, 1)
        return
    with pytest.raises(Refused) as refused:
        await floor.desk.take(agent, talk, 1)
    assert refused.value.why is Why.AWAY


@pytest.mark.parametrize("values", [{"disabled": True}, {"role": "auditor"}, {"role": "unit"}])
async def test_t07_who_may_not_reply_is_given_nothing_and_takes_nothing(floor, values):
    agent = await floor.agent("one")
    await floor.change(agent, **values)
    talk = await floor.waits("li")
    assert await floor.desk.route() == 0
    with pytest.raises(Refused) as refused:
        await floor.desk.take(agent, talk, 1)
    assert refused.value.why is Why.RIGHT


async def test_t07_who_is_disabled_stands_in_nobodys_way(floor):
    gone, here = await floor.agent("a"), await floor.agent("b")
    await floor.change(gone, disabled=True)
    talk = await floor.waits("li")
    assert await floor.desk.route() == 1
    assert (await floor.talk(talk)).agent == here


async def test_t08_the_router_never_overwrites_what_a_person_took(floor):
    one, _ = await floor.agent("one"), await floor.agent("two")
    talk = await floor.waits("li")
    done = await asyncio.gather(floor.desk.route(), floor.desk.take(one, talk, 1), return_exceptions=True)
    after = await floor.talk(talk)
    assert after.epoch == 2
    assert (after.owner == "agent") == (not isinstance(done[1], Refused))
    assert await floor.desk.route() == 0


async def test_t09_what_was_closed_is_given_to_nobody(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    await floor.desk.close(agent, talk, held.epoch)
    assert await floor.desk.route() == 0
    assert (await floor.talk(talk)).owner == "closed"


async def test_t10_an_agent_who_never_answers_loses_the_talk_to_another(floor):
    one, two = await floor.agent("one"), await floor.agent("two")
    talk = await floor.waits("li")
    await floor.desk.take(one, talk, 1)
    for _ in range(20):
        await floor.alive(one, two)
        await floor.desk.tick()
        floor.clock.wait(seconds=30)
    await floor.alive(one, two)
    await floor.desk.route()
    assert (await floor.talk(talk)).agent == two
    texts = [text for text, _, _ in await floor.told(talk)]
    assert [text[:6] for text in texts] == ["座席one号", "工作人员正在", "正在为您转接"]


async def test_t11_and_t12_a_transfer_frees_the_seat_and_ends_the_clock_of_the_first(floor):
    one, two = await floor.agent("one"), await floor.agent("two")
    talk = await floor.waits("li")
    held = await floor.desk.take(one, talk, 1)
    floor.clock.wait(seconds=50)
    held = await floor.desk.transfer(one, talk, held.epoch, to_agent=two, note="催办两次")
    assert await floor.load(one) == 0
    await floor.desk.route()
    moved = await floor.talk(talk)
    assert (moved.agent, moved.owner, moved.epoch) == (two, "offered", held.epoch + 1)
    await floor.desk.accept(two, talk, moved.epoch)
    # The first one's clock would have struck after 70 of these.
    for _ in range(2):
        floor.clock.wait(seconds=59)
        await floor.alive(one, two)
        assert await floor.desk.tick() == 0


async def test_t12_the_clock_of_the_first_strikes_for_nobody_while_the_talk_waits_for_another(floor):
    one = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(one, talk, 1)
    held = await floor.desk.transfer(one, talk, held.epoch)
    for _ in range(6):
        floor.clock.wait(seconds=121)
        await floor.alive(one)
        assert await floor.desk.tick() == 0
    assert (await floor.talk(talk)).epoch == held.epoch
    assert [text[:4] for text, _, _ in await floor.told(talk)] == ["座席on", "正在为您"]


async def test_t14_who_was_declined_by_all_is_still_in_the_queue_and_can_be_taken(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    await floor.desk.route()
    offered = await floor.talk(talk)
    back = await floor.desk.decline(agent, talk, offered.epoch)
    assert await floor.desk.route() == 0
    assert (await floor.talk(talk)).enqueued_at == offered.enqueued_at
    assert await floor.broken() == []
    await floor.desk.take(agent, talk, back.epoch)
    assert await floor.broken() == []


async def test_t14_who_was_declined_is_offered_again_after_a_while(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    await floor.desk.route()
    await floor.desk.decline(agent, talk, 2)
    floor.clock.wait(seconds=61)
    await floor.alive(agent)
    await floor.desk.tick()
    assert await floor.desk.route() == 1


async def test_an_offer_that_nobody_accepts_returns_to_its_place(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    await floor.desk.route()
    floor.clock.wait(seconds=16)
    assert await floor.desk.tick() == 1
    after = await floor.talk(talk)
    assert (after.owner, after.refused) == ("queued", agent)
    assert after.rank is not None
    assert after.rank <= (after.enqueued_at or 0)


async def test_t16_what_a_former_owner_wrote_is_not_sent(floor):
    one, boss = await floor.agent("one"), await floor.agent("boss", role="supervisor")
    talk = await floor.waits("li")
    held = await floor.desk.take(one, talk, 1)
    await floor.desk.reply(one, talk, held.epoch, "迟到的话", "e1")
    await floor.desk.take_over(boss, talk, held.epoch)
    floor.clock.wait(seconds=11)
    assert await floor.sends() == ["座席boss号正在为您服务。"]
    assert [state for text, state, _ in await floor.told(talk) if text == "迟到的话"] == ["stale"]
    with pytest.raises(Refused) as refused:
        await floor.desk.reply(one, talk, held.epoch, "再说一句", "e2")
    assert (refused.value.why, refused.value.holder) == (Why.TAKEN, boss)


async def test_t16_who_took_a_talk_over_and_ends_it_lets_out_his_own_words_alone(floor):
    one, boss = await floor.agent("one"), await floor.agent("boss", role="supervisor")
    talk = await floor.waits("li")
    held = await floor.desk.take(one, talk, 1)
    await floor.desk.reply(one, talk, held.epoch, "迟到的话", "e1")
    held = await floor.desk.take_over(boss, talk, held.epoch)
    await floor.desk.reply(boss, talk, held.epoch, "由我来办", "e2")
    await floor.desk.close(boss, talk, held.epoch)
    floor.clock.wait(seconds=11)
    assert [words[:4] for words in await floor.sends()] == ["由我来办", "本次人工"]


async def test_what_an_agent_wrote_last_is_sent_though_the_talk_is_closed_at_once(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    await floor.desk.reply(agent, talk, held.epoch, "再见", "e1")
    await floor.desk.close(agent, talk, held.epoch)
    assert [text[:2] for text in await floor.sends()] == ["再见", "本次"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_close_finds_the_last_words_by_their_talk_and_does_not_read_all_that_is_owed(floor):
    asked: list[tuple[str, Any]] = []
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    with _listening(lambda statement, values: asked.append((statement, values))):
        await floor.desk.close(agent, talk, held.epoch)
    [(statement, values)] = [each for each in asked if each[0].startswith("UPDATE outgoing")]
    plan = await floor.store.read(
        lambda c: [row[3] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    )
    assert plan == ["SEARCH outgoing USING INDEX ix_outgoing_unsettled (conversation=?)"]


async def test_what_an_agent_wrote_before_he_passed_a_talk_on_is_sent_though_another_has_it_first(floor):
    one, two = await floor.agent("one"), await floor.agent("two")
    talk = await floor.waits("li")
    held = await floor.desk.take(one, talk, 1)
    await floor.desk.reply(one, talk, held.epoch, "我请同事来办", "e1")
    await floor.desk.transfer(one, talk, held.epoch, to_agent=two)
    await floor.desk.route()
    await floor.desk.accept(two, talk, (await floor.talk(talk)).epoch)
    await floor.sends()
    states = {text: state for text, state, notice in await floor.told(talk) if notice == "agent"}
    assert states == {"我请同事来办": "sent"}


async def test_t18_after_the_return_the_bot_answers_again(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    back = await floor.desk.give_back(agent, talk, held.epoch)
    after = await floor.talk(talk)
    assert (after.owner, after.epoch, after.enqueued_at, after.due_at) == ("bot", back.epoch, None, None)


async def test_t22_a_double_click_is_one_reply(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    done = await asyncio.gather(*(floor.desk.reply(agent, talk, held.epoch, "好的", "e1") for _ in range(3)))
    assert len({each.row for each in done}) == 1
    assert [text for text, _, notice in await floor.told(talk) if notice == "agent"] == ["好的"]


async def test_a_reply_can_be_taken_back_for_ten_seconds(floor):
    agent = await floor.agent("one")
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    written = await floor.desk.reply(agent, talk, held.epoch, "写错了", "e1")
    await floor.desk.undo(agent, talk, held.epoch, written.row)
    assert ("写错了", "buried", "agent") in await floor.told(talk)
    late = await floor.desk.reply(agent, talk, held.epoch, "对了", "e2")
    floor.clock.wait(seconds=10)
    with pytest.raises(Refused):
        await floor.desk.undo(agent, talk, held.epoch, late.row)


async def test_a_lost_agents_talks_return_to_their_places_after_the_grace(floor):
    one = await floor.agent("one")
    first = await floor.waits("first")
    await floor.desk.take(one, first, 1)
    later = await floor.waits("later")
    floor.clock.wait(seconds=90)
    assert await floor.desk.tick() == 0
    floor.clock.wait(seconds=60)
    assert await floor.desk.tick() == 1
    two = await floor.agent("two", capacity=1)
    await floor.desk.route()
    assert (await floor.talk(first)).agent == two
    assert (await floor.talk(later)).owner == "queued"
    assert [text for text, _, _ in await floor.told(first)].count(
        "正在为您转接其他座席，您不用重复说明，请稍等。"
    ) == 1


async def test_t35_a_router_that_dies_between_two_claims_loses_nobody(floor):
    agents = [await floor.agent(f"a{n}", capacity=5) for n in range(2)]
    for n in range(8):
        await floor.waits(f"c{n}")

    async def dying(desk: Desk) -> None:
        async with asyncio.timeout(0.005):
            await desk.route()

    for _ in range(20):
        try:
            await dying(floor.another())
        except TimeoutError:
            continue
    await floor.desk.route()
    assert await floor.broken() == []
    assert sum([await floor.load(agent) for agent in agents]) == 40


async def test_skills_come_first_and_are_relaxed_after_a_while(floor):
    plain = await floor.agent("plain")
    talk = await floor.waits("kim", skill="ko")
    assert await floor.desk.route() == 0
    floor.clock.wait(seconds=120)
    await floor.alive(plain)
    assert await floor.desk.route() == 1
    assert (await floor.talk(talk)).agent == plain


async def test_an_urgent_matter_is_served_before_those_who_wait_longer(floor):
    await floor.waits("first")
    urgent = await floor.waits("fire", urgent=True)
    agent = await floor.agent("one", capacity=1)
    await floor.desk.route()
    assert (await floor.talk(urgent)).agent == agent


async def test_what_is_on_hold_weighs_nothing_and_five_mails_weigh_a_chat(floor):
    agent = await floor.agent("one", capacity=1)
    talk = await floor.waits("li")
    held = await floor.desk.take(agent, talk, 1)
    await floor.desk.hold(agent, talk, held.epoch, held=True)
    assert await floor.load(agent) == 0
    for n in range(6):
        await floor.waits(f"mail{n}", weight=1)
    assert await floor.desk.route() == 5


async def test_events_have_no_hole_and_come_in_the_order_of_their_ids(floor):
    agents = [await floor.agent(f"a{n}", capacity=9) for n in range(3)]
    talks = [await floor.waits(f"c{n}") for n in range(12)]
    seen = []

    async def follow() -> None:
        while len(seen) < 24:
            seen.extend([event.id for event in await floor.desk.events(seen[-1] if seen else 0)])

    takes = (floor.desk.take(agents[n % 3], talk, 1) for n, talk in enumerate(talks))
    async with asyncio.timeout(30):
        await asyncio.gather(follow(), *takes)
    assert seen == list(range(1, 25))


@contextmanager
def _listening(hear: Callable[[str, Any], None]) -> Iterator[None]:
    """Hear every statement that is sent to a database inside the block."""

    def heard(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        hear(statement, values)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


@pytest.fixture
def floor(store):
    return Floor(store)
