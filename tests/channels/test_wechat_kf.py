"""微信客服: calls that say only that there is something, fetching by mark, sending by own ids (wechat.md 2.5, 2.9)."""

import asyncio
from collections import deque
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web

from channels.contract import SendError, SendReason
from channels.wechat.kf.channel import build
from channels.wechat.kf.state import Talk
from gateway.sandbox.platform import Fault
from normalizer.errors import Busy, Misconfigured
from normalizer.message import Address, Delivery, OutboundMessage, Part, PartKind, SourceChannel
from tests.kit.doors import NOW, Counts, Cursors, Door, Receipts, tools
from tests.kit.gateway import Hand
from tests.kit.kf import kf_settings, platform
from tests.kit.standin import until

SYNC, SEND = "/qyapi/cgi-bin/kf/sync_msg", "/qyapi/cgi-bin/kf/send_msg"


class Account:
    def __init__(self, kf, channel, door, receipts, cursors, counts, client):
        self.kf, self.channel, self.door, self.client = kf, channel, door, client
        self.receipts, self.cursors, self.counts = receipts, cursors, counts

    @property
    def texts(self):
        return [message.text for message in self.door.messages]

    async def pull(self):
        await self.channel.pull.once()

    async def send(self, text="已收到", number="a" * 32, thread="talk"):
        message = OutboundMessage(number, Address("kf", "wmZhang"), text, thread=thread)
        return await self.channel.send(message)


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
async def account(clock, aiohttp_client):
    async with ClientSession() as http, platform(lambda: clock().timestamp()) as (kf, port):
        door, receipts, cursors, counts = Door(reply=None), Receipts(), Cursors(), Counts()
        given = tools(http, door, counts, now=clock, receipts=receipts, cursors=cursors)
        channel = build("kf", kf_settings(port), given)
        app = web.Application()
        for route in channel.routes():
            app.router.add_route(route.method, "/channels/kf", route.handler)
        client = await aiohttp_client(app)
        kf.settings.callback_url = str(client.make_url("/channels/kf"))
        yield Account(kf, channel, door, receipts, cursors, counts, client)


async def test_the_console_gets_the_echo_that_is_sealed(account):
    answer = await account.client.get("/channels/kf", params=account.kf.echo("1616140317555161061"))
    assert (answer.status, await answer.text()) == (200, "1616140317555161061")


async def test_an_echo_of_somebody_else_is_refused(account):
    query = account.kf.echo("1") | {"msg_signature": "0" * 40}
    assert (await account.client.get("/channels/kf", params=query)).status == 401


async def test_a_call_is_not_opened_for_whoever_brings_it_as_an_echo(account):
    query, body = account.kf.request()
    sealed = body.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    answer = await account.client.get("/channels/kf", params=query | {"echostr": sealed})
    assert (answer.status, await answer.text()) == (400, "not_an_echo\n")


def unsigned(query, body):
    return {name: query[name] for name in ("timestamp", "nonce")}, body


