"""The handoff queue under two processes on one database. The ids are those of desk-and-open311.md 3.6."""

import asyncio

import pytest

from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Role
from tests.conftest import open_any
from tests.kit.agent import PASSWORD, Agent
from tests.kit.desk import Floor
from tests.kit.hall import opened
from tests.kit.routers import routing

TALKS = 24
ROUNDS = 5
pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


async def test_t01_two_who_take_at_two_processes_are_one_holder_every_time(floor, there):
    one, two = await floor.agent("one", capacity=TALKS), await floor.agent("two", capacity=TALKS)
    for talk in [await floor.waits(f"c{n}") for n in range(TALKS)]:
        done = await asyncio.gather(
            floor.desk.take(one, talk, 1), there.take(two, talk, 1), return_exceptions=True
        )
        [won] = [each for each in done if not isinstance(each, Refused)]
        [lost] = [each for each in done if isinstance(each, Refused)]
        assert (lost.why, lost.holder) == (Why.TAKEN, won.agent)
    assert await floor.load(one) + await floor.load(two) == 5 * TALKS
    assert await floor.broken() == []


async def test_t02_routers_and_takers_at_two_processes_overshoot_nobodys_capacity(floor, there):
    agents = [await floor.agent(f"a{n}", capacity=2) for n in range(3)]
    talks = [await floor.waits(f"c{n}") for n in range(TALKS)]
    takes = [desk.take(agents[0], talks[-n], 1) for n in range(1, 6) for desk in (floor.desk, there)]
    await asyncio.gather(floor.desk.route(), there.route(), *takes, return_exceptions=True)
    await asyncio.gather(floor.desk.route(), there.route())
    assert [await floor.load(agent) for agent in agents] == [10, 10, 10]
    assert await floor.broken() == []


async def test_t08_the_router_of_one_process_never_overwrites_what_was_taken_at_the_other(floor, there):
    one = await floor.agent("one", capacity=TALKS)
    for n in range(ROUNDS):
        two = await floor.agent(f"two{n}", capacity=1)
        talk = await floor.waits(f"c{n}")
        _, taken = await asyncio.gather(there.route(), floor.desk.take(one, talk, 1), return_exceptions=True)
        after = await floor.talk(talk)
        routed = isinstance(taken, Refused)
        assert (after.epoch, after.owner) == (2, "offered" if routed else "agent")
        assert routed or after.agent == one
        await floor.change(two, disabled=True)
    changes = [event.conversation for event in await floor.desk.events(0) if event.kind in _GIVEN]
    assert len(changes) == len(set(changes)) == ROUNDS


async def test_t12_a_transfer_at_one_process_ends_the_clock_that_the_other_one_strikes(floor, there):
    one, two = await floor.agent("one"), await floor.agent("two")
    for n in range(ROUNDS):
        talk = await floor.waits(f"c{n}")
        held = await floor.desk.take(one, talk, 1)
        for seconds in (120, 359):
            floor.clock.wait(seconds=seconds)
            await floor.alive(one, two)
            await there.tick()
        floor.clock.wait(seconds=2)
        await floor.alive(one, two)
        moved, _ = await asyncio.gather(
            floor.desk.transfer(one, talk, held.epoch, to_agent=two), there.tick(), return_exceptions=True
        )
        await there.tick()
        kinds = [event.kind for event in await floor.desk.events(0, 5000) if event.conversation == talk]
        assert kinds.count("transferred") + kinds.count("lost") == 1
        assert isinstance(moved, Refused) == ("lost" in kinds)
        assert (await floor.talk(talk)).epoch == held.epoch + 1


async def test_t22_a_click_that_reaches_two_processes_is_one_take_and_one_reply(database, tmp_path):
    async with opened(database, tmp_path) as hall, hall.another() as there:
        agent = await hall.busy("li", role=Role.AGENT)
        elsewhere = Agent(there, "li")
        hall.agents.append(elsewhere)
        await elsewhere.enters(PASSWORD)
        row = await hall.waits(agent)
        takes = [each.does(row["id"], "take", row["epoch"]) for each in (agent, elsewhere)]
        taken = await asyncio.gather(*takes)
        assert sorted(each.status for each in taken) == [200, 409]
        epoch = next(each for each in taken if each.status == 200).body["row"]["epoch"]
        replies = [
            each.does(row["id"], "reply", epoch, text="您好", echo="e1") for each in (agent, elsewhere) * 3
        ]
        written = await asyncio.gather(*replies)
        assert {each.status for each in written} == {201}
        assert len({each.body["id"] for each in written}) == 1
        lines = (await agent.get(f"talks/{row['id']}"))["lines"]
        assert [line["parts"][0]["text"] for line in lines if line["who"] == "agent"] == ["您好"]


async def test_t35_a_router_killed_while_it_gives_out_loses_nobody_and_the_other_goes_on(floor, database):
    agents = [await floor.agent(f"a{n}", capacity=TALKS) for n in range(2)]
    talks = [await floor.waits(f"c{n}") for n in range(2 * TALKS)]
    dots = 0
    for _ in range(3):
        async with routing(database) as process, asyncio.timeout(30):
            assert process.stdout is not None
            dots += len(await process.stdout.readexactly(2))
    given = await floor.desk.route()
    assert 0 < given < 2 * TALKS
    assert dots >= 6
    assert await floor.broken() == []
    assert sum([await floor.load(agent) for agent in agents]) == 5 * len(talks)
    changes = [event.conversation for event in await floor.desk.events(0) if event.kind in _GIVEN]
    assert sorted(changes) == sorted(talks)


_GIVEN = {"offered", "taken"}


@pytest.fixture
def floor(store):
    return Floor(store)


@pytest.fixture
async def there(floor, database):
    """The desk of another process: a store of its own."""
    store = await open_any(database)
    yield floor.another(store)
    await store.close()
