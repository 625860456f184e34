"""政策和办事指南: by theme, by search, entry by entry; what has expired is not shown."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.knowledge import shelf
from gateway.store import knowledge
from tests.gateway.test_knowledge import CARD, FUND
from tests.kit.cases import NOW

OLD = replace(FUND, id="old", title="去年的公积金规定", valid_until=date(2025, 12, 31))
RICH = replace(
    FUND,
    steps=("先预约", "再办理"),
    materials=("身份证",),
    fee="不收费",
    phone="12329",
    place_hours="工作日9:00至17:00",
    link="https://example.gov.cn/gjj",
)


@pytest.fixture
async def reader(browsers, portal):
    await shelf.put(portal.books.store, (RICH, CARD, OLD), NOW, "test")
    await portal.knowledge.refresh()
    return browsers()


async def test_themes_that_have_entries_are_listed(reader):
    page = await reader.get("/knowledge")
    assert "公积金 1 条" in page.text
    assert "社保 1 条" in page.text
    assert "供水" not in page.text


async def test_a_theme_shows_its_entries_and_none_that_has_expired(reader):
    page = await reader.get("/knowledge?theme=D11")
    assert FUND.title in page.text
    assert OLD.title not in page.text
    assert (await reader.get("/knowledge/old")).status == 404


async def test_a_question_finds_its_answer_by_a_plain_address(reader):
    page = await reader.get("/knowledge", params={"q": "租房怎么取公积金"})
    assert f"/knowledge/{FUND.id}" in page.html
    assert 'value="租房怎么取公积金"' in page.html


@pytest.mark.parametrize("asked", ["量子力学", "\0", "a" * 5000, "％％％"])
async def test_a_question_without_an_answer_leads_to_people(reader, asked):
    page = await reader.get("/knowledge", params={"q": asked})
    assert page.status == 200
    assert FUND.title not in page.text
    assert asked == "\0" or "没找到？问热线" in page.text


async def test_an_entry_shows_all_that_it_has(reader):
    page = await reader.get(f"/knowledge/{FUND.id}")
    for words in (
        FUND.title,
        FUND.answer_short,
        "先预约",
        "身份证",
        "不收费",
        "12329",
        "市公积金中心",
        "2026年11月20日",
    ):
        assert words in page.text
    assert 'href="https://example.gov.cn/gjj" rel="noopener noreferrer"' in page.html


async def test_whether_it_helped_is_counted_once_a_day_by_one_browser(reader, portal, browsers):
    for said in ("yes", "no", "yes", "perhaps"):
        page = await reader.post(f"/knowledge/{FUND.id}", {"helped": said})
        assert "谢谢" in page.text
    await browsers().post(f"/knowledge/{FUND.id}", {"helped": "no"})
    votes = (await portal.books.store.read(knowledge.votes))[FUND.id]
    assert (votes.helpful, votes.unhelpful) == (1, 1)
    assert (await reader.post("/knowledge/none", {"helped": "yes"})).status == 404


async def test_with_nothing_known_the_telephone_is_told(browsers):
    assert "暂时没有内容" in (await browsers().get("/knowledge")).text
