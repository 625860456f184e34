"""Files, menus and cards out by WeChat: to the stand-in on loopback, within the platform's rules or as text."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from channels.contract import SendError, SendReason, Types
from channels.wechat.channel import build as public
from channels.wechat.kf.channel import build as customer_service
from channels.wechat.miniprogram.channel import build as miniprogram
from gateway.app import listening
from gateway.sandbox.application import PLATFORM, create_sandbox
from gateway.sandbox.platform import Fault, SandboxSettings
from normalizer.message import Address, Card, Menu, OutboundMessage, Part, PartKind
from tests.kit import kf, media
from tests.kit.doors import NOW, Blobs, Uploaded, tools
from tests.kit.wechat import APP_ID, TOKEN, raw_settings

UPLOAD, SEND = "/cgi-bin/media/upload", "/cgi-bin/message/custom/send"
TEXT = "请点开查看：https://12345.example/files/1"
MEGABYTE = 1024 * 1024


class Hall:
    """A citizen before the stand-in, and an account's channel that writes to him."""

    def __init__(self, clock) -> None:
        self.clock, self.blobs, self.uploaded = clock, Blobs(), Uploaded()
        self.channel = None
        self.lines = None

    async def file(self, kind, content, mime, name="", **more) -> Part:
        key = await self.blobs.put(content)
        return Part(kind, blob=key, mime=mime, name=name, size=len(content), **more)

    async def sends(self, number=1, **brings):
        message = OutboundMessage(f"{number:032x}", Address("wx", "oUser"), TEXT, notice="agent", **brings)
        return await self.channel.send(message)


@asynccontextmanager
async def opened(build, **changes):
    sandbox = create_sandbox(SandboxSettings(APP_ID, "secret", TOKEN), clock=NOW.timestamp)
    async with ClientSession() as http, listening(sandbox, "127.0.0.1", 0) as port:
        hall = Hall(NOW)
        given = raw_settings(api_base=f"http://127.0.0.1:{port}") | changes
        hall.channel = build("wx", given, tools(http, blobs=hall.blobs, uploaded=hall.uploaded))
        hall.platform = sandbox[PLATFORM]
        person = hall.platform.person("oUser")
        person.following = True
        hall.platform.wrote(person)
        hall.lines = person.lines
        yield hall


@pytest.fixture
async def wechat():
    async with opened(public) as hall:
        yield hall


@pytest.fixture
async def mini():
    async with opened(miniprogram, kind="miniprogram") as hall:
        yield hall


@pytest.fixture
async def service():
    async with kf.platform(NOW.timestamp) as (platform, port), ClientSession() as http:
        hall = Hall(NOW)
        hall.channel = customer_service(
            "wx", kf.kf_settings(port), tools(http, blobs=hall.blobs, uploaded=hall.uploaded)
        )
        hall.platform, person = platform, platform.person("oUser")
        person.window_until, person.window_left = NOW.timestamp() + 600, 5
        hall.lines = person.lines
        yield hall


FILES = [
    (PartKind.IMAGE, media.photo, "image/jpeg"),
    (PartKind.VOICE, media.voice, "audio/mpeg"),
    (PartKind.VIDEO, media.film, "video/mp4"),
]


@pytest.mark.parametrize(("kind", "make", "mime"), FILES, ids=lambda value: str(value)[:10])
async def test_a_file_arrives_as_what_it_is(wechat, kind, make, mime):
    content = make()
    result = await wechat.sends(part=await wechat.file(kind, content, mime))
    line = wechat.lines[-1]
    assert (result.instead, line.mime) == ("", mime)
    assert wechat.platform.media[line.media].content == content


async def test_the_same_file_is_brought_once_in_three_days_for_all_citizens_and_processes(wechat):
    part = await wechat.file(PartKind.IMAGE, media.photo(), "image/jpeg")
    for number in range(3):
        await wechat.sends(number, part=part)
    assert (wechat.platform.counts["upload"], len(wechat.lines)) == (1, 3)
    ((_, until),) = wechat.uploaded.noted.values()
    assert 60 * 3600 < (until - NOW).total_seconds() < 72 * 3600


async def test_a_file_that_the_platform_lost_is_brought_once_more(wechat):
    part = await wechat.file(PartKind.IMAGE, media.photo(), "image/jpeg")
    await wechat.sends(1, part=part)
    wechat.platform.media.clear()
    result = await wechat.sends(2, part=part)
    assert (result.instead, wechat.platform.counts["upload"], len(wechat.lines)) == ("", 2, 2)


REFUSED = [
    ("a document", PartKind.FILE, b"%PDF-1.7" * 9, "application/pdf", {}, "takes no file"),
    ("too large", PartKind.IMAGE, bytes(10 * MEGABYTE + 1), "image/jpeg", {}, "image of 10485761 bytes"),
    ("too long", PartKind.VOICE, bytes(900), "audio/amr", {"seconds": 61.0}, "voice of 61 s"),
    ("a form", PartKind.IMAGE, bytes(900), "image/heic", {}, "takes no image/heic as image"),
    ("empty", PartKind.IMAGE, b"", "image/jpeg", {}, "image of 0 bytes"),
]


