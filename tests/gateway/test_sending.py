"""What the desk sends beside words: a file on every channel, a menu, a card; and that somebody is writing."""

from __future__ import annotations

import asyncio
import io
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import ClientSession
from PIL import Image
from sqlalchemy import select

from gateway.desk.hands import Held
from gateway.desk.presence import State
from gateway.desk.rights import Role
from gateway.media.intake import Claim
from gateway.sandbox.platform import Fault
from gateway.store import desk as sql
from gateway.store.tables import OUTGOING
from normalizer.errors import NotFound
from normalizer.message import Address, Card, Menu
from tests.kit import media
from tests.kit.standin import Phone, phone, until

SITE = "https://12345.example"


@dataclass
class Desk:
    """An agent before a citizen's talk."""

    citizen: Phone
    talk: bytes
    agent: str = "agent-7"

    async def uploads(self, content: bytes, name: str) -> str:
        claim = Claim(self.agent, name, lives=timedelta(hours=24))
        return (await self.gateway.media.intake.take(media.streamed(content), claim)).key

    @property
    def gateway(self):
        return self.citizen.gateway

    async def sends(self, content: bytes, name: str):
        """Send a file, and return the line that the citizen sees of it."""
        before = len(self.citizen.person.lines)
        key = await self.uploads(content, name)
        prepared = await self.gateway.sending.file(self.talk, self.agent, key)
        await self.gateway.sending.queue(self.talk, prepared)
        await until(lambda: len(self.citizen.person.lines) > before)
        return self.citizen.person.lines[-1]

    async def settled(self) -> tuple[str, str]:
        """State and outcome of the last that was queued, once it was sent."""
        async with asyncio.timeout(10):
            while (found := await self.record())[0] != "sent":
                await asyncio.sleep(0.02)
        return found

    async def record(self) -> tuple[str, str]:
        """State and outcome of the last that was queued."""
        query = select(OUTGOING.c.state, OUTGOING.c.outcome).order_by(OUTGOING.c.id.desc()).limit(1)
        found = await self.gateway.books.store.read(lambda c: c.execute(query).one())
        return found.state, found.outcome


@pytest.fixture
async def desk(database, tmp_path, clock):
    async with phone(database, tmp_path, clock, public_url=SITE) as citizen:
        await citizen.says("你好")
        talk = citizen.gateway.books.sealer.conversation("wx", citizen.openid)
        yield Desk(citizen, talk)


async def test_a_photo_arrives_as_a_photo_without_what_was_hidden_in_it(desk):
    line = await desk.sends(media.photo(), "现场.jpg")
    content = desk.citizen.platform.media[line.media].content
    assert line.mime == "image/jpeg"
    with Image.open(io.BytesIO(content)) as picture:
        assert dict(picture.getexif()) == {}
    assert await desk.settled() == ("sent", "")


async def test_a_document_goes_as_a_link_that_opens_for_a_week_and_the_record_says_why(desk):
    line = await desk.sends(media.pdf(), "办理结果.pdf")
    assert "《办理结果.pdf》" in line.text
    link = line.text.partition(SITE)[2]
    assert await desk.settled() == ("sent", "takes no file")
    async with ClientSession() as http:
        desk.citizen.clock.wait(days=6)
        await desk.gateway.media.retention.forget()
        async with http.get(desk.citizen.address + link) as opened:
            assert (opened.status, await opened.read()) == (200, media.pdf())
        desk.citizen.clock.wait(days=2)
        async with http.get(desk.citizen.address + link) as late:
            assert late.status == 404


async def test_a_busy_platform_gets_the_file_later_and_once(desk):
    desk.citizen.platform.faults["/cgi-bin/media/upload"] = deque([Fault("status", 502)])
    key = await desk.uploads(media.photo(), "a.jpg")
    await desk.gateway.sending.queue(desk.talk, await desk.gateway.sending.file(desk.talk, desk.agent, key))

    async def arrived():
        desk.citizen.clock.wait(seconds=5)
        return (await desk.record())[0] == "sent"

    await until(arrived)
    assert [line.mime for line in desk.citizen.person.lines if line.media] == ["image/jpeg"]


async def test_a_menu_is_tapped_and_answered_by_words(desk):
    menu = Menu("问题解决了吗？", (("1", "已解决"), ("2", "未解决")))
    prepared = await desk.gateway.sending.menu(desk.talk, menu)
    assert prepared.text == "问题解决了吗？\n1 已解决\n2 未解决"
    await desk.gateway.sending.queue(desk.talk, prepared)
    await until(lambda: desk.citizen.person.lines[-1].choices == menu.choices)


