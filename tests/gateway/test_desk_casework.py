"""The case work over the desk's door: JSON in, JSON out, problems in Chinese, full views noted."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from gateway.desk.form import Form
from gateway.desk.rights import Role
from gateway.store.tables import ACCESS
from tests.kit.deskdoor import Seat, casework, seated
from tests.kit.staff import FORM, talk_of


@pytest.fixture
async def seat(gateway, clock):
    async with seated(gateway, clock) as opened:
        yield opened


def _form(form: Form = FORM) -> dict:
    return TypeAdapter(Form).dump_python(form, mode="json", exclude_defaults=True)


async def _opened(seat: Seat, **more: object) -> str:
    status, told = await seat.ask("POST", "/cases", {"key": "page-key-1", "form": _form(), **more})
    assert status == 201, told
    return told["case_no"]


async def test_a_call_is_typed_in_once_however_often_it_is_clicked(seat):
    number = await _opened(seat)
    status, told = await seat.ask("POST", "/cases", {"key": "page-key-1", "form": _form()})
    assert (status, told["case_no"], told["repeat"]) == (200, number, True)


async def test_a_case_is_shown_masked_and_whole_only_with_a_note_of_who_looked(seat, gateway):
    number = await _opened(seat)
    _, shown = await seat.ask("GET", f"/cases/{number}")
    assert (shown["form"]["phone"], shown["form"]["name"], shown["full"]) == ("138****5678", "李*", False)
    assert shown["created_at"].endswith("+08:00")
    assert await _looks(gateway) == []
    _, whole = await seat.ask("POST", f"/cases/{number}/reveal", {})
    assert (whole["form"]["phone"], whole["full"]) == ("13812345678", True)
    assert await _looks(gateway) == [("agent:li", "desk case", number)]


async def test_an_act_says_what_it_needs_and_is_asked_for_it(seat):
    number = await _opened(seat)
    _, shown = await seat.ask("GET", f"/cases/{number}")
    can = {each["verb"]: each for each in shown["verbs"]}
    assert can["ask"]["needs"] == ["reason"]
    assert can["reject"]["needs"] == ["code", "reason"]
    assert can["reject"]["codes"]["R09"]
    asked = {"verb": "reject", "rev": shown["rev"]}
    for given, field in (
        ({}, "/code"),
        ({"code": "R09"}, "/reason"),
        ({"code": "R99", "reason": ""}, "/reason"),
    ):
        status, wrong = await seat.ask("POST", f"/cases/{number}/act", asked | given)
        assert (status, [each["pointer"] for each in wrong["errors"]]) == (422, [field])
    given = {"code": "R09", "reason": "由市场途径解决，请拨打12315"}
    status, after = await seat.ask("POST", f"/cases/{number}/act", asked | given)
    assert (status, after["stage"]) == (200, "rejected")


async def test_a_decision_on_abuse_without_a_reason_is_asked_for_it(gateway, clock):
    async with seated(gateway, clock, "wang", Role.SUPERVISOR) as chief:
        for reason in ("", "  "):
            decision = {"act": "refuse", "reason": reason}
            status, wrong = await chief.ask("POST", f"/abuse/{'0' * 32}", decision)
            assert (status, [each["pointer"] for each in wrong["errors"]]) == (422, ["/reason"])


async def test_fields_are_put_right_one_by_one_and_a_stale_page_is_told_so(seat):
    number = await _opened(seat)
    _, shown = await seat.ask("GET", f"/cases/{number}")
    change = {"rev": shown["rev"], "changes": {"title": "井盖缺失"}}
    status, after = await seat.ask("PATCH", f"/cases/{number}", change)
    assert (status, after["title"], after["form"]["phone"]) == (200, "井盖缺失", "138****5678")
    assert after["log"][-1]["label"] == "修改工单"
    assert after["log"][-1]["actor"] == "li"
    status, wrong = await seat.ask("PATCH", f"/cases/{number}", change)
    assert (status, wrong["type"]) == (409, "urn:jiesu:problem:changed")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        pytest.param({"phone": "123"}, "/form/phone", id="a telephone that is none"),
        pytest.param({"nonsense": 1}, "/form/nonsense", id="a field that is none"),
        pytest.param({"title": "长" * 51}, "/form/title", id="too long"),
    ],
)
async def test_what_is_wrong_in_a_form_is_named(seat, changes, pointer):
    number = await _opened(seat)
    _, shown = await seat.ask("GET", f"/cases/{number}")
    status, wrong = await seat.ask("PATCH", f"/cases/{number}", {"rev": shown["rev"], "changes": changes})
    assert (status, [fault["pointer"] for fault in wrong["errors"]]) == (422, [pointer])


async def test_a_case_is_moved_by_the_verbs_it_offers(seat):
    number = await _opened(seat)
    _, shown = await seat.ask("GET", f"/cases/{number}")
    assert {"verb": "accept", "label": "受理", "needs": [], "codes": {}} in shown["verbs"]
    _, after = await seat.ask("POST", f"/cases/{number}/act", {"verb": "accept", "rev": shown["rev"]})
    assert after["stage_label"] == "已受理待派单"
    status, wrong = await seat.ask("POST", f"/cases/{number}/act", {"verb": "accept", "rev": after["rev"]})
    assert (status, wrong["type"]) == (409, "urn:jiesu:problem:case-not-now")


async def test_the_form_beside_a_talk_becomes_the_citizens_case(seat, gateway, person):
    await person.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
    talk = (await talk_of(gateway, person)).conversation.hex()
    _, shown = await seat.ask("GET", f"/talks/{talk}/form")
    form = shown["form"] | {"kind": "02"}
    status, told = await seat.ask("POST", "/cases", {"key": "page-key-2", "talk": talk, "form": form})
    assert status == 201, told
    _, replies = await seat.ask("GET", f"/replies?q=registered&talk={talk}")
    assert told["case_no"] in replies["items"][0]["filled"]
    assert await _looks(gateway) == [("agent:li", "desk form", talk)]


async def test_search_drafts_views_and_warnings_answer(seat, gateway, clock, person):
    number = await _opened(seat)
    await casework(gateway, clock).indexing().catch_up()
    _, found = await seat.ask("GET", "/search?q=井盖&kind=case")
    assert [item["case_no"] for item in found["items"]] == [number]
    await person.says("转人工")
    talk = (await talk_of(gateway, person)).conversation.hex()
    assert (await seat.ask("PUT", f"/talks/{talk}/draft", {"text": "您好"}))[0] == 204
    assert (await seat.ask("GET", f"/talks/{talk}/draft"))[1] == {"text": "您好", "note": ""}
    assert (await seat.ask("GET", "/knowledge?q=公积金怎么提取"))[1] == {"items": []}
    _, warned = await seat.ask("POST", "/check", {"text": "这事不归我管"})
    assert [each["rule"] for each in warned["warnings"]] == ["push_off"]
    status, view = await seat.ask("POST", "/views", {"name": "等待", "filter": {"owners": ["queued"]}})
    assert (status, view["count"]) == (201, 1)
    assert (await seat.ask("DELETE", f"/views/{view['id']}"))[0] == 204
    status, view = await seat.ask("POST", "/views", {"name": "井盖", "filter": {"text": "井盖"}})
    assert (status, view["filter"]["text"]) == (201, "井盖")
    status, wrong = await seat.ask("POST", "/views", {"name": "井", "filter": {"text": "井"}})
    assert (status, wrong["errors"][0]["pointer"]) == (422, "/filter/text")


async def test_who_has_no_right_is_told_so_and_a_foreign_page_does_nothing(gateway, clock):
    async with seated(gateway, clock, "root", Role.ADMIN) as admin:
        assert (await admin.ask("GET", "/cases"))[0] == 403
    async with seated(gateway, clock) as seat:
        without = replace(seat, headers={"Cookie": seat.headers["Cookie"]})
        assert (await without.ask("POST", "/cases", {"key": "page-key-1", "form": _form()}))[0] == 403
        assert (await seat.ask("GET", "/cases/37092611240001233"))[0] == 404


async def _looks(gateway) -> list[tuple[str, str, str]]:
    query = select(ACCESS.c.actor, ACCESS.c.act, ACCESS.c.subject)
    query = query.where(ACCESS.c.act.like("desk %")).order_by(ACCESS.c.id)
    return [tuple(row) for row in await gateway.books.store.read(lambda c: c.execute(query).all())]
