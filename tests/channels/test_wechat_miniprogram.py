"""A mini-program's callbacks and the leave to write that they give (wechat.md 2.1, 2.5)."""

import json
from datetime import timedelta

import pytest
import xmltodict
from aiohttp import ClientSession

from channels.wechat.miniprogram.channel import build
from normalizer.message import SourceChannel
from tests.kit.wechat import NOW, Counts, Door, app_of, raw_settings, request, tools, xml

URL = "/channels/wx"


def as_json(mode="safe", message=None, **wrong):
    """Return (query, body) of a message in JSON as the provider sends it, sealed by the provider's own library."""
    message = message or json.dumps(TELLS, ensure_ascii=False)
    query, body = request(message, mode="plain" if mode == "plain" else "safe", **wrong)
    if mode == "plain":
        return query, message
    sealed = {"Encrypt": xmltodict.parse(body)["xml"]["Encrypt"], "ToUserName": "gh_1"}
    return query, json.dumps(sealed | (TELLS if mode == "compatible" else {}), ensure_ascii=False)


TELLS = {
    "ToUserName": "gh_1",
    "FromUserName": "oUser",
    "CreateTime": int(NOW.timestamp()),
    "MsgType": "text",
    "Content": "井盖丢了",
    "MsgId": 23637352235060880,
}


@pytest.fixture
async def account(aiohttp_client):
    async with ClientSession() as http:

        async def made(mode, form="xml"):
            door = Door()
            channel = build(
                "wx", raw_settings(kind="miniprogram", mode=mode, format=form), tools(http, door, Counts())
            )
            return await aiohttp_client(app_of(channel)), door, channel

        yield made


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_message_is_taken_in_every_mode_as_the_mini_programs(account, mode):
    client, door, _ = await account(mode)
    query, body = request(xml("井盖丢了"), mode=mode)
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == 200
    (message,) = door.messages
    assert (message.text, message.source) == ("井盖丢了", SourceChannel.MINIPROGRAM)


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_json_is_taken_in_every_mode(account, mode):
    client, door, _ = await account(mode, "json")
    query, body = as_json(mode)
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == 200
    (message,) = door.messages
    assert (message.text, message.sender, message.external_id) == ("井盖丢了", "oUser", "23637352235060880")
    assert message.sent_at == NOW


BROKEN = [
    pytest.param("[" * 60_000, id="nested without end"),
    pytest.param('["a"]', id="no object"),
    pytest.param("{}", id="empty"),
    pytest.param('{"MsgType": "text", "MsgType": "text"}', id="a name twice"),
    pytest.param('{"CreateTime": NaN}', id="a number that is none"),
    pytest.param("<xml><MsgType>text</MsgType></xml>", id="XML"),
    pytest.param("{" + ",".join(f'"f{n}": 1' for n in range(65)) + "}", id="too many fields"),
]


@pytest.mark.parametrize("message", BROKEN)
async def test_broken_json_is_refused_and_not_kept(account, message):
    client, door, _ = await account("plain", "json")
    query, body = as_json("plain", message)
    assert (await client.post(URL, params=query, data=body.encode())).status in {400, 413}
    assert door.messages == []


async def test_no_half_of_a_character_gets_in_by_json(account):
    client, door, _ = await account("plain", "json")
    query, body = as_json("plain", json.dumps(TELLS | {"Content": "坑\ud800\u0000洞"}))
    assert (await client.post(URL, params=query, data=body.encode())).status == 200
    assert door.messages[0].text == "坑洞"


REFUSED = [
    pytest.param({"token": "other"}, 401, id="signed with another token"),
    pytest.param({"stamp": "1000000000"}, 403, id="stale"),
    pytest.param({"app_id": "wx-other"}, 400, id="of another app"),
    pytest.param({"mode": "plain"}, 403, id="downgraded"),
]


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize(("wrong", "status"), REFUSED)
async def test_what_is_not_genuine_is_refused_and_not_kept(account, wrong, status, form):
    client, door, _ = await account("safe", form)
    query, body = request(xml(), **wrong) if form == "xml" else as_json(**wrong)
    assert (await client.post(URL, params=query, data=body.encode())).status == status
    assert door.messages == []


GRANTS = [
    pytest.param({}, timedelta(hours=48), 5, id="a message"),
    pytest.param(
        {"MsgType": "event", "Event": "user_enter_tempsession"}, timedelta(minutes=1), 2, id="entering"
    ),
]


@pytest.mark.parametrize(("fields", "span", "count"), GRANTS)
async def test_a_message_gives_leave_to_write(account, fields, span, count):
    client, door, channel = await account("plain")
    query, body = request(xml(**fields), mode="plain")
    await client.post(URL, params=query, data=body.encode())
    leave = channel.grant(door.messages[0])
    assert (leave.until, leave.count) == (NOW + span, count)


async def test_an_event_of_another_kind_gives_none(account):
    client, door, channel = await account("plain")
    query, body = request(xml(MsgType="event", Event="wxa_media_check"), mode="plain")
    await client.post(URL, params=query, data=body.encode())
    assert channel.grant(door.messages[0]) is None
