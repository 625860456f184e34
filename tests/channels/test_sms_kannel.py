import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from channels.contract import SendReason
from channels.registry import ADAPTERS
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW, Door, Receipts, tools
from tests.kit.kannel import needed, running, until
from tests.kit.providers import MESSAGE, NUMBER, SECRET, failed, maker

SETTINGS = {
    "kind": "kannel",
    "api_base": "http://127.0.0.1:13013",
    "callback_secret": SECRET,
    "username": "jiesu",
    "password": "testSecret",
    "sender": "12345",
    "signature": "泰安12345",
    "report_url": f"https://hotline.example/channels/sms/{SECRET}/report",
}
UP = {
    "from": NUMBER,
    "to": "12345",
    "text": "井盖丢了",
    "coding": "2",
    "time": "2026-11-24 01:59:00",
    "id": "e04a3e10-f046-4c34-8c1a-d24b187b7115",
}


async def test_a_text_goes_signed_and_asks_for_reports_under_our_id(account):
    sms = await account()
    assert (await sms.channel.send(MESSAGE)).names == (MESSAGE.id,)
    asked = sms.peer.asked[0]
    assert (asked.method, asked.path, asked.query) == ("POST", "/cgi-bin/sendsms", "")
    assert asked.body.decode() == "【泰安12345】您的诉求已受理"
    assert asked.headers["content-type"] == "text/plain; charset=UTF-8"
    assert {name: value for name, value in asked.headers.items() if name.startswith("x-kannel-")} == {
        "x-kannel-username": "jiesu",
        "x-kannel-password": "testSecret",
        "x-kannel-to": NUMBER,
        "x-kannel-from": "12345",
        "x-kannel-coding": "2",
        "x-kannel-dlr-mask": "19",
        "x-kannel-dlr-url": f"{SETTINGS['report_url']}?id={MESSAGE.id}&status=%d&detail=%A",
    }


async def test_without_an_address_for_reports_a_message_has_no_name(account):
    sms = await account(report_url="", signature="")
    assert (await sms.channel.send(MESSAGE)).names == ()
    assert sms.peer.asked[0].body.decode() == MESSAGE.text
    assert "x-kannel-dlr-url" not in sms.peer.asked[0].headers


FAILURES = [
    ("password", 403, "Authorization failed for sendsms", "credentials"),
    ("no route", 403, "Not routable. Do not try again.", "unreachable"),
    ("black list", 400, "Number(s) has/have been denied by white- and/or black-lists.", "unreachable"),
    ("sender", 400, "Sender missing and no global set, rejected", "content"),
    ("full", 503, "Temporal failure, try again later.", "busy"),
    ("no answer behind", 504, "", "timeout"),
]


@pytest.mark.parametrize(
    ("status", "words", "reason"), [r[1:] for r in FAILURES], ids=[r[0] for r in FAILURES]
)
async def test_every_failure_has_its_reason(account, status, words, reason):
    sms = await account()
    assert await failed(sms, web.Response(status=status, text=words)) == (SendReason(reason), None)


async def test_a_broken_line_leaves_the_message_unknown(account):
    assert await failed(await account(), "cut") == (SendReason.TIMEOUT, None)


UPS = [
    ("an HTTP centre's", "auto", "2", "井盖丢了".encode(), "井盖丢了"),
    ("an SMPP centre's", "auto", "2", "井盖丢了".encode("utf-16-be"), "井盖丢了"),
    ("an SMPP centre's, Latin", "auto", "2", "TD".encode("utf-16-be"), "TD"),
    ("an HTTP centre's, Latin", "auto", "2", b"TD", "TD"),
    ("clean both ways, told", "utf-16be", "2", "好".encode("utf-16-be"), "好"),
    ("clean UTF-8, told", "utf-8", "2", b"Y}", "Y}"),
    ("the default alphabet", "utf-16be", "0", b"TD", "TD"),
    ("no coding said", "auto", "-1", b"CX 1", "CX 1"),
    ("empty", "auto", "0", b"", ""),
]


@pytest.mark.parametrize(("charset", "coding", "raw", "text"), [r[1:] for r in UPS], ids=[r[0] for r in UPS])
async def test_words_are_read_in_whatever_bytes_they_come(account, charset, coding, raw, text):
    sms = await account(up_charset=charset)
    query = urlencode({**UP, "coding": coding, "text": ""}) + "&text=" + quote(raw)
    answer = await sms.call(f"up?{query.replace('&text=&', '&', 1)}", method="GET")
    assert (answer.status, await answer.text()) == (200, "")
    (message,) = sms.door.messages
    assert (message.sender, message.text, message.external_id) == (NUMBER, text, UP["id"])
    assert message.sent_at == datetime(2026, 11, 24, 1, 59, tzinfo=UTC)


REFUSED = [
    ("forged", UP, "another-secret-00000", 403, "bad_secret"),
    ("no sender", {**UP, "from": ""}, SECRET, 400, "missing_field"),
    ("no id", {**UP, "id": ""}, SECRET, 400, "missing_field"),
    ("no number", {**UP, "from": "Bank"}, SECRET, 400, "bad_number"),
]


