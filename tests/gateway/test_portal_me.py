"""我的信息: what is kept, masked; corrected, downloaded, deleted, by its own person alone."""

import json

import pytest

from gateway import views
from normalizer.case import Command, Verb
from normalizer.errors import InvalidInput, NotFound
from tests.kit.browser import PHONE, WORDS, portal_settings
from tests.kit.cases import AGENT
from tests.kit.gateway import embedded


async def test_what_is_kept_is_shown_masked(browsers, portal):
    browser = browsers()
    await browser.reports(person_type="company", org_name="泰安某某公司")
    await browser.post("/report/what", {"text": "另一处的路灯也坏了好几天"})
    page = await browser.get("/me")
    for words in ("1 件", "张*", "138****5678", "泰安某某公司", "另一处的路灯", "没有登录"):
        assert words in page.text
    assert "张三" not in page.text
    assert PHONE not in page.html
    await browser.proves(portal)
    assert "手机号 138****5678" in (await browser.get("/me")).text


async def test_another_sees_nothing(browsers, portal):
    await browsers().reports()
    other = await browsers().get("/me")
    assert "0 件" in other.text
    assert "张" not in other.text
    body = await downloaded(browsers())
    assert (body["cases"], body["talk"], body["phone"]) == ([], [], "")


async def test_the_draft_goes_at_once(browsers, portal):
    browser = browsers()
    await browser.post("/report/what", {"text": WORDS})
    page = await browser.post("/me/drop")
    assert WORDS not in page.text
    assert WORDS not in (await browser.get("/report/what")).text


async def test_a_right_name_is_added_to_open_cases_for_the_unit_to_read(browsers, made):
    browser = browsers()
    number = await browser.reports()
    page = await browser.post("/me/correct", {"name": "张三丰", "other": "0538-8221234"})
    assert "已转告承办单位" in page.text
    assert (
        "更正联系方式：称呼改为张三丰，备用电话05388221234。" in (await browser.get(f"/cases/{number}")).text
    )
    assert await wishes(made) == []


@pytest.mark.parametrize("why", ["confidential", "waits for material"])
async def test_where_the_unit_may_not_read_it_a_person_settles_it(browsers, portal, made, why):
    browser = browsers()
    number = await browser.reports(
        **({"secret": "1"} if why == "confidential" else {"text": "这里有一个很奇怪的事情想说"})
    )
    if why != "confidential":
        await portal.office.act(number, Command(Verb.ASK, AGENT, reason="具体地点"))
    before = await portal.lookup.case(number)
    page = await browser.post("/me/correct", {"name": "张三丰"})
    assert "需要工作人员处理" in page.text
    case = await portal.lookup.case(number)
    assert (case.stage, case.events) == (before.stage, before.events)
    (wish,) = await wishes(made)
    assert (wish["kind"], wish["cases"], wish["state"]) == ("correct", [number], "open")


@pytest.mark.parametrize(
    ("fields", "words"),
    [({}, "请写要改成什么"), ({"other": "123"}, "好像不对"), ({"name": "  "}, "请写要改成什么")],
)
async def test_a_correction_that_says_nothing_is_told_so(browsers, fields, words):
    browser = browsers()
    await browser.reports()
    page = await browser.post("/me/correct", fields)
    assert (page.status, words in page.text) == (422, True)


async def test_who_has_no_open_case_has_nothing_to_correct(browsers):
    assert "没有正在办理" in (await browsers().post("/me/correct", {"name": "张三"})).text


async def test_a_wish_to_be_deleted_is_settled_by_a_person_and_he_sees_how(browsers, made):
    browser = browsers()
    number = await browser.reports()
    page = await browser.post("/me/delete", {"text": "请删掉，我的电话13812345678"})
    assert "删除信息： 等待处理" in page.text or "删除信息：等待处理" in page.text
    (wish,) = await wishes(made, "open")
    assert (wish["kind"], wish["cases"]) == ("delete", [number])
    assert PHONE not in json.dumps(wish)
    await views.settle(made, wish["id"], "done")
    assert "已处理" in (await browser.get("/me")).text
    assert await wishes(made, "open") == []
    with pytest.raises(NotFound):
        await views.settle(made, wish["id"], "done")
    with pytest.raises(InvalidInput):
        await views.settle(made, wish["id"], "perhaps")


async def test_ones_own_data_is_one_file_whole_once_the_telephone_is_proved(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    await browser.post("/chat", {"text": "你好，我是13812345678", "token": "a"})
    masked = await downloaded(browser)
    assert PHONE not in json.dumps(masked)
    assert masked["cases"][0]["person"]["name"] == "张*"
    await browser.proves(portal)
    body = await downloaded(browser)
    (case,) = body["cases"]
    assert (body["version"], body["phone"], case["case_no"], case["text"]) == (1, PHONE, number, WORDS)
    assert (case["person"]["name"], case["person"]["phone"]) == ("张三", PHONE)
    assert [step["what"] for step in case["course"]] == ["已提交", "已受理"]


async def test_a_file_is_given_to_a_form_and_not_to_a_link(browsers):
    browser = browsers()
    assert (await browser.get("/me/data.json")).path == "/me"
    page = await browser.post("/me/data.json", csrf="0" * 32)
    assert page.status == 403
    page = await browser.post("/me/data.json")
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["Cache-Control"] == "no-store"


async def test_there_is_an_end_to_wishes(browsers, made):
    browser = browsers()
    for _ in range(11):
        page = await browser.post("/me/delete")
    assert page.status == 429
    assert len(await wishes(made)) == 10


async def downloaded(browser):
    return json.loads((await browser.post("/me/data.json")).html)


@pytest.fixture
def made(tmp_path):
    """Settings that open the database of the running gateway, as the command line does."""
    return portal_settings(embedded(tmp_path), tmp_path)


async def wishes(made, state=""):
    return await views.wishes(made, limit=50, state=state, full=False)
