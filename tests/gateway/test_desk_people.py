"""History, merging, the ladder, acts on many and the wall, over the desk's door."""

from datetime import timedelta

import pytest

from gateway.desk.cases import Wish
from gateway.desk.rights import Role
from normalizer.case import Verb
from tests.kit.deskdoor import seated
from tests.kit.gateway import Person
from tests.kit.staff import FORM, case_desk, staff, taken, talk_of


@pytest.fixture
async def seat(gateway, clock):
    async with seated(gateway, clock, "boss", Role.SUPERVISOR) as opened:
        yield opened


async def test_the_wall_has_queues_agents_and_time_limits(seat, gateway, person, clock):
    li = await staff(gateway)
    await taken(gateway, person, li)
    waiting = Person(gateway, clock, user="oOther")
    await waiting.says("转人工")
    _, wall = await seat.ask("GET", "/wall")
    assert [(queue["skill"], queue["waiting"]) for queue in wall["queues"]] == [("", 1)]
    assert wall["queues"][0]["oldest_since"].endswith("+08:00")
    assert wall["talks"] == {"agent": 1, "queued": 1}
    agents = {each["name"]: each for each in wall["agents"]}
    assert (agents["li"]["state"], agents["li"]["talks"], agents["li"]["load"]) == ("busy", 1, 1.0)
    assert agents["boss"]["state"] == "offline"
    assert (wall["waiting"], wall["held"], wall["online"], agents["li"]["unanswered"]) == (1, 1, 0, 1)
    assert (wall["cases_late"], wall["cases_soon"], wall["alerts"]) == (0, 0, 0)


async def test_late_and_nearly_late_cases_are_counted_while_they_are_open(seat, gateway, person, clock):
    await person.reports()
    desk = case_desk(gateway)
    wang = await staff(gateway, "wang", Role.SUPERVISOR)
    cases = [await desk.open_call(wang, FORM, f"k{n}") for n in range(2)]
    await _dispatched(desk, wang, cases[0].case_no)
    _, wall = await seat.ask("GET", "/wall")
    assert (wall["cases_late"], wall["cases_soon"]) == (0, 0)
    due = (await desk.case(cases[0].case_no)).deadline_at
    assert due is not None
    for login, hours, counted in (("early", -1, (0, 1)), ("late", 1, (1, 0))):
        clock.now = due + timedelta(hours=hours)
        async with seated(gateway, clock, login, Role.SUPERVISOR) as later:
            _, wall = await later.ask("GET", "/wall")
            assert (wall["cases_late"], wall["cases_soon"]) == counted


async def test_one_verb_on_many_cases_tells_how_it_went_with_each(seat, gateway):
    li, desk = await staff(gateway), case_desk(gateway)
    numbers = [(await desk.open_call(li, FORM, f"k{n}")).case_no for n in range(2)]
    revs = [(await desk.case(no)).rev for no in numbers]
    await desk.amend(li, numbers[1], FORM, revs[1])
    cases = [{"no": no, "rev": rev} for no, rev in zip(numbers, revs, strict=True)]
    _, went = await seat.ask("POST", "/bulk", {"verb": "accept", "cases": cases})
    assert went["items"] == [{"id": numbers[0], "why": ""}, {"id": numbers[1], "why": "changed"}]


async def test_one_act_on_many_talks_takes_only_what_it_may(seat, gateway, person):
    li = await staff(gateway)
    talk = await taken(gateway, person, li)
    one = talk.conversation.hex()
    _, went = await seat.ask("POST", "/bulk", {"act": "close", "ids": [one], "epochs": {one: talk.epoch}})
    assert went["items"][0]["why"] == "taken"


async def test_the_history_shows_cases_and_the_ladder(seat, gateway, person):
    await person.reports()
    talk = (await talk_of(gateway, person)).conversation.hex()
    step = {"kind": "insult", "note": "辱骂", "epoch": 0}
    status, marked = await seat.ask("POST", f"/talks/{talk}/abuse", step)
    assert (status, marked["state"], marked["by"]) == (201, "noted", "boss")
    _, past = await seat.ask("GET", f"/citizens/{talk}/history")
    assert (len(past["cases"]), past["talks"]) == (1, [])
    assert [item["case_no"] for item in past["items"]] == [past["cases"][0]["case_no"]]
    assert [each["note"] for each in past["ladder"]] == ["辱骂"]
    status, wrong = await seat.ask("POST", f"/talks/{talk}/abuse", {"level": 3, "kind": "insult"})
    assert (status, wrong["type"]) == (409, "urn:jiesu:problem:state")
    assert (await seat.ask("GET", "/abuse"))[1] == {"items": []}


async def test_cases_are_merged_and_taken_apart(seat, gateway):
    li, desk = await staff(gateway), case_desk(gateway)
    one, into = [(await desk.open_call(li, FORM, f"k{n}")).case_no for n in (1, 2)]
    seen = (await desk.case(one)).rev
    body = {"kind": "case", "from": one, "into": into, "seen": seen}
    status, merged = await seat.ask("POST", "/merge", body)
    assert status == 201
    assert (await seat.ask("POST", f"/merge/{merged['id']}/undo"))[0] == 204
    assert (await desk.case(one)).matter.master_case_no == ""


async def test_an_agent_sees_no_wall_and_approves_nothing(gateway, clock):
    async with seated(gateway, clock) as seat:
        for path in ("/wall", "/abuse"):
            assert (await seat.ask("GET", path))[0] == 403


async def _dispatched(desk, by, number: str) -> None:
    case = await desk.case(number)
    case = await desk.act(by, number, Wish(Verb.ACCEPT), case.rev)
    await desk.act(by, number, Wish(Verb.DISPATCH, unit="u1", unit_name="市城市管理局"), case.rev)
