"""我要反映: page by page, what each cannot take, and one case at the end however often it is sent."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import func, select

from gateway.store import cases as rows
from gateway.store.tables import ALERT, CASES
from normalizer.codes import Kind, PersonType
from tests.kit.browser import PHONE, WORDS, browsing, portal_settings
from tests.kit.gateway import running

USCC = "91370900MA3C0XXX0A"
FIRE = "东岳大街88号三楼着火了，楼上还有人被困"


@pytest.mark.parametrize(
    ("page", "fields", "errors"),
    [
        ("what", {"text": ""}, {"text": "请再说详细一点"}),
        ("what", {"text": "路灯坏了"}, {"text": "请再说详细一点"}),
        ("what", {"text": "light broken"}, {"text": "请再说详细一点"}),
        ("what", {}, {"text": "请再说详细一点"}),
        ("where", {"place": ""}, {"place": "请写清区县"}),
        ("where", {"place": "", "lon": "999", "lat": "36"}, {"place": "请写清区县"}),
        ("where", {"place": "", "lon": "nan", "lat": "inf"}, {"place": "请写清区县"}),
        ("where", {"place": "", "lon": "117.1"}, {"place": "请写清区县"}),
        ("contact", {}, {"phone": "请留一个电话"}),
        ("contact", {"phone": "1381234"}, {"phone": "好像不对"}),
        ("contact", {"phone": "12345678901"}, {"phone": "好像不对"}),
        ("contact", {"phone": PHONE, "person_type": "company"}, {"org_name": "请写单位名称"}),
        (
            "contact",
            {"phone": PHONE, "person_type": "company", "org_name": "某公司", "uscc": "123"},
            {"uscc": "统一社会信用代码是18位"},
        ),
        (
            "contact",
            {"phone": PHONE, "person_type": "company", "org_name": "某公司", "uscc": USCC},
            {"uscc": "统一社会信用代码是18位"},
        ),
        ("contact", {"phone": PHONE, "agent": "1"}, {"agent_for": "请写您代谁反映"}),
        (
            "contact",
            {"agent": "1", "person_type": "company"},
            {"phone": "请留", "org_name": "单位", "agent_for": "代谁"},
        ),
    ],
)
async def test_what_a_page_cannot_take_is_told_beside_its_field(browsers, page, fields, errors):
    browser = browsers()
    await browser.post("/report/what", {"text": "门前井盖丢失，晚上很危险，请来看看"})
    shown = await browser.post(f"/report/{page}", fields)
    assert (shown.status, shown.path) == (422, f"/report/{page}")
    for name, words in errors.items():
        assert f'id="{name}-error"' in shown.html
        assert words in shown.text
    assert shown.html.count('aria-invalid="true"') == len(errors)


@pytest.mark.parametrize("path", ["where", "when", "files", "contact", "check"])
async def test_no_page_is_shown_before_the_matter_is_told(browsers, path):
    browser = browsers()
    assert (await browser.get(f"/report/{path}")).path == "/report/what"
    assert (await browser.post(f"/report/{path}", {"place": "x"})).path == "/report/what"


async def test_a_page_that_is_none_is_not_found(browsers):
    browser = browsers()
    assert (await browser.get("/report/nothing")).status == 404
    assert (await browser.get("/report/../cases")).status in {200, 404}


async def test_the_check_wants_somebody_to_reach(browsers):
    browser = browsers()
    await browser.post("/report/what", {"text": WORDS})
    assert (await browser.get("/report/check")).path == "/report/what"
    assert (await browser.post("/report/check")).path == "/report/what"


async def test_a_report_becomes_a_case_as_it_was_read_back(browsers, portal):
    browser = browsers()
    check = await browser.writes()
    for words in (WORDS, "东岳大街88号", "今天", "尽快修好", "张三", PHONE):
        assert words in check.text
    done = await browser.post("/report/check")
    assert done.path == "/report/done"
    case = await the_case(portal)
    who, matter = case.complainant, case.matter
    assert (who.name, who.phone, who.person_type, who.is_agent) == ("张三", PHONE, PersonType.NATURAL, False)
    assert (matter.original, matter.place_text, matter.occurred, matter.demand) == (
        (WORDS, "东岳大街88号", "今天", "尽快修好")
    )
    assert (case.source_channel, case.secret) == ("04", False)


async def test_the_first_sentence_fills_what_it_tells(browsers):
    browser = browsers()
    told = "昨天泰山区东岳大街88号门前井盖丢失，希望尽快补上，我叫李四，电话13912345678"
    page = await browser.post("/report/what", {"text": told})
    assert page.path == "/report/files"
    assert 'value="13912345678"' in (await browser.get("/report/contact")).html
    assert "东岳大街88号" in (await browser.get("/report/where")).html


async def test_told_anew_what_other_pages_brought_stays(browsers):
    browser = browsers()
    await browser.writes()
    page = await browser.post("/report/what", {"text": "东岳大街88号门前路灯坏了，晚上很黑"})
    assert page.path == "/report/check"
    assert "路灯坏了" in page.text
    assert PHONE in page.text
    assert (await browser.post("/report/where", {"place": "东岳大街90号"})).path == "/report/check"


async def test_the_elderly_view_asks_less_and_the_case_says_so(browsers, portal):
    browser = browsers()
    await browser.post("/view", {"elderly": "1"})
    page = await browser.post("/report/what", {"text": WORDS})
    assert "共 5 步" in page.text
    await browser.post("/report/contact", {"phone": PHONE})
    assert "希望" not in (await browser.get("/report/check")).text
    assert (await browser.post("/report/check")).path == "/report/done"
    assert (await the_case(portal)).complainant.tags == ("老年人",)


async def test_a_second_click_opens_no_second_case(browsers, portal):
    browser = browsers()
    token = await browser.csrf()
    await browser.writes()
    pages = await asyncio.gather(*(browser.post("/report/check", csrf=token) for _ in range(5)))
    assert "/report/done" in {page.path for page in pages}
    assert await count(portal, CASES) == 1


async def test_a_second_click_that_meets_another_process_opens_no_second_case(database, tmp_path, clock):
    made = portal_settings(database, tmp_path)
    async with running(made, clock=clock) as gateway, browsing(gateway) as browsers:
        browser = browsers()
        await browser.writes()
        token, session = await browser.csrf(), browser.cookie()
        others = [browsers() for _ in range(4)]
        for other in others:
            other.carry(session)
        await asyncio.gather(*(each.post("/report/check", csrf=token) for each in (browser, *others)))
        assert await count(gateway, CASES) == 1


async def test_after_it_was_submitted_going_back_begins_anew(browsers):
    browser = browsers()
    await browser.reports()
    for path in ("/report/check", "/report/contact"):
        assert (await browser.get(path)).path == "/report/what"
    assert WORDS not in (await browser.get("/report/what")).text


async def test_a_draft_is_offered_and_dropped(browsers):
    browser = browsers()
    await browser.post("/report/what", {"text": WORDS})
    assert WORDS in (await browser.get("/report")).text
    assert (await browser.post("/report/drop")).path == "/report/what"
    assert WORDS not in (await browser.get("/report/what")).text


async def test_who_wants_to_stay_unknown_leaves_nothing(browsers, portal):
    browser = browsers()
    check = await browser.writes(anonymous="1", name="张三", phone=PHONE)
    assert PHONE not in check.text
    await browser.post("/report/check")
    case = await the_case(portal)
    assert (case.complainant.anonymous, case.complainant.phone, case.complainant.name, case.secret) == (
        (True, "", "", True)
    )


async def test_a_firm_reports_with_its_code(browsers, portal):
    code = valid_code("91370900MA3C0XXX0")
    check = await browsers().writes(person_type="company", org_name="泰安某某有限公司", uscc=code.lower())
    assert check.path == "/report/check"
    browser = browsers()
    await browser.reports(person_type="company", org_name="泰安某某有限公司", uscc=code)
    who = (await the_case(portal)).complainant
    assert (who.person_type, who.org_name, who.uscc) == (PersonType.LEGAL, "泰安某某有限公司", code)


async def test_one_reports_for_another(browsers, portal):
    await browsers().reports(agent="1", agent_for="母亲王女士")
    who = (await the_case(portal)).complainant
    assert (who.is_agent, who.agent_for) == (True, "母亲王女士")


@pytest.mark.parametrize(
    ("why", "contact", "secret"),
    [
        ("as the page proposes", {"secret": "1"}, True),
        ("he said otherwise", {}, False),
    ],
)
async def test_a_report_of_wrongdoing_is_confidential_unless_said_otherwise(
    browsers, portal, why, contact, secret
):
    browser = browsers()
    await browser.post("/report/what", {"text": "东岳大街88号的饭店使用过期食品做菜"})
    await browser.post("/report/where", {"place": "东岳大街88号"})
    await browser.post("/report/when", {"when": "今天", "demand": "查处", "kind": "04"})
    page = await browser.get("/report/contact")
    assert 'name="secret" value="1" checked' in page.html
    await browser.post("/report/contact", {"phone": PHONE, **contact})
    assert (await browser.post("/report/check")).path == "/report/done"
    case = await the_case(portal)
    assert (case.matter.kind, case.secret) == (Kind.REPORT, secret)


async def test_what_becomes_a_report_of_wrongdoing_later_is_confidential_too(browsers, portal):
    browser = browsers()
    assert "保密 否" in (await browser.writes()).text
    check = await browser.post("/report/when", {"kind": "04"})
    assert "保密 是" in check.text
    await browser.post("/report/check")
    assert (await the_case(portal)).secret


@pytest.mark.parametrize("words", [FIRE, "着火了救命", "我要自杀"])
async def test_danger_is_answered_at_once_and_alarms_once_however_little_was_said(browsers, portal, words):
    browser = browsers()
    for _ in range(2):
        page = await browser.post("/report/what", {"text": words})
        shown = page if page.status == 422 else await browser.get("/report/what")
        assert "请马上打" in shown.text
    assert await count(portal, ALERT) == 1


async def test_another_danger_alarms_again_and_submitting_does_not(browsers, portal):
    browser = browsers()
    await browser.writes(text=FIRE)
    assert await count(portal, ALERT) == 1
    await browser.post("/report/what", {"text": "东岳大街88号有人要跳楼了快来人"})
    assert await count(portal, ALERT) == 2
    await browser.post("/report/check")
    assert await count(portal, ALERT) == 2


async def test_a_day_s_reports_of_one_browser_have_an_end(browsers, clock):
    browser = browsers()
    numbers = [await browser.reports(text=f"{WORDS}，第{n}处", place=f"东岳大街{n}号") for n in range(20)]
    assert len(set(numbers)) == 20
    await browser.writes()
    page = await browser.post("/report/check")
    assert (page.status, "草稿保留" in page.text) == (429, True)
    clock.wait(hours=24, seconds=1)


async def test_the_longest_words_are_cut_where_the_norm_says(browsers, portal):
    browser = browsers()
    await browser.writes(
        text="井盖丢失，" * 1000, name="张" * 50, demand="修" * 900, place="东岳大街88号" * 40
    )
    await browser.post("/report/check")
    case = await the_case(portal)
    assert len(case.matter.original) <= 2000
    assert (len(case.complainant.name), len(case.matter.demand)) == (20, 200)
    assert len(case.matter.place_text) <= 100


async def the_case(gateway):
    (row,) = await gateway.books.store.read(partial(rows.newest, limit=1))
    return gateway.books.cases.read(row)


async def count(gateway, table):
    return await gateway.books.store.read(
        lambda c: c.execute(select(func.count()).select_from(table)).scalar()
    )


def valid_code(body: str) -> str:
    from normalizer.people import valid_uscc  # noqa: PLC0415

    return next(f"{body}{last}" for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if valid_uscc(f"{body}{last}"))
