"""The stand-in keeps the platform's rules, so that what it praises would be praised by the platform."""

import asyncio
from collections import deque

import pytest
from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

from gateway.sandbox.application import DRIVER, PLATFORM, create_sandbox
from gateway.sandbox.platform import FAULT, Fault, SandboxSettings
from gateway.sandbox.weather import SLOW_MS, Weather
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN


class Clock:
    now = 1_795_500_000.0

    def __call__(self) -> float:
        return self.now


class Account:
    """A callback written with the provider's library."""

    def __init__(self) -> None:
        self.answer: str | None = "您好"
        self.delays: list[float] = []
        self.status = 200
        self.calls = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        if self.answer is None:
            return web.Response(text="success", status=self.status)
        body, query = await request.text(), request.query
        crypto = WeChatCrypto(TOKEN, AES_KEY, APP_ID)
        if "msg_signature" in query:
            body = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        reply = create_reply(self.answer, parse_message(body)).render()
        if "msg_signature" in query:
            reply = crypto.encrypt_message(reply, query["nonce"], query["timestamp"])
        return web.Response(text=reply, status=self.status)


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_reply_arrives_in_every_mode(house, mode):
    app, account, _ = await house(mode=mode)
    person = app[PLATFORM].person("o1")
    await app[DRIVER].write(person, "井盖丢了")
    assert [(line.who, line.text, line.way) for line in person.lines] == [
        ("citizen", "井盖丢了", ""),
        ("account", "您好", "passive"),
    ]
    assert account.calls == 1


async def test_no_answer_in_time_is_tried_three_times_and_then_a_fault(house):
    app, account, _ = await house()
    app[DRIVER]._seconds = 0.05
    account.delays = [0.3, 0.3, 0.3]
    person = app[PLATFORM].person("o1")
    await app[DRIVER].write(person, "在吗")
    assert account.calls == 3
    assert person.lines[-1].text == FAULT
    assert app[PLATFORM].counts["retries"] == 2


async def test_an_error_is_tried_again_and_the_answer_counts(house):
    app, account, _ = await house()
    account.status = 503
    app[DRIVER]._pause = lambda seconds: _mend(account)
    person = app[PLATFORM].person("o1")
    await app[DRIVER].write(person, "在吗")
    assert (account.calls, person.lines[-1].way) == (2, "passive")


async def _mend(account: Account) -> None:
    account.status = 200


@pytest.mark.parametrize(
    ("answer", "outcome"), [(None, "silent"), ("字" * 683, "too_long"), ("字" * 600, "passive")]
)
async def test_what_became_of_an_answer(house, answer, outcome):
    app, account, _ = await house()
    account.answer = answer
    await app[DRIVER].write(app[PLATFORM].person("o1"), "在吗")
    assert app[PLATFORM].counts[outcome] == 1


async def test_the_window_and_its_count_are_the_platforms(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    person = platform.person("o1")
    await app[DRIVER].act(person, "subscribe")
    sent = [await _send(client, platform) for _ in range(4)]
    assert sent == [0, 0, 0, 45047]
    await app[DRIVER].write(person, "在吗")
    assert [await _send(client, platform) for _ in range(6)] == [0] * 5 + [45047]
    await app[DRIVER].write(person, "在吗")
    platform.clock.now += 48 * 3600 + 1
    assert await _send(client, platform) == 45015
    await app[DRIVER].act(person, "unsubscribe")
    assert await _send(client, platform) == 45015


async def test_tokens_live_as_the_documents_say(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    first, again = await _stable(client), await _stable(client)
    assert first["access_token"] == again["access_token"]
    platform.rotate()
    answer = await _post(client, "/cgi-bin/message/custom/send", {"touser": "o1"}, first["access_token"])
    assert (answer["errcode"], "rid:" in answer["errmsg"]) == (40001, True)
    second = await _stable(client)
    platform.expire()
    answer = await _post(client, "/cgi-bin/message/custom/send", {}, second["access_token"])
    assert answer["errcode"] == 42001
    forced = [(await _stable(client, force_refresh=True)).get("errcode", 0) for _ in range(2)]
    assert forced == [0, 45009]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"appid": "other"}, 40013), ({"secret": "other"}, 40125)],
)
async def test_wrong_credentials_are_named(house, changes, code):
    _, _, client = await house()
    assert (await _stable(client, **changes))["errcode"] == code


