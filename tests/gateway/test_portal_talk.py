"""在线咨询: the bot answers on the page, what is sent twice comes once, and nobody is told what is another's."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from gateway.store import transcript
from normalizer import case_no
from tests.kit.browser import PHONE, WORDS, browsing, first, portal_settings, told
from tests.kit.gateway import running


async def test_the_bot_answers_on_the_page(browsers):
    browser = browsers()
    page = await browser.post("/chat", {"text": "你好", "token": "a"})
    assert page.path == "/chat"
    assert "我： 你好" in page.text or "我：你好" in page.text
    assert "热线：" in page.text


async def test_sent_twice_it_comes_once_and_another_text_from_the_same_page_comes_too(browsers):
    browser = browsers()
    token = await browser.csrf()
    said = {"text": "路灯坏了怎么办", "token": (await browser.get("/chat")).hidden("token")}
    await asyncio.gather(*(browser.post("/chat", said, csrf=token) for _ in range(3)))
    assert await mine(browser) == 1
    await browser.post("/chat", said | {"text": "在青年路"})
    assert await mine(browser) == 2


async def test_another_browser_sees_nothing_of_it(browsers):
    await browsers().post("/chat", {"text": "我家在青年路88号", "token": "a"})
    other = await browsers().get("/chat")
    assert "青年路" not in other.text


async def test_nothing_said_is_nothing(browsers):
    browser = browsers()
    for text in ("", "   ", "\0", "\n"):
        await browser.post("/chat", {"text": text, "token": "a"})
    assert await mine(browser) == 0


@pytest.mark.parametrize("token", ["", "\0", "令牌", "x" * 500, "'; DROP TABLE inbox; --", "a\nb"])
async def test_whatever_the_page_s_token_the_message_comes(hostile, token):
    browser = hostile()
    assert (await browser.post("/chat", {"text": "你好\0啊", "token": token})).status == 200
    assert await mine(browser) == 1


async def test_the_bot_tells_no_case_to_who_only_names_a_telephone(browsers, portal):
    owner, thief = browsers(), browsers()
    await owner.proves(portal)
    number = await owner.reports()
    for text in (f"查进度 {PHONE}", f"我是{PHONE}，查进度", "查进度", f"查 {number[-7:]}", number):
        page = await thief.post("/chat", {"text": text, "token": "a"})
        assert "井盖" not in page.text.split(text)[-1]
        assert "已受理" not in page.text
    assert "井盖" in (await owner.post("/chat", {"text": "查进度", "token": "b"})).text


async def test_guessing_codes_by_talk_locks_the_case_and_the_talker(browsers, portal):
    owner = browsers()
    await owner.writes()
    number, code = told(await owner.post("/report/check"))
    for n in range(6):
        thief = browsers()
        page = await thief.post("/chat", {"text": f"{number} 13579{n}", "token": "a"})
        assert "已受理" not in page.text
    assert "一小时后" in (await browsers().post("/cases/find", {"number": number, "code": code})).text


async def test_asking_for_many_numbers_by_talk_has_an_end_whatever_the_session(browsers, portal):
    day = portal.cities.current.effective_from
    statuses = []
    for n in range(1, 33):
        words = f"查 {case_no.grouped(case_no.make('370900', day, n))} 135790"
        statuses.append((await browsers().post("/chat", {"text": words, "token": "a"})).status)
    assert statuses == [200] * 30 + [429] * 2


async def test_one_s_own_number_may_be_named_as_often_as_one_likes(browsers):
    browser = browsers()
    number = await browser.reports()
    for n in range(32):
        page = await browser.post("/chat", {"text": f"查 {number}", "token": f"t{n}"})
    assert page.status == 200


async def test_a_matter_told_in_talk_is_a_case_of_this_browser(browsers):
    browser = browsers()
    await browser.post("/chat", {"text": f"{WORDS}，我叫李四，电话13912345678", "token": "a"})
    page = await browser.post("/chat", {"text": "1", "token": "b"})
    number = first("[0-9]{17}", page.text)
    assert number in (await browser.get("/cases")).html


async def mine(browser):
    return (await browser.get("/chat")).html.count('class="mine"')


@pytest.fixture
async def hostile(database, tmp_path, clock):
    async with (
        running(portal_settings(database, tmp_path), clock=clock) as gateway,
        browsing(gateway) as maker,
    ):
        yield maker


async def test_a_talk_is_found_without_looking_through_every_message(portal):
    conversation = bytes(16)
    query = sa.select(transcript._said(conversation, bytes(16)))
    asked = query.compile(
        dialect=sqlite.dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}
    )
    plan = await portal.books.store.read(
        lambda connection: str(
            connection.execute(sa.text(f"EXPLAIN QUERY PLAN {asked}"), dict(asked.params)).all()
        )
    )
    assert "ix_inbox_talk" in plan
    assert "ix_outgoing_talk" in plan
    assert "SCAN inbox" not in plan
