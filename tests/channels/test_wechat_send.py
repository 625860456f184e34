import asyncio
import json
from collections import deque

import pytest
from aiohttp import ClientSession, web

from channels.contract import SendError, SendReason
from channels.wechat.channel import build
from channels.wechat.errors import error_of
from channels.wechat.notify import fit
from channels.wechat.quota import grant
from channels.wechat.results import Agreed, Arrived, results
from gateway.bus import MemoryBus
from normalizer.message import (
    Address,
    Delivery,
    EventKind,
    InboundMessage,
    OutboundMessage,
    Part,
    PartKind,
    SourceChannel,
)
from tests.kit.wechat import NOW, Counts, raw_settings, tools

TEXT = OutboundMessage("1" * 32, Address("wx", "oUser"), "您的诉求已受理")


class Provider:
    """A provider that answers as it is told, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: deque = deque()
        self.asked: list[tuple[str, dict]] = []
        self.tokens = 0
        self.good = "t0"

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_post("/{path:.*}", self._call)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        self.tokens += 1
        await asyncio.sleep(0.01)
        return web.json_response({"access_token": self.good, "expires_in": 7200})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        raw = await request.text()
        self.asked.append((request.path, json.loads(raw)))
        assert "\\u" not in raw
        if request.query["access_token"] != self.good:
            return web.json_response({"errcode": 40001, "errmsg": "invalid credential rid: 1-2"})
        answer = self.answers.popleft() if self.answers else {"errcode": 0}
        if isinstance(answer, web.Response):
            return answer
        if answer == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(text=json.dumps(answer), content_type="text/plain")


async def test_a_text_is_sent_with_its_characters_as_they_are(wechat):
    channel, provider, _ = await wechat()
    await channel.send(TEXT)
    body = {"touser": "oUser", "msgtype": "text", "text": {"content": "您的诉求已受理"}}
    assert provider.asked == [("/cgi-bin/message/custom/send", body)]


async def test_a_template_carries_our_id_and_cut_values(wechat):
    channel, provider, _ = await wechat()
    await channel.send(
        OutboundMessage("2" * 32, TEXT.address, "x", template="T1", fields={"thing1": "字" * 30})
    )
    body = provider.asked[0][1]
    assert body["client_msg_id"] == "2" * 32
    assert body["data"]["thing1"]["value"] == "字" * 19 + "…"


FAILURES = [
    ({"errcode": -1, "errmsg": "busy"}, SendReason.BUSY, True),
    ({"errcode": 45011}, SendReason.THROTTLED, True),
    ({"errcode": 45015}, SendReason.WINDOW, False),
    ({"errcode": 45047}, SendReason.WINDOW, False),
    ({"errcode": 43004}, SendReason.UNREACHABLE, False),
    ({"errcode": 45009}, SendReason.QUOTA, False),
    ({"errcode": 48001}, SendReason.FORBIDDEN, False),
    ({"errcode": 47003}, SendReason.CONTENT, False),
    ({"errcode": 999999}, SendReason.CONTENT, False),
    ("cut", SendReason.TIMEOUT, False),
    (web.Response(text='{"errc'), SendReason.TIMEOUT, False),
    (web.Response(status=502), SendReason.BUSY, True),
    (web.Response(status=429), SendReason.THROTTLED, True),
]


@pytest.mark.parametrize(("answer", "reason", "retryable"), FAILURES, ids=lambda value: str(value)[:30])
async def test_every_failure_has_its_reason(wechat, answer, reason, retryable):
    channel, provider, _ = await wechat()
    provider.answers.append(answer)
    with pytest.raises(SendError) as failed:
        await channel.send(TEXT)
    assert (failed.value.reason, failed.value.retryable) == (reason, retryable)


async def test_a_duplicate_by_our_id_counts_as_sent(wechat):
    channel, provider, _ = await wechat()
    provider.answers.append({"errcode": 45065})
    await channel.send(OutboundMessage("2" * 32, TEXT.address, "x", template="T1"))


async def test_a_provider_that_is_not_there_may_be_tried_again(wechat):
    channel, _, _ = await wechat(api_base="http://127.0.0.1:9")
    with pytest.raises(SendError) as failed:
        await channel.send(TEXT)
    assert failed.value.reason is SendReason.CONNECTION


async def test_a_dead_token_is_renewed_once_and_the_message_sent(wechat):
    channel, provider, counts = await wechat()
    await channel.send(TEXT)
    provider.good = "t1"
    await channel.send(TEXT)
    assert (provider.tokens, counts.tokens) == (2, 2)


async def test_many_senders_fetch_one_token_per_rotation(aiohttp_server):
    provider, keys = Provider(), MemoryBus()
    server = await aiohttp_server(provider.app())
    async with ClientSession() as http:
        settings = raw_settings(api_base=str(server.make_url("")).rstrip("/"))
        channels = [build("wx", settings, tools(http, keys=keys)) for _ in range(8)]
        for rotation in range(3):
            provider.good = f"t{rotation}"
            await asyncio.gather(*(channel.send(TEXT) for channel in channels for _ in range(5)))
        assert provider.tokens == 3


async def test_a_provider_that_calls_every_token_dead_is_not_asked_for_ever(wechat):
    channel, provider, _ = await wechat()
    provider.answers.extend([{"errcode": 40001}] * 50)
    with pytest.raises(SendError) as failed:
        await channel.send(TEXT)
    assert failed.value.reason is SendReason.CREDENTIALS
    assert len(provider.asked) == 2


def test_an_error_keeps_the_trace_and_nothing_that_was_said():
    error = error_of({"errcode": 45002, "errmsg": "张三13812345678 content too long rid: 5f-1a hint"})
    assert error is not None
    assert error.detail == "errcode 45002 rid: 5f-1a"


@pytest.mark.parametrize(
    ("part", "seconds", "count"),
    [
        (Part(PartKind.TEXT, text="x"), 48 * 3600, 5),
        (Part(PartKind.IMAGE), 48 * 3600, 5),
        (Part(PartKind.EVENT, event=EventKind.CLICK), 60, 3),
        (Part(PartKind.EVENT, event=EventKind.SUBSCRIBE), 60, 3),
        (Part(PartKind.EVENT, event=EventKind.SCAN), 60, 3),
        (Part(PartKind.EVENT, event=EventKind.UNSUBSCRIBE), 0, 0),
    ],
)
def test_the_leave_to_write_is_the_platforms(part, seconds, count):
    given = grant(InboundMessage("wx", "o", "1", SourceChannel.WECHAT, NOW, NOW, (part,), b""))
    assert given is not None
    assert ((given.until - NOW).total_seconds(), given.count) == (seconds, count)


def test_a_page_view_gives_no_leave():
    part = Part(PartKind.EVENT, event=EventKind.VIEW)
    assert grant(InboundMessage("wx", "o", "1", SourceChannel.WECHAT, NOW, NOW, (part,), b"")) is None


@pytest.fixture
async def wechat(aiohttp_server):
    async with ClientSession() as http:

        async def make(**changes):
            provider, counts = Provider(), Counts()
            server = await aiohttp_server(provider.app())
            settings = raw_settings(**({"api_base": str(server.make_url("")).rstrip("/")} | changes))
            return build("wx", settings, tools(http, counts=counts)), provider, counts

        yield make


@pytest.mark.parametrize(
    ("name", "value", "fitted"),
    [
        ("thing1", "市城市管理局 请到现场\n处理", "市城市管理局 请到现场 处理"),
        ("thing1", "请拨打13812345678联系承办单位的工作人员王", "请拨打138****5678联系承办单…"),
        ("number2", "第12.5号", "12.5"),
        ("number2", "没有", "0"),
        ("character_string3", "37092611240001233号", "37092611240001233"),
        ("phrase4", "已转办123办理中了", "已转办办理"),
        ("name5", "泰安市泰山区东岳街道办事处", "泰安市泰山区东岳街道"),
        ("date6", "2026年11月24日", "2026年11月24日"),
        ("thing7", "", "无"),
    ],
)
def test_a_value_is_made_to_fit_its_field(name, value, fitted):
    assert fit(name, value) == fitted


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "7", "Status": "success"},
            [Arrived("7", Delivery.DELIVERED, "")],
        ),
        (
            {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "7", "Status": "failed:user block"},
            [Arrived("7", Delivery.FAILED, "failed:user block")],
        ),
        (
            {
                "Event": "subscribe_msg_popup_event",
                "SubscribeMsgPopupEvent": {
                    "List": [
                        {"TemplateId": "A", "SubscribeStatusString": "accept"},
                        {"TemplateId": "B", "SubscribeStatusString": "reject"},
                    ]
                },
            },
            [Agreed("A", True), Agreed("B", False)],
        ),
        (
            {
                "Event": "subscribe_msg_change_event",
                "List": {"TemplateId": "A", "SubscribeStatusString": "reject"},
            },
            [Agreed("A", False)],
        ),
        (
            {
                "Event": "subscribe_msg_sent_event",
                "List": {"TemplateId": "A", "MsgID": "9", "ErrorCode": "0", "ErrorStatus": "success"},
            },
            [Arrived("9", Delivery.DELIVERED, "")],
        ),
        ({"Event": "subscribe_msg_sent_event", "List": "no list"}, []),
        ({"Event": "CLICK", "EventKey": "report"}, []),
    ],
)
def test_what_the_platform_tells_later(fields, told):
    assert list(results(fields)) == told