@pytest.mark.parametrize(
    ("query", "secret", "status", "reason"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
async def test_what_is_forged_or_broken_is_refused(account, query, secret, status, reason):
    sms = await account()
    answer = await sms.call(f"up?{urlencode(query)}", method="GET", secret=secret)
    assert (answer.status, sms.counts.refusals, sms.door.messages) == (status, [reason], [])


REPORTS = [
    ("1", "delivered"),
    ("2", "failed"),
    ("4", "sent"),
    ("8", "sent"),
    ("16", "failed"),
    ("32", None),
]


@pytest.mark.parametrize(("status", "delivery"), REPORTS)
async def test_a_report_comes_under_our_id(account, status, delivery):
    sms = await account()
    answer = await sms.call(f"report?id={MESSAGE.id}&status={status}&detail=id%3A1", method="GET")
    assert answer.status == (200 if delivery else 400)
    came = [(one.provider_id, one.delivery, one.at, one.detail) for one in sms.receipts.came]
    assert came == ([(MESSAGE.id, Delivery(delivery), NOW, "id:1")] if delivery else [])


async def test_kannel_itself_carries_a_text_out_a_message_in_and_a_report_back(kannel):
    long = "您的诉求已受理，单号37092611240001233。" * 4
    sent = await kannel.channel.send(OutboundMessage("1f" * 16, Address("sms", NUMBER), long))
    parts = [await kannel.sent.get(), await kannel.sent.get()]
    assert all((part["to"], part["from"]) == (NUMBER, "12345") for part in parts)
    assert "".join(part["text"] for part in parts) == f"【泰安12345】{long}"

    await kannel.inject(
        to=NUMBER, **{"from": NUMBER, "dlr-mid": parts[0]["id"], "dlr-mask": "1", "text": "ok"}
    )
    await until(lambda: kannel.receipts.came)
    receipt = kannel.receipts.came[0]
    assert (receipt.provider_id, receipt.delivery) == (sent.names[0], Delivery.DELIVERED)

    for text, coding in (("人民路井盖丢了😀", "2"), ("TD", "0")):
        await kannel.inject(to="12345", text=text, coding=coding, charset="UTF-8", **{"from": f"+86{NUMBER}"})
    await until(lambda: len(kannel.door.messages) == 2)
    assert {(m.sender, m.text) for m in kannel.door.messages} == {
        (NUMBER, "人民路井盖丢了😀"),
        (NUMBER, "TD"),
    }
    assert len({m.external_id for m in kannel.door.messages}) == 2


async def test_kannel_itself_brings_a_message_again_that_we_were_too_busy_for(kannel):
    kannel.door.busy = True
    await kannel.inject(to="12345", text="CX", **{"from": NUMBER})
    await until(lambda: kannel.refused)
    kannel.door.busy = False
    await until(lambda: kannel.door.messages)
    assert kannel.door.messages[0].text == "CX"


async def test_kannel_itself_tells_a_wrong_password(kannel):
    assert [(await one.check())[0].ok for one in (kannel.channel, kannel.stranger)] == [True, False]


def smsc_group(peer):
    """Return an HTTP message centre's group; Kannel listens on the port ``centre``."""
    return lambda ports: (
        f"""
group = smsc
smsc = http
smsc-id = centre
system-type = generic
port = {ports.centre}
connect-allow-ip = 127.0.0.1
smsc-username = u
smsc-password = p
send-url = "{peer}/centre?to=%p&from=%P&text=%b&udh=%u"
status-success-regex = "ok"
status-permfail-regex = "no"
status-tempfail-regex = "later"
generic-foreign-id-regex = "ok:([0-9]+)"
"""
    )


@dataclass
class Running:
    """A Kannel that runs, the adapter before it and the message centre behind it."""

    channel: object
    stranger: object
    door: Door
    receipts: Receipts
    sent: asyncio.Queue
    refused: list
    http: ClientSession
    centre: str

    async def inject(self, **query: str) -> None:
        url = f"{self.centre}/sms?{urlencode({'username': 'u', 'password': 'p', **query})}"
        async with asyncio.timeout(10):
            # A report is unknown until Kannel has noted the name that the centre has just given.
            while (said := await self._told(url)) == (202, "Unknown DLR, not accepted"):
                await asyncio.sleep(0.01)
        assert said == (202, "Sent")

    async def _told(self, url: str) -> tuple[int, str]:
        async with self.http.get(url) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def account(aiohttp_server, aiohttp_client):
    async with ClientSession() as http:
        taken = web.Response(status=202, text="0: Accepted for delivery")
        yield maker(SETTINGS, taken, aiohttp_server, aiohttp_client, http)


@pytest.fixture
async def kannel(tmp_path, aiohttp_server):
    needed()
    async with ClientSession(timeout=ClientTimeout(total=10)) as http:
        door, receipts, sent, refused = Door(reply=None), Receipts(), asyncio.Queue(), []
        names = count(1)

        async def centre(request: web.Request) -> web.Response:
            text = dict(parse_qsl(request.rel_url.raw_query_string, encoding="utf-16-be"))["text"]
            name = str(next(names))
            sent.put_nowait({**request.query, "text": text, "id": name})
            return web.Response(text=f"ok:{name}")

        async def passed(request: web.Request) -> web.StreamResponse:
            answer = await handlers[request.match_info["path"]](request)
            if answer.status == 503:
                refused.append(request.path)
            return answer

        app = web.Application()
        app.router.add_get("/centre", centre)
        app.router.add_get("/channels/sms/{secret}/{path}", passed)
        peer = str((await aiohttp_server(app)).make_url("")).rstrip("/")
        up = f"{peer}/channels/sms/{SECRET}/up"
        async with running(tmp_path, http, smsc_group(peer), up) as ports:
            settings = SETTINGS | {
                "api_base": f"http://127.0.0.1:{ports.sendsms}",
                "report_url": f"{peer}/channels/sms/{SECRET}/report",
            }
            build, with_these = ADAPTERS["kannel"], tools(http, door, receipts=receipts)
            channel = build("sms", settings, with_these)
            stranger = build("sms", settings | {"password": "wrong"}, with_these)
            handlers = {route.path.rpartition("/")[2]: route.handler for route in channel.routes()}
            centre_url = f"http://127.0.0.1:{ports.centre}"
            yield Running(channel, stranger, door, receipts, sent, refused, http, centre_url)
