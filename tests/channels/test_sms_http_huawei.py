import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from channels.contract import SendReason
from channels.sms import huawei
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW
from tests.kit.providers import MESSAGE, NUMBER, SETTINGS, failed, maker

NAME = "d6e3cdd0-522b-4692-8304-a07553cdf591_8539659"
UP = {
    "smsMsgId": "b1",
    "from": f"+86{NUMBER}",
    "to": "1069000000001",
    "body": "井盖丢了 & 危险",
    "createTime": "2026-11-24T01:59:00Z",
}
REPORT = {
    "sequence": "1",
    "total": "1",
    "orgCode": "000",
    "updateTime": "2026-11-24T01:59:30Z",
    "source": "2",
    "smsMsgId": NAME,
    "status": "DELIVRD",
}


def answered(code: str, own: str | None = None) -> dict:
    one = {"originTo": f"+86{NUMBER}", "from": "1069", "smsMsgId": NAME, "status": own or code}
    return {"code": code, "description": NUMBER, "result": [one]}


def refused(status: int, code: str) -> web.Response:
    return web.json_response({"code": code, "description": NUMBER}, status=status)


def test_the_signature_is_that_of_the_published_example():
    url = URL(
        "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"
        "?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"
    )
    headers = {
        "content-type": "application/json",
        "host": "service.region.example.com",
        "x-sdk-date": "20191115T033655Z",
    }
    key, secret = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
    proof = huawei.authorization(key, secret, url, method="GET", headers=headers, body=b"")
    assert proof == (
        "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, "
        "Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    )


async def test_a_notice_goes_by_its_template_and_is_signed_as_documented(account):
    sms = await account()
    assert (await sms.channel.send(MESSAGE)).names == (NAME,)
    asked = sms.peer.asked[0]
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    assert json.loads(form.pop("templateParas")) == [MESSAGE.case_no, MESSAGE.text]
    assert form == {
        "from": "8824110605***",
        "to": f"+86{NUMBER}",
        "templateId": "t1",
        "signature": "泰安12345",
        "statusCallback": SETTINGS["huawei"]["report_url"],
    }
    assert (asked.method, asked.path) == ("POST", "/sms/batchSendSms/v1")
    assert asked.headers["x-sdk-date"] == NOW.strftime("%Y%m%dT%H%M%SZ")
    assert asked.headers["authorization"] == proof(asked)


async def test_any_other_text_goes_by_the_general_template(account):
    sms = await account(report_url="")
    await sms.channel.send(OutboundMessage("1", Address("sms", NUMBER), "请说说在哪里"))
    form = parse_qs(sms.peer.asked[0].body.decode())
    assert (form["templateId"], json.loads(form["templateParas"][0])) == (["t9"], ["请说说在哪里"])
    assert "statusCallback" not in form


FAILURES = [
    ("key", refused(401, "E000102"), "credentials", None),
    ("signature", refused(401, "E000045"), "credentials", None),
    ("header", refused(400, "E000001"), "credentials", None),
    ("frozen", refused(400, "E000112"), "forbidden", None),
    ("address", refused(403, "E000620"), "forbidden", None),
    ("limit", refused(403, "E000623"), "quota", None),
    ("parameters", refused(400, "E000503"), "content", None),
    ("words, told with the number", answered("E000510", "E200028"), "content", None),
    ("template, told with the number", answered("E000510", "E200030"), "forbidden", None),
    ("well on the whole, not for this one", answered("000000", "E000623"), "quota", None),
    ("trouble", refused(400, "E000000"), "busy", None),
    ("too many calls", web.Response(status=429), "throttled", None),
    ("down", web.Response(status=500), "busy", None),
    ("no code", {}, "timeout", None),
    ("cut", "cut", "timeout", None),
]


@pytest.mark.parametrize(
    ("answer", "reason", "wait"), [r[1:] for r in FAILURES], ids=[r[0] for r in FAILURES]
)
async def test_every_failure_has_its_reason(account, answer, reason, wait):
    assert await failed(await account(), answer) == (SendReason(reason), wait)


async def test_the_check_tells_a_wrong_key_from_a_missing_number(account):
    sms = await account()
    sms.peer.answers.extend([refused(400, "E000503"), refused(401, "E000102")])
    assert [(await sms.channel.check())[0].ok for _ in range(2)] == [True, False]


async def test_a_message_is_taken_from_its_form_and_thanked_for_with_nothing(account):
    sms = await account()
    answer = await sms.call("up", urlencode(UP))
    assert (answer.status, await answer.text()) == (200, "")
    (message,) = sms.door.messages
    assert (message.sender, message.text, message.external_id) == (NUMBER, "井盖丢了 & 危险", "b1")
    assert message.sent_at == datetime(2026, 11, 24, 1, 59, tzinfo=UTC)
    assert message.raw == urlencode(UP).encode()


async def test_a_message_without_a_time_is_of_now(account):
    sms = await account()
    await sms.call("up", urlencode({name: value for name, value in UP.items() if name != "createTime"}))
    assert sms.door.messages[0].sent_at == NOW


REPORTS = [
    ("delivered", REPORT, "delivered"),
    ("expired", REPORT | {"status": "EXPIRED"}, "failed"),
    ("black list", REPORT | {"status": "MBBLACK"}, "failed"),
    ("on its way", REPORT | {"status": "ACCEPTD"}, "sent"),
    ("first of two", REPORT | {"total": "2"}, "sent"),
    ("last of two", REPORT | {"total": "2", "sequence": "2"}, "delivered"),
    ("first of two failed", REPORT | {"total": "2", "status": "UNDELIV"}, "failed"),
    ("no count", {k: v for k, v in REPORT.items() if k not in {"total", "sequence"}}, "delivered"),
]


@pytest.mark.parametrize(
    ("report", "delivery"), [row[1:] for row in REPORTS], ids=[row[0] for row in REPORTS]
)
async def test_a_report_comes_under_the_name_that_send_returned(account, report, delivery):
    sms = await account()
    sent = await sms.channel.send(MESSAGE)
    answer = await sms.call("report", urlencode(report))
    assert (answer.status, await answer.text()) == (200, "")
    (receipt,) = sms.receipts.came
    assert (receipt.provider_id, receipt.delivery) == (sent.names[0], Delivery(delivery))
    assert (receipt.at, receipt.detail) == (datetime(2026, 11, 24, 1, 59, 30, tzinfo=UTC), report["status"])


async def test_reports_come_in_a_batch_too(account):
    sms = await account()
    batch = {"statusReportList": [REPORT, REPORT | {"smsMsgId": "2", "sequence": 1, "total": 1}]}
    assert (await sms.call("report", batch)).status == 200
    assert [(r.provider_id, r.delivery) for r in sms.receipts.came] == [
        (NAME, Delivery.DELIVERED),
        ("2", Delivery.DELIVERED),
    ]


def proof(asked) -> str:
    """Compute the header from the wire, by the document and not by our code."""
    named = ["content-type", "host", "x-sdk-date"]
    text = "POST\n/sms/batchSendSms/v1/\n\n"
    for name in named:
        text += f"{name}:{asked.headers[name]}\n"
    text += "\n" + ";".join(named) + "\n" + hashlib.sha256(asked.body).hexdigest()
    to_sign = f"SDK-HMAC-SHA256\n{asked.headers['x-sdk-date']}\n{hashlib.sha256(text.encode()).hexdigest()}"
    signed = hmac.new(b"testSecret", to_sign.encode(), hashlib.sha256).hexdigest()
    return f"SDK-HMAC-SHA256 Access=testKeyId, SignedHeaders={';'.join(named)}, Signature={signed}"


@pytest.fixture
async def account(aiohttp_server, aiohttp_client):
    async with ClientSession() as http:
        yield maker(SETTINGS["huawei"], answered("000000"), aiohttp_server, aiohttp_client, http)