@pytest.mark.parametrize(
    ("kind", "content", "mime", "more", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_what_the_platform_does_not_take_goes_as_a_link_with_the_reason(
    wechat, kind, content, mime, more, why
):
    result = await wechat.sends(part=await wechat.file(kind, content, mime, **more))
    assert why in result.instead
    assert (wechat.lines[-1].text, wechat.platform.counts["upload"]) == (TEXT, 0)


async def test_what_is_another_kind_than_it_says_is_refused_there_and_goes_as_a_link(wechat):
    result = await wechat.sends(part=await wechat.file(PartKind.VIDEO, bytes(900), "video/mp4"))
    assert "errcode 40005" in result.instead
    assert wechat.lines[-1].text == TEXT


@pytest.mark.parametrize("code", [40004, 40006, 40009])
async def test_a_refused_upload_goes_as_a_link(wechat, code):
    wechat.platform.faults[UPLOAD] = deque([Fault("code", code)])
    result = await wechat.sends(part=await wechat.file(PartKind.IMAGE, media.photo(), "image/jpeg"))
    assert f"errcode {code}" in result.instead
    assert wechat.lines[-1].text == TEXT


async def test_a_file_that_is_not_here_any_more_goes_as_a_link(wechat):
    result = await wechat.sends(part=Part(PartKind.IMAGE, blob="0" * 64, mime="image/jpeg", size=900))
    assert "not here any more" in result.instead


@pytest.mark.parametrize(
    ("path", "fault", "reason"),
    [
        (UPLOAD, Fault("status", 502), SendReason.BUSY),
        (UPLOAD, Fault("drop"), SendReason.CONNECTION),
        (UPLOAD, Fault("truncated"), SendReason.CONNECTION),
        (UPLOAD, Fault("code", 45009), SendReason.QUOTA),
        (SEND, Fault("drop"), SendReason.TIMEOUT),
        (SEND, Fault("code", 45015), SendReason.WINDOW),
    ],
    ids=lambda value: str(value)[-20:],
)
async def test_only_a_send_whose_end_is_unknown_is_unknown(wechat, path, fault, reason):
    wechat.platform.faults[path] = deque([fault])
    with pytest.raises(SendError) as failed:
        await wechat.sends(part=await wechat.file(PartKind.IMAGE, media.photo(), "image/jpeg"))
    assert (failed.value.reason, wechat.lines) == (reason, [])


MENU = Menu("问题解决了吗？", (("1", "已解决"), ("2", "未解决")), "点一下即可")


async def test_a_menu_can_be_tapped(wechat, service):
    for hall in (wechat, service):
        result = await hall.sends(menu=MENU)
        assert (result.instead, hall.lines[-1].choices) == ("", MENU.choices)


async def test_an_account_without_the_right_to_menus_sends_the_text(wechat):
    wechat.platform.faults[SEND] = deque([Fault("code", 40200)])
    result = await wechat.sends(menu=MENU)
    assert "errcode 40200" in result.instead
    assert wechat.lines[-1].text == TEXT


async def test_a_card_opens_a_page_of_the_mini_program(wechat, mini, service):
    for hall in (wechat, mini, service):
        card = Card("wx0123", "pages/case/case?no=1", "我的诉求", await hall.blobs.put(media.photo()))
        result = await hall.sends(card=card)
        assert (result.instead, hall.platform.counts["upload"]) == ("", 1)
        assert hall.lines[-1].text == "〔我的诉求〕pages/case/case?no=1"
        bare = await hall.sends(2, card=Card("wx0123", "p", "t", ""))
        assert bare.instead == "takes none without a picture"


async def test_a_link_is_shown_with_its_title(wechat, mini, service):
    part = Part(PartKind.LINK, text="办事指南", url="https://12345.example/x", name="怎么办")
    for hall in (wechat, mini):
        assert (await hall.sends(part=part)).instead == ""
        assert hall.lines[-1].text == "〔办事指南〕https://12345.example/x"
    assert "picture" in (await service.sends(part=part)).instead


async def test_a_mini_program_takes_pictures_alone(mini):
    assert (
        await mini.sends(1, part=await mini.file(PartKind.IMAGE, media.photo(), "image/jpeg"))
    ).instead == ""
    result = await mini.sends(2, part=await mini.file(PartKind.VIDEO, bytes(900), "video/mp4"))
    assert "takes no video" in result.instead


@pytest.mark.parametrize(
    ("kind", "content", "mime"),
    [
        (PartKind.IMAGE, media.photo(), "image/jpeg"),
        (PartKind.VOICE, b"#!AMR\n" + bytes(900), "audio/amr"),
        (PartKind.VOICE, b"ID3" + bytes(900), "audio/mpeg"),
        (PartKind.FILE, b"%PDF-1.7" * 90, "application/pdf"),
    ],
    ids=["photo", "recording", "a recording that it takes as a document", "document"],
)
async def test_customer_service_takes_documents_too(service, kind, content, mime):
    result = await service.sends(part=await service.file(kind, content, mime, "办理 结果.pdf"))
    assert (result.instead, result.names) == ("", (f"{1:032x}",))
    assert service.platform.media[service.lines[-1].media][0] == content


async def test_customer_service_sends_the_text_for_what_is_too_large(service):
    part = Part(PartKind.FILE, blob="0" * 64, mime="application/zip", size=21 * MEGABYTE)
    assert "takes 6 to 20971520" in (await service.sends(part=part)).instead
    assert service.lines[-1].text == TEXT


async def test_a_citizen_sees_that_somebody_writes(wechat, mini, service):
    assert not isinstance(service.channel, Types)
    for hall in (wechat, mini):
        assert isinstance(hall.channel, Types)
        await hall.channel.types("oUser")
        await hall.channel.types("oUser")
        await hall.channel.rests("oUser")
        await hall.channel.types("oUser")
        assert hall.platform.counts["typing"] == 2
        with pytest.raises(SendError) as failed:
            await hall.channel.types("oNobody")
        assert failed.value.reason is SendReason.UNREACHABLE