async def test_an_address_that_is_not_allowed_is_told_which_it_is(house):
    app, _, client = await house()
    app[PLATFORM].allowed_ips = frozenset({"10.0.0.1"})
    answer = await _stable(client)
    assert (answer["errcode"], "127.0.0.1" in answer["errmsg"]) == (40164, True)


async def test_faults_come_when_they_are_ordered(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    person = platform.person("o1")
    await app[DRIVER].act(person, "subscribe")
    path = "/cgi-bin/message/custom/send"
    platform.faults[path] = deque([Fault("code", -1), Fault("status", 502)])
    assert await _send(client, platform) == -1
    token = (await _stable(client))["access_token"]
    assert (await client.post(path, params={"access_token": token}, json={})).status == 502


SEND = "/cgi-bin/message/custom/send"


async def test_calls_are_counted_by_minute_and_by_day_and_cleared_on_wish(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    await app[DRIVER].write(platform.person("o1"), "在吗")
    platform.person("o1").following = True
    for change in ({"minute": 2}, {"day": 3}):
        order = {"do": "quota", "path": SEND} | change
        assert (await client.post("/_sim/platform", json=order)).status == 200
    assert [await _send(client, platform) for _ in range(3)] == [0, 0, 45011]
    platform.clock.now += 61
    assert [await _send(client, platform) for _ in range(2)] == [0, 45009]
    token = (await _stable(client))["access_token"]
    told = await _post(client, "/cgi-bin/openapi/quota/get", {"cgi_path": SEND}, token)
    assert told["quota"] == {"daily_limit": 3, "used": 3, "remain": 0}
    platform.clock.now += 61
    assert (await _post(client, "/cgi-bin/clear_quota", {"appid": APP_ID}, token))["errcode"] == 0
    assert await _send(client, platform) == 0
    platform.clock.now += 24 * 3600
    assert await _send(client, platform) == 0


async def test_a_slow_call_goes_well_after_a_while(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    await app[DRIVER].act(platform.person("o1"), "subscribe")
    platform.weather = Weather(1.0, kinds=("slow",), paths=frozenset({SEND})).fault
    sent = asyncio.create_task(_send(client, platform))
    assert not (await asyncio.wait({sent}, timeout=SLOW_MS / 2000))[0]
    assert await sent == 0


async def test_who_follows_is_told_one_by_one_and_recordings_come_by_a_pages_address_too(house):
    app, _, client = await house()
    platform = app[PLATFORM]
    platform.person("o1").following = True
    token = (await _stable(client))["access_token"]
    asked = [{"access_token": token, "openid": openid} for openid in ("o1", "o2")]
    told = [
        await (await client.get("/cgi-bin/user/info", params=each)).json(content_type=None) for each in asked
    ]
    assert [each["subscribe"] for each in told] == [1, 0]
    query = {"access_token": token, "media_id": platform.keep(b"#!SPEEX", "audio/speex")}
    answer = await client.get("/cgi-bin/media/get/jssdk", params=query)
    assert (await answer.read(), answer.content_type) == (b"#!SPEEX", "audio/speex")


async def test_the_page_is_served_under_a_strict_policy(house):
    _, _, client = await house()
    page = await client.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "市民的手机" in await page.text()
    state = await (await client.get("/_sim/state")).json()
    assert [person["name"] for person in state["people"]] == ["张阿姨", "李先生", "王女士", "赵师傅"]


async def _stable(client, **changes):
    body = {"grant_type": "client_credential", "appid": APP_ID, "secret": "secret"} | changes
    return await (await client.post("/cgi-bin/stable_token", json=body)).json(content_type=None)


async def _post(client, path, body, token):
    return await (await client.post(path, params={"access_token": token}, json=body)).json(content_type=None)


async def _send(client, platform):
    token = (await _stable(client))["access_token"]
    body = {"touser": "o1", "msgtype": "text", "text": {"content": "您好"}}
    return (await _post(client, "/cgi-bin/message/custom/send", body, token))["errcode"]


@pytest.fixture
async def house(aiohttp_client, aiohttp_server):
    async def make(mode="safe"):
        account = Account()
        callback = web.Application()
        callback.router.add_post("/wx", account.handle)
        server = await aiohttp_server(callback)
        settings = SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY, mode, str(server.make_url("/wx")))
        app = create_sandbox(settings, clock=Clock())
        client = await aiohttp_client(app)
        return app, account, client

    return make
