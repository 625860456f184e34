"""A supervisor gives a talk to whom the router would not: told why, decided by him, and on record."""

from functools import partial

import pytest

from gateway.desk.moves import Doubted, Refused, Why
from gateway.desk.rights import Role
from tests.kit.desk import Floor
from tests.kit.hall import opened

CASES = [
    pytest.param({}, "online", 0, (), id="nothing against it"),
    pytest.param({}, "busy", 0, (), id="busy is no reason"),
    pytest.param({"capacity": 1}, "online", 1, (Why.FULL,), id="full"),
    pytest.param({}, "away", 0, (Why.AWAY,), id="away"),
    pytest.param({"skills": "en"}, "online", 0, (Why.SKILL,), id="another skill"),
    pytest.param({"capacity": 1, "skills": ""}, "away", 1, (Why.FULL, Why.AWAY, Why.SKILL), id="all of them"),
]


@pytest.mark.parametrize(("agent", "state", "held", "doubts"), CASES)
async def test_what_the_router_would_not_do_is_doubted_first_and_done_by_who_knows(
    store, agent, state, held, doubts
):
    floor = Floor(store)
    chief = await floor.agent("chief", role="supervisor")
    li = await floor.agent("li", **({"skills": "公积金"} | agent))
    for number in range(held):
        talk = await floor.waits(f"before{number}")
        await floor.desk.take(li, talk, 1)
    await floor.chose(li, state)
    talk = await floor.waits("p", skill="公积金")
    before = await floor.talk(talk)
    if doubts:
        with pytest.raises(Doubted) as told:
            await floor.desk.assign(chief, talk, 1, li)
        assert told.value.doubts == doubts
        # He knows of less than there is: he is told again.
        with pytest.raises(Doubted):
            await floor.desk.assign(chief, talk, 1, li, despite=frozenset(doubts[1:]))
        assert await floor.talk(talk) == before
    await floor.desk.assign(chief, talk, 1, li, despite=frozenset(doubts))
    assert (await floor.talk(talk)).agent == li
    last = (await floor.desk.events(0))[-1]
    assert (last.kind, last.actor) == ("handed", chief)
    assert last.detail == (" ".join(("despite", *doubts)) if doubts else "公积金")


@pytest.mark.parametrize(("agent", "state", "held", "doubts"), CASES)
async def test_the_router_itself_keeps_to_load_skill_and_who_is_there(store, agent, state, held, doubts):
    floor = Floor(store, offers=False)
    li = await floor.agent("li", **({"skills": "公积金"} | agent))
    for number in range(held):
        await floor.desk.take(li, await floor.waits(f"before{number}"), 1)
    await floor.chose(li, state)
    talk = await floor.waits("p", skill="公积金")
    given = await floor.desk.route()
    assert given == (not doubts and state == "online")
    assert (await floor.talk(talk)).agent == (li if given else None)


async def test_who_is_not_there_gets_nothing_whatever_a_supervisor_knows(store):
    floor = Floor(store)
    chief = await floor.agent("chief", role="supervisor")
    li = await floor.agent("li", here=False)
    talk = await floor.waits("p")
    with pytest.raises(Refused) as told:
        await floor.desk.assign(chief, talk, 1, li, despite=frozenset({Why.FULL, Why.AWAY, Why.SKILL}))
    assert told.value.why is Why.AWAY


@pytest.mark.parametrize("verb", ["assign", "boost", "take_over"])
async def test_an_offer_that_came_and_went_meanwhile_does_not_stop_a_supervisor(store, verb):
    floor = Floor(store)
    chief = await floor.agent("chief", role="supervisor")
    li = await floor.agent("li")
    talk = await floor.waits("p")
    assert await floor.desk.route() == 1
    if verb == "boost":
        await floor.desk.decline((await floor.talk(talk)).agent, talk, 2)
    more = (li,) if verb == "assign" else ()
    held = await getattr(floor.desk, verb)(chief, talk, 1, *more)
    assert held.agent == {"assign": li, "boost": None, "take_over": chief}[verb]


async def test_whoever_accepted_meanwhile_keeps_what_a_supervisor_saw_waiting(store):
    floor = Floor(store)
    chief = await floor.agent("chief", role="supervisor")
    wang, li = await floor.agent("wang"), await floor.agent("li")
    talk = await floor.waits("p")
    await floor.desk.take(wang, talk, 1)
    for call in (
        partial(floor.desk.assign, chief, talk, 1, li),
        partial(floor.desk.take_over, chief, talk, 1),
    ):
        with pytest.raises(Refused) as told:
            await call()
        assert (told.value.why, told.value.holder) == (Why.TAKEN, wang)


async def test_the_page_is_told_why_and_the_talk_keeps_it(hall):
    agent, chief = await hall.busy("li"), await hall.busy("wang", role=Role.SUPERVISOR)
    row = await hall.waits(agent)
    await agent.post("me/state", {"state": "away"})
    doubted = await chief.does(row["id"], "assign", row["epoch"], to_agent=agent.id)
    assert (doubted.status, doubted.kind, doubted.body["doubts"]) == (409, "doubtful", ["away"])
    assert doubted.body["detail"] == "对方设为离开。仍要指派请确认。"
    given = await chief.does(row["id"], "assign", row["epoch"], to_agent=agent.id, despite=["away"])
    assert given.body["row"]["agent"]["id"] == agent.id
    assert "wang号指派给li号（当时离开）" in str((await agent.get(f"talks/{row['id']}"))["lines"])


@pytest.fixture
async def hall(database, tmp_path):
    async with opened(database, tmp_path) as made:
        yield made
