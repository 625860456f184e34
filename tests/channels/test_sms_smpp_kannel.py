"""A real Kannel, an SMPP client of other authors, against tests/kit/smsc.py.

It proves the SMSC that tests/channels/test_sms_smpp.py plays against our own client: the same parts, the same
receipt and the same encodings (``test_a_long_text_goes_in_parts_and_its_receipt_comes_under_its_name`` and
``test_long_messages_that_come_reversed_and_mixed_are_whole``) come to the same here.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from channels.sms.smpp_pdu import UDHI, decode_message
from channels.sms.text import UCS2, decoded, joined, opened
from tests.kit.kannel import PASSWORD, USER, needed, running
from tests.kit.smsc import Smsc, long_parts, smsc

PHONE = "13800000001"
LONG = "人民路井盖丢了😀，很危险。" * 8


async def test_a_long_text_of_kannel_arrives_in_parts_that_our_code_joins(kannel):
    await kannel.send(LONG)
    await kannel.centre.until(lambda: len(kannel.centre.submits) == 2)
    came = [decode_message(one.body) for one in kannel.centre.submits]
    assert {(one.coding, one.has_header, one.destination.number) for one in came} == {(UCS2, True, PHONE)}
    parts = {}
    for one in came:
        long, words = opened(one.content)
        parts[long.reference, long.total, long.number] = decoded(words, one.coding)
    assert [key[1:] for key in sorted(parts)] == [(2, 1), (2, 2)]
    assert len({reference for reference, _, _ in parts}) == 1
    assert joined(parts[key] for key in sorted(parts)) == LONG


async def test_our_receipt_is_one_for_kannel(kannel):
    await kannel.send("您的诉求已受理", **{"dlr-mask": "3", "dlr-url": f"{kannel.peer}/report?d=%d&id=7"})
    await kannel.centre.until(lambda: bool(kannel.centre.submits))
    (submit,) = kannel.centre.submits
    assert submit.registered == 1
    assert await kannel.centre.receipt(submit.name, source=PHONE) == 0
    assert await kannel.next_report() == {"d": "1", "id": "7"}


async def test_a_failed_receipt_is_one_for_kannel(kannel):
    await kannel.send("您的诉求已受理", **{"dlr-mask": "3", "dlr-url": f"{kannel.peer}/report?d=%d&id=8"})
    await kannel.centre.until(lambda: bool(kannel.centre.submits))
    assert await kannel.centre.receipt(kannel.centre.submits[0].name, b"UNDELIV", source=PHONE) == 0
    assert await kannel.next_report() == {"d": "2", "id": "8"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "reversed"])
async def test_a_long_message_in_two_parts_is_one_text_for_kannel(kannel, order):
    parts = long_parts(LONG)
    assert len(parts) == 2
    for at in order:
        assert await kannel.centre.deliver(PHONE, parts[at], esm=UDHI) == 0
    async with asyncio.timeout(15):
        came = await kannel.up.get()
    assert (came["from"].lstrip("+"), came["to"], came["text"], came["coding"]) == (
        PHONE,
        "10691234",
        LONG,
        "2",
    )
    assert kannel.up.empty()


@dataclass
class Running:
    """A Kannel bound to the SMSC, and what it told its HTTP peer."""

    centre: Smsc
    peer: str
    sendsms: str
    http: ClientSession
    up: asyncio.Queue
    reports: asyncio.Queue

    async def send(self, text, **more):
        words = {"username": USER, "password": PASSWORD, "to": PHONE, "from": "10691234", "text": text}
        query = urlencode({**words, "coding": "2", "charset": "UTF-8", **more})
        async with self.http.get(f"{self.sendsms}/cgi-bin/sendsms?{query}") as answer:
            assert answer.status == 202

    async def next_report(self):
        """Return the next report that is the SMSC's last word, after those of its having taken the message."""
        async with asyncio.timeout(15):
            while (report := await self.reports.get())["d"] not in {"1", "2"}:
                pass
            return report


def smsc_group(centre):
    """Return the group of an SMPP 3.4 transceiver bound to the SMSC."""
    return lambda _ports: (
        f"""
group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {centre.port}
transceiver-mode = true
interface-version = 34
system-type = ""
smsc-username = hotline
smsc-password = {centre.password}
"""
    )


@pytest.fixture
async def kannel(tmp_path, aiohttp_server):
    needed()
    up, reports = asyncio.Queue(), asyncio.Queue()

    async def take_up(request: web.Request) -> web.Response:
        text = dict(parse_qsl(request.rel_url.raw_query_string, encoding="utf-16-be"))["text"]
        up.put_nowait({**request.query, "text": text})
        return web.Response()

    async def take_report(request: web.Request) -> web.Response:
        reports.put_nowait(dict(request.query))
        return web.Response()

    app = web.Application()
    app.router.add_get("/up", take_up)
    app.router.add_get("/report", take_report)
    peer = str((await aiohttp_server(app)).make_url("")).rstrip("/")
    async with (
        ClientSession(timeout=ClientTimeout(total=10)) as http,
        smsc() as centre,
        running(tmp_path, http, smsc_group(centre), f"{peer}/up") as ports,
    ):
        yield Running(centre, peer, f"http://127.0.0.1:{ports.sendsms}", http, up, reports)
