"""What the tests of SMS providers with an HTTP interface share: settings, a peer that answers as told, a caller."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web

from channels.contract import SendError
from channels.registry import ADAPTERS
from normalizer.message import Address, OutboundMessage
from tests.kit.doors import Counts, Door, Receipts, tools

SECRET = "a-path-nobody-guesses"
NUMBER = "13812345678"
MESSAGE = OutboundMessage(
    "0f" * 16, Address("sms", NUMBER), "您的诉求已受理", notice="accepted", case_no="37092611240001233"
)
COMMON = {"callback_secret": SECRET, "signature": "泰安12345"}
SETTINGS = {
    "aliyun": {
        **COMMON,
        "kind": "aliyun",
        "access_key_id": "testKeyId",
        "access_key_secret": "testSecret",
        "templates": {"accepted": "SMS_1"},
        "text_template": "SMS_9",
    },
    "tencent": {
        **COMMON,
        "kind": "tencent",
        "secret_id": "testKeyId",
        "secret_key": "testSecret",
        "app_id": "1400006666",
        "templates": {"accepted": "11"},
        "text_template": "99",
    },
    "huawei": {
        **COMMON,
        "kind": "huawei",
        "app_key": "testKeyId",
        "app_secret": "testSecret",
        "sender": "8824110605***",
        "report_url": "https://hotline.example/channels/sms/a-path-nobody-guesses/report",
        "templates": {"accepted": "t1"},
        "text_template": "t9",
    },
}


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """A provider that keeps what it is asked and answers as it is told; "cut" drops the line, "hang" says nothing."""

    good: object
    answers: deque = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        url = request.rel_url
        self.asked.append(Asked(request.method, url.raw_path, url.raw_query_string, headers, body))
        answer = self.answers.popleft() if self.answers else self.good
        if answer == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)


@dataclass
class Account:
    """An adapter under test with everything around it; ``peer`` is its provider, ``client`` calls it back."""

    channel: Any
    peer: Peer
    client: Any
    door: Door
    receipts: Receipts
    counts: Counts

    async def call(self, path: str, body: object = None, *, secret=SECRET, method="POST", **request):
        how = {"json": body} if isinstance(body, dict | list) else {"data": body}
        return await self.client.request(method, f"/channels/sms/{secret}/{path}", **how, **request)


async def failed(account: Account, answer: object) -> tuple:
    """Return the reason and the wait of the error that an answer to a send makes."""
    account.peer.answers.append(answer)
    with pytest.raises(SendError) as error:
        await account.channel.send(MESSAGE)
    assert NUMBER not in str(error.value)
    return error.value.reason, error.value.retry_after


def maker(settings: dict[str, Any], good: object, aiohttp_server, aiohttp_client, http: ClientSession):
    """Return a function that makes an account of these settings, changed as named; ``good`` is the peer's answer."""

    async def make(**changes) -> Account:
        peer, door, receipts, counts = Peer(good), Door(reply=None), Receipts(), Counts()
        server = await aiohttp_server(peer.app())
        here = {"api_base": str(server.make_url("")).rstrip("/")}
        build = ADAPTERS[settings["kind"]]
        channel = build("sms", settings | here | changes, tools(http, door, counts, receipts=receipts))
        app = web.Application()
        for route in channel.routes():
            app.router.add_route(route.method, f"/channels/sms{route.path}", route.handler)
        return Account(channel, peer, await aiohttp_client(app), door, receipts, counts)

    return make
