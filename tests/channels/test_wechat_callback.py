import pytest
from aiohttp import ClientSession

from channels.wechat.channel import build
from normalizer.message import EventKind, PartKind
from tests.kit.wechat import (
    AES_KEY,
    NOW,
    OLD_KEY,
    STAMP,
    TOKEN,
    Counts,
    Door,
    app_of,
    opened,
    raw_settings,
    request,
    signature,
    tools,
    xml,
)

URL = "/channels/wx"


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_message_is_taken_in_every_mode_and_answered_in_kind(account, mode):
    client, door, _ = await account(mode=mode)
    query, body = request(xml("井盖丢了"), mode=mode)
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == 200
    assert door.messages[0].text == "井盖丢了"
    text = await answer.text()
    reply = {"Content": "已收到"} if mode == "plain" and "已收到" in text else opened(text)
    assert reply["Content"] == "已收到"
    assert door.written == 1


REFUSED = [
    pytest.param({"token": "other"}, {}, 401, "bad_signature", id="signed with another token"),
    pytest.param({"stamp": str(int(STAMP) - 301)}, {}, 403, "stale", id="five minutes old"),
    pytest.param({"stamp": str(int(STAMP) + 301)}, {}, 403, "stale", id="from the future"),
    pytest.param({"stamp": "soon"}, {}, 403, "stale", id="a time that is none"),
    pytest.param({"mode": "plain"}, {}, 403, "plaintext_refused", id="plain text in safe mode"),
    pytest.param({"app_id": "wxanother"}, {}, 400, "other_app_id", id="for another account"),
    pytest.param({"key": OLD_KEY}, {}, 400, "bad_", id="sealed with a key we never had"),
]


@pytest.mark.parametrize(("wrong", "changes", "status", "reason"), REFUSED)
async def test_what_is_not_genuine_is_refused_and_not_kept(account, wrong, changes, status, reason):
    client, door, counts = await account(**changes)
    query, body = request(xml(), **wrong)
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == status
    assert (await answer.text()).startswith(reason)
    assert door.messages == []
    assert counts.refusals[0].startswith(reason)


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        pytest.param("not xml", 400, id="no XML"),
        pytest.param("<xml></xml>", 400, id="nothing inside"),
        pytest.param("<xml><a>1</a></xml>", 400, id="fields missing"),
        pytest.param('<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>', 400, id="entities"),
        pytest.param("<xml>" + "<a>" * 50 + "</a>" * 50 + "</xml>", 413, id="too deep"),
        pytest.param(
            "<xml>" + "".join(f"<a{n}>1</a{n}>" for n in range(99)) + "</xml>", 413, id="too many fields"
        ),
        pytest.param(xml().replace("</xml>", "<Content>b</Content></xml>"), 400, id="a field twice"),
        pytest.param("<xml><MsgType>text</MsgType>\x00</xml>", 400, id="control characters"),
    ],
)
async def test_malformed_messages_get_a_reason(account, inside, status):
    client, door, _ = await account()
    query, body = request(inside)
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == status
    assert door.messages == []


async def test_an_oversized_body_is_not_read(account):
    client, _, counts = await account()
    answer = await client.post(URL, data=b"x" * (64 * 1024 + 1))
    assert (answer.status, counts.refusals) == (413, ["too_large"])


async def test_a_replay_is_refused_but_a_retry_after_busy_is_not(account):
    client, door, _ = await account()
    query, body = request(xml())
    door.busy = True
    assert (await client.post(URL, params=query, data=body.encode())).status == 503
    door.busy = False
    assert (await client.post(URL, params=query, data=body.encode())).status == 200
    replayed = await client.post(URL, params=query, data=body.encode())
    assert (replayed.status, await replayed.text()) == (403, "replayed\n")
    assert len(door.messages) == 1


async def test_the_key_before_is_still_accepted(account):
    client, door, _ = await account(previous_aes_key=OLD_KEY)
    query, body = request(xml(), key=OLD_KEY)
    assert (await client.post(URL, params=query, data=body.encode())).status == 200
    assert len(door.messages) == 1


async def test_nothing_to_say_is_acknowledged_in_the_clear(account):
    client, door, _ = await account()
    door.reply = None
    query, body = request(xml())
    answer = await client.post(URL, params=query, data=body.encode())
    assert await answer.text() == "success"
    assert door.written == 0


async def test_the_console_is_answered_with_its_echo(account):
    client, _, _ = await account()
    query = {"signature": signature(TOKEN, STAMP, "n"), "timestamp": STAMP, "nonce": "n", "echostr": "123+4"}
    assert await (await client.get(URL, params=query)).text() == "123+4"
    assert (await client.get(URL, params=query | {"signature": "0" * 40})).status == 401


@pytest.mark.parametrize("text", ["]]>", "a]]>b]]>", "</Content>&<x>", "含\x07控制\x00字符", "一\n二", "🙂"])
async def test_no_reply_can_break_out_of_its_markup(account, text):
    client, door, _ = await account()
    door.reply = text
    query, body = request(xml())
    reply = opened(await (await client.post(URL, params=query, data=body.encode())).text())
    assert reply["Content"] == text.replace("\x07", "").replace("\x00", "")
    assert set(reply) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
    assert (reply["ToUserName"], reply["FromUserName"]) == ("oUser", "gh_1")


