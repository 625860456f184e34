"""查进度: one's own whole, another's the least, wrong codes alike; what may be done, once, and what is refused."""

import asyncio

import pytest
from sqlalchemy import func, select

from gateway.store.tables import ALERT
from normalizer import case_no
from normalizer.case import Command, Verb
from tests.kit.browser import WORDS, outgoing, told
from tests.kit.cases import AGENT, DISPATCH, REPLY, UNIT

COURSE = (DISPATCH, Command(Verb.SIGN, UNIT), REPLY, Command(Verb.FINISH, AGENT))


async def test_one_s_own_case_is_shown_whole(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    page = await browser.get(f"/cases/{number}")
    for words in (WORDS, "东岳大街88号", "补充", "催办", "撤回", case_no.grouped(number)):
        assert words in page.text
    assert number in (await browser.get("/cases")).html


async def test_nobody_else_sees_it_or_can_do_anything(browsers, portal):
    number = await browsers().reports()
    other = browsers()
    nothing = (await other.get("/cases/37092611240009999")).text
    for path in (f"/cases/{number}", f"/cases/{number}/supplement", f"/cases/{number}/withdraw"):
        page = await other.get(path)
        assert (page.status, page.text) == (404, nothing)
    for act in ("supplement", "urge", "withdraw", "rate"):
        assert (await other.post(f"/cases/{number}/{act}", {"text": "x", "score": "5"})).status == 404
    assert (await other.post(f"/cases/{number}/supplement/drop", {"key": "x"})).status == 404
    assert len(await portal.lookup.log(number)) == 2


async def test_with_number_and_code_one_sees_the_least(browsers, portal):
    mine, other = browsers(), browsers()
    number, code = await report_with_code(mine)
    page = await other.post(
        "/cases/find", {"number": case_no.grouped(number), "code": f" {code[:3]} {code[3:]}"}
    )
    assert (page.status, page.path) == (200, f"/cases/{number}")
    assert "已受理" in page.text
    for words in (WORDS, "东岳大街", "张三", "13812345678", "催办", "井盖"):
        assert words not in page.text
    assert (await other.get(f"/cases/{number}/supplement")).status == 404


async def test_of_a_confidential_case_not_even_the_unit_is_told(browsers, portal):
    mine, other = browsers(), browsers()
    number, code = await report_with_code(mine, secret="1")
    await portal.office.act(number, DISPATCH)
    page = await other.post("/cases/find", {"number": number, "code": code})
    assert "城市管理局" not in page.text
    assert "保密件" in (await mine.get("/cases")).text


async def test_a_wrong_code_and_no_such_case_sound_alike_and_lock(browsers, portal):
    mine = browsers()
    number, code = await report_with_code(mine)
    wrong = "135790" if code != "135790" else "135791"
    none = case_no.make("370900", portal.cities.current.effective_from, 77)
    told = [
        (await browsers().post("/cases/find", {"number": each, "code": wrong})).text.replace(each, "")
        for each in (number, none)
    ]
    assert told[0] == told[1]
    thief = browsers()
    for _ in range(4):
        await thief.post("/cases/find", {"number": number, "code": wrong})
    assert "一小时后再查" in (await browsers().post("/cases/find", {"number": number, "code": code})).text
    # His own he finds all the same.
    assert (await mine.post("/cases/find", {"number": number, "code": wrong})).path == f"/cases/{number}"


async def test_a_hundred_guesses_at_once_are_five(browsers, portal):
    number, code = await report_with_code(browsers())
    thieves = [browsers() for _ in range(12)]
    tokens = [await thief.csrf() for thief in thieves]
    wrong = [f"{n:06}" for n in range(135700, 135800) if f"{n:06}" != code]
    pages = await asyncio.gather(
        *(
            thief.post("/cases/find", {"number": number, "code": wrong[n]}, csrf=tokens[n])
            for n, thief in enumerate(thieves)
        )
    )
    assert sum("请核对后再试" in page.text for page in pages) == 5
    assert sum("一小时后再查" in page.text for page in pages) == 7


async def test_many_numbers_from_one_address_are_locked_whatever_the_session(browsers, portal):
    numbers = [case_no.make("370900", portal.cities.current.effective_from, n) for n in range(1, 33)]
    pages = [await browsers().post("/cases/find", {"number": number, "code": "135790"}) for number in numbers]
    assert ["一小时后再查" in page.text for page in pages] == [False] * 30 + [True] * 2


@pytest.mark.parametrize("number", ["", "123", "37092611240001234", "x' OR 1=1", "３７０９"])
async def test_a_number_that_is_none_is_told_so(browsers, number):
    page = await browsers().post("/cases/find", {"number": number, "code": "123456"})
    assert (page.status, "请核对 17 位数字" in page.text) == (422, True)


async def test_going_back_from_a_wrong_number_finds_a_page(browsers):
    browser = browsers()
    page = await browser.post("/cases/find", {"number": "1", "code": "1"})
    assert (await browser.post("/view", {"elderly": "1", "back": page.hidden("back")})).path == "/cases"


async def test_what_is_added_stands_in_the_course_once(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    token = await browser.csrf()
    for _ in range(2):
        await asyncio.gather(
            *(
                browser.post(f"/cases/{number}/supplement", {"text": "又裂开了一块"}, csrf=token)
                for _ in range(2)
            )
        )
    assert (await browser.get(f"/cases/{number}")).text.count("又裂开了一块") == 1
    assert (await browser.post(f"/cases/{number}/supplement", {"text": "  "})).status == 422


async def test_urging_is_once_a_day(browsers, clock):
    browser = browsers()
    number = await browser.reports()
    assert "您催办了一次" in (await browser.post(f"/cases/{number}/urge", {"text": "请快一点"})).text
    page = await browser.post(f"/cases/{number}/urge")
    assert (page.status, "24 小时内已经催办过" in page.text) == (409, True)
    clock.wait(hours=25)
    assert (await browser.post(f"/cases/{number}/urge")).status == 200


async def test_withdrawn_it_cannot_be_urged(browsers):
    browser = browsers()
    number = await browser.reports()
    assert "已撤回" in (await browser.post(f"/cases/{number}/withdraw")).text
    assert (await browser.post(f"/cases/{number}/urge")).status == 409


async def test_a_report_of_wrongdoing_under_check_is_not_withdrawn_by_a_click(browsers, portal):
    browser = browsers()
    number = await browser.reports(kind="04", secret="1")
    await portal.office.act(number, Command(Verb.ACCEPT, AGENT))
    await portal.office.act(number, DISPATCH)
    await portal.office.act(number, Command(Verb.SIGN, UNIT))
    page = await browser.post(f"/cases/{number}/withdraw")
    assert (page.status, "在核查中" in page.text) == (409, True)


async def test_the_result_is_rated_once_and_a_low_one_sends_it_back(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    assert (await browser.post(f"/cases/{number}/rate", {"score": "5"})).status == 409
    for command in COURSE:
        await portal.office.act(number, command)
    assert (await browser.post(f"/cases/{number}/rate", {"score": "9"})).status == 422
    assert (
        await browser.post(f"/cases/{number}/rate", {"score": "1", "reason": "2", "text": "没修"})
    ).status == 200
    case = await portal.lookup.case(number)
    assert (case.ratings[0].score, case.ratings[0].reasons, case.ratings[0].opinion) == (1, (2,), "没修")
    assert "重新办理" in (await browser.get(f"/cases/{number}")).text
    assert (await browser.post(f"/cases/{number}/rate", {"score": "5"})).status == 409


async def test_an_act_that_is_none_is_not_found(browsers):
    browser = browsers()
    number = await browser.reports()
    for act in ("accept", "close", "..", "supplement%00"):
        assert (await browser.post(f"/cases/{number}/{act}", {"text": "x"})).status == 404


async def test_danger_in_what_is_added_alarms_and_is_shown(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    page = await browser.post(f"/cases/{number}/supplement", {"text": "有人掉进井里了，快来救命"})
    assert "请马上打" in page.text
    alarms = await portal.books.store.read(
        lambda c: c.execute(select(func.count()).select_from(ALERT)).scalar()
    )
    assert alarms == 1
    assert "掉进井里" in (await browser.get(f"/cases/{number}")).text


async def test_a_page_s_notices_ask_for_no_digit(browsers, portal):
    browser = browsers()
    number = await browser.reports()
    for command in COURSE:
        await portal.office.act(number, command)
    words = [words for account, _, words in await outgoing(portal) if account == "web"]
    assert len(words) == 3
    assert not any("回复" in each for each in words)
    assert "点“评价”" in words[-1]
    talk = (await browser.get("/chat")).text
    assert all(each[:20] in talk for each in words)


async def report_with_code(browser, **changes):
    await browser.writes(**changes)
    return told(await browser.post("/report/check"))
