"""A file that the desk sends to somebody at the page: it stands in the talk and opens there."""

from __future__ import annotations

import re

from sqlalchemy import select

from gateway.media.intake import Claim
from gateway.store.tables import CONVERSATION
from tests.kit import media
from tests.kit.browser import first


async def test_a_file_stands_in_the_talk_and_opens_for_who_has_the_link(browsers, portal):
    browser = browsers()
    await browser.post("/chat", {"text": "你好", "token": "a"})
    query = select(CONVERSATION.c.id).where(CONVERSATION.c.account == "web")
    talk = await portal.books.store.read(lambda c: c.execute(query).scalar_one())
    taken = await portal.media.intake.take(media.streamed(media.pdf()), Claim("agent-7", "办理 结果.pdf"))
    await portal.sending.queue(talk, await portal.sending.file(talk, "agent-7", taken.key))
    page = await browser.get("/chat")
    assert "文件《办理 结果.pdf》" in page.text
    link = first(r'href="(?=/f/)([^"]+)', page.html).removeprefix('href="')
    opened = await browser.client.get(link)
    assert (opened.status, await opened.read()) == (200, media.pdf())
    assert (await browser.client.get(re.sub("[0-9]+", "77", link, count=1))).status == 404
    signed = str(opened.url.relative())
    assert (await browser.client.get(re.sub("[0-9]{10}", "9999999999", signed))).status == 404


async def test_what_a_citizen_writes_is_never_a_link(browsers):
    browser = browsers()
    await browser.post("/chat", {"text": f"看 /files/{'a' * 64}?o=1", "token": "a"})
    assert 'href="/files/' not in (await browser.get("/chat")).html
    await browser.post("/chat", {"text": "看 /f/1.1QTsJ0TRg9U_", "token": "b"})
    assert 'href="/f/' not in (await browser.get("/chat")).html