PARTS = [
    pytest.param({"MsgType": "image", "PicUrl": "http://p", "MediaId": "m", "MsgId": "2"}, PartKind.IMAGE, {"media_id": "m"}, id="image"),
    pytest.param({"MsgType": "voice", "MediaId": "m", "Format": "amr", "MsgId": "2"}, PartKind.VOICE, {"mime": "amr"}, id="voice"),
    pytest.param({"MsgType": "video", "MediaId": "m", "MsgId": "2"}, PartKind.VIDEO, {"media_id": "m"}, id="video"),
    pytest.param({"MsgType": "shortvideo", "MediaId": "m", "MsgId": "2"}, PartKind.VIDEO, {"media_id": "m"}, id="short video"),
    pytest.param({"MsgType": "location", "Location_X": "36.2", "Location_Y": "117.1", "Label": "东岳大街", "MsgId": "2"}, PartKind.PLACE, {"lat": 36.2, "lon": 117.1, "text": "东岳大街"}, id="place"),
    pytest.param({"MsgType": "link", "Title": "t", "Url": "http://u", "MsgId": "2"}, PartKind.LINK, {"url": "http://u"}, id="link"),
    pytest.param({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_7"}, PartKind.EVENT, {"event": EventKind.SUBSCRIBE, "key": "7"}, id="follow by code"),
    pytest.param({"MsgType": "event", "Event": "unsubscribe"}, PartKind.EVENT, {"event": EventKind.UNSUBSCRIBE}, id="leave"),
    pytest.param({"MsgType": "event", "Event": "CLICK", "EventKey": "REPORT"}, PartKind.EVENT, {"event": EventKind.CLICK, "key": "REPORT"}, id="menu"),
    pytest.param({"MsgType": "event", "Event": "VIEW", "EventKey": "http://u"}, PartKind.EVENT, {"event": EventKind.VIEW}, id="page"),
    pytest.param({"MsgType": "event", "Event": "SCAN", "EventKey": "7"}, PartKind.EVENT, {"event": EventKind.SCAN, "key": "7"}, id="code"),
    pytest.param({"MsgType": "event", "Event": "weather_changed"}, PartKind.EVENT, {"event": EventKind.OTHER}, id="unknown event"),
    pytest.param({"MsgType": "hologram", "MsgId": "2"}, PartKind.EVENT, {"event": EventKind.OTHER, "key": "hologram"}, id="unknown type"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "kind", "values"), PARTS)
async def test_every_type_of_message_is_understood_or_kept_raw(account, fields, kind, values):
    client, door, _ = await account()
    query, body = request(xml(**fields))
    assert (await client.post(URL, params=query, data=body.encode())).status == 200
    message = door.messages[0]
    assert message.parts[0].kind is kind
    assert {name: getattr(message.parts[0], name) for name in values} == values
    assert message.raw.startswith(b"<xml>")


@pytest.mark.parametrize(
    ("stamp", "year"),
    [(STAMP, 2026), (STAMP + "000", 2026), ("1", 1970), ("99999999999999999999", 2026), ("x", 2026)],
)
async def test_the_time_of_a_message_is_read_in_seconds_or_milliseconds(account, stamp, year):
    client, door, _ = await account()
    query, body = request(xml(CreateTime=stamp))
    await client.post(URL, params=query, data=body.encode())
    assert door.messages[0].sent_at.year == year


async def test_blanks_stay_as_the_citizen_typed_them(account):
    client, door, _ = await account()
    query, body = request(xml("  两个空格 "))
    await client.post(URL, params=query, data=body.encode())
    assert door.messages[0].text == "  两个空格 "


async def test_events_in_the_same_second_are_not_one(account):
    client, door, _ = await account()
    for n, key in enumerate(("REPORT", "PROGRESS")):
        query, body = request(xml(MsgType="event", Event="CLICK", EventKey=key), nonce=f"n{n}")
        await client.post(URL, params=query, data=body.encode())
    assert len({message.external_id for message in door.messages}) == 2


@pytest.fixture
async def account(aiohttp_client):
    async with ClientSession() as http:

        async def make(**changes):
            door, counts = Door(), Counts()
            channel = build("wx", raw_settings(**changes), tools(http, door, counts))
            return await aiohttp_client(app_of(channel)), door, counts

        yield make


def test_the_kit_speaks_of_now():
    assert NOW.timestamp() == int(STAMP)
    assert len(AES_KEY) == 43


async def test_an_event_with_a_list_of_pictures_is_taken_and_not_answered_by_a_fault(account):
    client, door, _ = await account(mode="plain")
    inside = "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList></SendPicsInfo>"
    message = xml(MsgType="event", Event="pic_photo_or_album", EventKey="PHOTO").replace(
        "</xml>", f"{inside}</xml>"
    )
    query, body = request(message, mode="plain")
    answer = await client.post(URL, params=query, data=body.encode())
    assert answer.status == 200
    assert door.messages[0].event.key == "pic_photo_or_album"