def tampered(query, body):
    return query, body.replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[AAAA")


def bared(query, body):
    return query, "<xml><Event>kf_msg_or_event</Event></xml>"


LATE, EARLY = (str(int(NOW.timestamp()) + seconds) for seconds in (-301, 301))
REFUSED = [
    pytest.param({"token": "other"}, None, 401, "bad_signature", id="signed with another token"),
    pytest.param({}, unsigned, 401, "bad_signature", id="unsigned"),
    pytest.param({}, tampered, 401, "bad_signature", id="tampered"),
    pytest.param({"stamp": LATE}, None, 403, "stale", id="stale"),
    pytest.param({"stamp": EARLY}, None, 403, "stale", id="from the future"),
    pytest.param({"corp_id": "ww-other"}, None, 400, "other_app_id", id="of another corporation"),
    pytest.param({}, bared, 403, "plaintext_refused", id="in the clear"),
]


@pytest.mark.parametrize(("wrong", "change", "status", "reason"), REFUSED)
async def test_a_call_that_is_not_genuine_is_refused(account, wrong, change, status, reason):
    query, body = account.kf.request(**wrong)
    if change is not None:
        query, body = change(query, body)
    answer = await account.client.post("/channels/kf", params=query, data=body.encode())
    assert (answer.status, account.counts.refusals) == (status, [reason])


async def test_a_call_that_is_replayed_is_refused(account):
    query, body = account.kf.request()
    answers = [
        (await account.client.post("/channels/kf", params=query, data=body.encode())).status for _ in range(3)
    ]
    assert (answers, account.counts.refusals) == ([200, 403, 403], ["replayed"] * 2)


async def test_a_call_has_its_messages_fetched_while_it_runs(account):
    running = asyncio.create_task(account.channel.run())
    await account.kf.write(account.kf.person("wmZhang"), "井盖丢了")
    await until(lambda: account.texts)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (message,) = account.door.messages
    assert (message.sender, message.text, message.source) == ("wmZhang", "井盖丢了", SourceChannel.WECHAT)
    assert message.external_id == account.kf.entries[0]["msgid"]
    assert message.sent_at == NOW


KINDS = [
    pytest.param("image", {"media_id": "m1"}, Part(PartKind.IMAGE, media_id="m1"), id="image"),
    pytest.param("voice", {"media_id": "m1"}, Part(PartKind.VOICE, media_id="m1"), id="voice"),
    pytest.param("video", {"media_id": "m1"}, Part(PartKind.VIDEO, media_id="m1"), id="video"),
    pytest.param("file", {"media_id": "m1"}, Part(PartKind.FILE, media_id="m1"), id="file"),
    pytest.param(
        "location",
        {"latitude": 36.19, "longitude": 117.12, "name": "市政府", "address": "东岳大街88号"},
        Part(PartKind.PLACE, text="市政府 东岳大街88号", lon=117.12, lat=36.19),
        id="location",
    ),
    pytest.param(
        "link",
        {"title": "路灯", "desc": "不亮", "url": "https://e.example/1"},
        Part(PartKind.LINK, text="路灯", url="https://e.example/1", name="不亮"),
        id="link",
    ),
    pytest.param(
        "miniprogram",
        {"title": "公交", "appid": "wx1", "pagepath": "p/1"},
        Part(PartKind.LINK, text="公交", url="p/1", name="wx1"),
        id="miniprogram",
    ),
    pytest.param("text", {"content": "1", "menu_id": "101"}, Part(PartKind.TEXT, text="1"), id="menu item"),
]


@pytest.mark.parametrize(("kind", "inside", "part"), KINDS)
async def test_every_kind_becomes_its_part(account, kind, inside, part):
    await account.kf.tell(account.kf.person("wmZhang"), kind, inside)
    await account.pull()
    (got,) = account.door.messages[0].parts
    fetched = part.kind in {PartKind.IMAGE, PartKind.VOICE, PartKind.VIDEO, PartKind.FILE}
    assert bool(got.blob) == fetched
    assert (
        Part(got.kind, got.text, got.media_id, got.url, got.mime, got.name, lon=got.lon, lat=got.lat) == part
    )


async def test_what_others_say_in_the_talk_is_never_the_citizens(account):
    person = account.kf.person("wmZhang")
    account.kf.servicer_says(person, "您好，我是工作人员")
    account.kf.happen("servicer_status_change", servicer_userid="lisi", status=1)
    account.kf.happen("session_status_change", external_userid="wmZhang", change_type=1)
    account.kf.happen("enter_session", external_userid="wmZhang", scene="menu")
    await account.kf.write(person, "我自己说的")
    await account.pull()
    assert account.texts == ["我自己说的"]


async def test_the_mark_moves_only_after_its_page_is_written_down(account):
    await account.kf.write(account.kf.person("wmZhang"), "一")
    account.door.busy = True
    with pytest.raises(Busy):
        await account.pull()
    assert account.cursors.noted == []
    account.door.busy = False
    await account.pull()
    await account.kf.write(account.kf.person("wmZhang"), "二")
    await account.pull()
    assert account.texts == ["一", "二"]
    assert account.cursors.noted == [("kf", "1"), ("kf", "2")]


async def test_pages_that_are_empty_do_not_end_the_fetching(account):
    await account.kf.write(account.kf.person("wmZhang"), "在后面")
    account.kf.empty_pages = 3
    await account.pull()
    assert account.texts == ["在后面"]


async def test_a_person_s_messages_keep_their_order_over_pages(account):
    account.kf.largest_page = 3
    for number in range(10):
        await account.kf.write(account.kf.person(f"wm{number % 2}"), str(number))
    await account.pull()
    for which in ("wm0", "wm1"):
        said = [int(message.text) for message in account.door.messages if message.sender == which]
        assert said == sorted(said)
    assert len(account.texts) == 10


async def test_lost_calls_are_made_good_by_looking_now_and_then(account):
    account.kf.silent = True
    await account.kf.write(account.kf.person("wmZhang"), "没有人打招呼")
    running = asyncio.create_task(account.channel.run())
    await until(lambda: account.texts)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert account.texts == ["没有人打招呼"]


async def test_a_token_that_ended_is_fetched_once_for_all(account):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    await account.send(number="b" * 32)
    account.kf.expire()
    names = await asyncio.gather(*(account.send(number=f"{n:032x}") for n in range(4)))
    assert len(names) == 4
    assert account.kf.counts["gettoken"] == 2


async def test_the_same_message_sent_twice_arrives_once(account):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    assert [await account.send(), await account.send()][0].names == ("a" * 32,)
    assert account.kf.heard("wmZhang") == ["已收到"]


async def test_what_did_not_arrive_is_told_as_a_receipt(account):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    account.kf.fails.add("wmZhang")
    (name,) = (await account.send()).names
    await account.pull()
    (receipt,) = account.receipts.came
    assert (receipt.provider_id, receipt.delivery) == (name, Delivery.FAILED)


async def test_whoever_comes_is_greeted_by_his_code_and_answered_without_it(account, clock):
    person = account.kf.person("wmZhang")
    await account.kf.come(person, "qr-district-3")
    await account.pull()
    (came,) = account.door.messages
    assert came.event.key == "qr-district-3"
    leave = account.channel.grant(came)
    assert (leave.until, leave.count) == (clock() + timedelta(seconds=20), 1)
    await account.send("欢迎", thread=came.thread)
    assert [(line.text, line.way) for line in person.lines[1:]] == [("欢迎", "greeting")]
    await account.kf.write(person, "你好")
    await account.send("再说", number="b" * 32, thread=came.thread)
    assert person.lines[-1].way == "kf"


async def test_a_code_that_is_over_does_not_greet(account, clock):
    await account.kf.come(account.kf.person("wmZhang"))
    await account.pull()
    clock.wait(seconds=21)
    with pytest.raises(SendError) as error:
        await account.send("欢迎", thread=account.door.messages[0].thread)
    assert error.value.reason is SendReason.WINDOW


async def test_a_message_gives_leave_from_when_it_was_sent(account, clock):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    clock.wait(hours=3)
    await account.pull()
    leave = account.channel.grant(account.door.messages[0])
    assert (leave.until, leave.count) == (NOW + timedelta(hours=48), 5)


STATES = [
    pytest.param(Talk.SERVICER, SendReason.FORBIDDEN, id="with a servicer"),
    pytest.param(Talk.QUEUED, SendReason.FORBIDDEN, id="in the desk's queue"),
    pytest.param(Talk.ENDED, SendReason.WINDOW, id="over"),
]


@pytest.mark.parametrize(("talk", "reason"), STATES)
async def test_a_talk_that_is_not_ours_is_asked_for_and_told(account, talk, reason):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    await account.channel.states.put("wmZhang", talk)
    assert await account.channel.states.of("wmZhang") is talk
    with pytest.raises(SendError) as error:
        await account.send()
    assert error.value.reason is reason


async def test_a_talk_that_is_ours_after_all_is_answered(account):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    account.kf.faults[SEND] = deque([Fault("code", 95018)])
    await account.send()
    assert account.kf.heard("wmZhang") == ["已收到"]


async def test_the_sixth_message_is_for_another_route(account):
    await account.kf.write(account.kf.person("wmZhang"), "在")
    for number in range(5):
        await account.send(number=f"{number:032x}")
    with pytest.raises(SendError) as error:
        await account.send(number="f" * 32)
    assert error.value.reason is SendReason.WINDOW


async def test_the_doctor_is_told_whether_the_account_is_there(account):
    assert [finding.ok for finding in await account.channel.check()] == [True]
    account.kf.settings.open_kfid = "wk-other"
    (finding,) = await account.channel.check()
    assert not finding.ok
    assert "open_kfid" in finding.cure


async def test_a_wrong_key_is_named():
    with pytest.raises(Misconfigured, match="aes_key"):
        build("kf", kf_settings(1, aes_key="short"), tools(None))