async def test_a_card_without_a_picture_is_told_in_words(desk):
    card = Card("wx1", "pages/case/case", "我的诉求", "")
    prepared = await desk.gateway.sending.card(desk.talk, card, "请打开小程序查看")
    await desk.gateway.sending.queue(desk.talk, prepared)
    await until(lambda: desk.citizen.heard[-1] == "请打开小程序查看")


async def test_an_agents_reply_brings_a_file_that_can_be_taken_back(desk):
    gateway, citizen = desk.gateway, desk.citizen
    agent, held = await _taken(desk)
    key = await desk.uploads(media.photo(), "a.jpg")
    prepared = await gateway.sending.file(desk.talk, desk.agent, key)
    written = await gateway.desk.reply(
        agent, desk.talk, held.epoch, prepared.text, "e1", fields=prepared.fields
    )
    await gateway.desk.undo(agent, desk.talk, held.epoch, written.row)
    await gateway.desk.reply(agent, desk.talk, held.epoch, prepared.text, "e2", fields=prepared.fields)
    citizen.clock.wait(minutes=1)
    await until(lambda: citizen.person.lines[-1].mime == "image/jpeg")
    assert sum(bool(line.media) for line in citizen.person.lines) == 1


async def test_nobody_elses_file_can_be_sent_nor_to_no_talk(desk):
    key = await desk.uploads(media.photo(), "a.jpg")
    with pytest.raises(NotFound):
        await desk.gateway.sending.file(desk.talk, "agent-8", key)
    with pytest.raises(NotFound):
        await desk.gateway.sending.file(bytes(16), desk.agent, key)


async def test_the_citizen_sees_that_somebody_writes_however_fast_the_agent_types(desk):
    await desk.citizen.says("还有")
    shown = [await desk.gateway.sending.types(desk.talk) for _ in range(5)]
    assert (shown, desk.citizen.platform.counts["typing"]) == ([True] + [False] * 4, 1)
    await desk.gateway.sending.rests(desk.talk)
    assert await desk.gateway.sending.types(desk.talk)


async def _taken(desk) -> tuple[bytes, Held]:
    """Let an agent take the talk."""
    gateway = desk.gateway
    password = await gateway.accounts.add("li", "李", Role.AGENT)
    _, account = await gateway.accounts.verify("li", password)
    await gateway.desk.choose(account.id, State.BUSY)
    await gateway.desk.beat(account.id, "tab")
    talk = await gateway.books.store.read(lambda c: sql.seen(c, desk.talk))
    return account.id, await gateway.desk.take(account.id, desk.talk, talk.epoch)


async def test_by_text_message_the_link_is_said(database, tmp_path, clock):
    channels = {"sms": {"kind": "memory", "phones": True}}
    async with phone(database, tmp_path, clock, public_url=SITE, channels=channels) as citizen:
        gateway = citizen.gateway
        await gateway.office.tell(Address("sms", "13812345678"), "reply", "您好")
        desk = Desk(citizen, gateway.books.sealer.conversation("sms", "13812345678"))
        key = await desk.uploads(media.photo(), "现场.jpg")
        await gateway.sending.queue(desk.talk, await gateway.sending.file(desk.talk, desk.agent, key))
        sent = gateway.channels["sms"].sent
        await until(lambda: len(sent) == 2)
        link = sent[1].text.partition(SITE)[2]
        async with ClientSession() as http, http.get(citizen.address + link) as opened:
            assert (opened.status, opened.content_type) == (200, "image/jpeg")
        assert len(f"{SITE}{link}") <= 50


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda word: f"1{word[1:]}", id="another number"),
        pytest.param(lambda word: word[:-1] + ("A" if word[-1] != "A" else "B"), id="another mark"),
        pytest.param(lambda word: word.partition(".")[0], id="no mark"),
        pytest.param(lambda word: f"x{word}", id="no number"),
        pytest.param(lambda word: f"{'9' * 40}{word[1:]}", id="a number beyond all"),
    ],
)
async def test_a_short_link_that_is_not_genuine_opens_nothing(desk, change):
    await desk.sends(media.pdf(), "一.pdf")
    line = await desk.sends(media.pdf(), "二.pdf")
    word = line.text.partition(f"{SITE}/f/")[2]
    async with ClientSession() as http:
        async with http.get(f"{desk.citizen.address}/f/{word}") as opened:
            assert opened.status == 200
        async with http.get(f"{desk.citizen.address}/f/{change(word)}") as refused:
            assert refused.status == 404
