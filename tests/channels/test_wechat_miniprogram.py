"""A mini-program's callbacks and the leave to write that they give (wechat.md 2.1, 2.5)."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from channels.wechat.miniprogram.channel import build
from normalizer.message import SourceChannel
from tests.kit.wechat import NOW, Counts, Door, app_of, raw_settings, request, tools, xml

URL = "/channels/wx"


@pytest.fixture
async def account(aiohttp_client):
    async with ClientSession() as http:

        async def made(mode):
            door = Door()
            channel = build("wx", raw_settings(kind="miniprogram", mode=mode), tools(http, door, Counts()))
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


REFUSED = [
    pytest.param({"token": "other"}, 401, id="signed with another token"),
    pytest.param({"stamp": "1000000000"}, 403, id="stale"),
    pytest.param({"app_id": "wx-other"}, 400, id="of another app"),
    pytest.param({"mode": "plain"}, 403, id="downgraded"),
]


@pytest.mark.parametrize(("wrong", "status"), REFUSED)
async def test_what_is_not_genuine_is_refused_and_not_kept(account, wrong, status):
    client, door, _ = await account("safe")
    query, body = request(xml(), **wrong)
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
