import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession, web

from channels.contract import SendReason
from channels.sms import tencent
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW
from tests.kit.providers import MESSAGE, NUMBER, SETTINGS, failed, maker

UP = {
    "extend": "01",
    "mobile": NUMBER,
    "nationcode": "86",
    "sign": "泰安12345",
    "text": "井盖丢了",
    "time": 1795485600,
}
REPORT = {
    "user_receive_time": "2026-11-24 09:59:30",
    "nationcode": "86",
    "mobile": NUMBER,
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "5000:1",
}


def status(code: str, serial: str = "5000:1") -> dict:
    one = {"SerialNo": serial, "PhoneNumber": f"+86{NUMBER}", "Fee": 1, "Code": code, "Message": "m"}
    return {"Response": {"SendStatusSet": [one], "RequestId": "r"}}


def trouble(code: str) -> dict:
    return {"Response": {"Error": {"Code": code, "Message": NUMBER}, "RequestId": "r"}}


def test_the_signature_is_that_of_the_published_example():
    body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    proof = tencent.authorization(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        host="cvm.tencentcloudapi.com",
        service="cvm",
        stamp=1551113065,
        body=body.encode(),
    )
    assert "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, " in proof
    assert proof.endswith("=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


async def test_a_notice_goes_by_its_template_and_is_signed_as_documented(account):
    sms = await account()
    assert (await sms.channel.send(MESSAGE)).names == ("5000:1",)
    asked = sms.peer.asked[0]
    assert json.loads(asked.body) == {
        "PhoneNumberSet": [f"+86{NUMBER}"],
        "SmsSdkAppId": "1400006666",
        "SignName": "泰安12345",
        "TemplateId": "11",
        "TemplateParamSet": [MESSAGE.case_no, MESSAGE.text],
        "SessionContext": MESSAGE.id,
    }
    assert asked.headers["x-tc-action"] == "SendSms"
    assert asked.headers["x-tc-timestamp"] == str(int(NOW.timestamp()))
    assert asked.headers["authorization"] == proof(asked)


async def test_any_other_text_goes_by_the_general_template(account):
    sms = await account()
    await sms.channel.send(OutboundMessage("1", Address("sms", NUMBER), "请说说在哪里"))
    sent = json.loads(sms.peer.asked[0].body)
    assert (sent["TemplateId"], sent["TemplateParamSet"]) == ("99", ["请说说在哪里"])


FAILURES = [
    ("half a minute", status("LimitExceeded.PhoneNumberThirtySecondLimit"), "throttled", 30),
    ("an hour", status("LimitExceeded.PhoneNumberOneHourLimit"), "throttled", 3600),
    ("a day", status("LimitExceeded.PhoneNumberDailyLimit"), "quota", None),
    ("calls", trouble("RequestLimitExceeded.UinLimitExceeded"), "throttled", None),
    ("money", status("FailedOperation.InsufficientBalanceInSmsPackage"), "quota", None),
    ("words", status("FailedOperation.ContainSensitiveWord"), "content", None),
    ("template's words", status("FailedOperation.TemplateIncorrectOrUnapproved"), "content", None),
    ("signature of ours", status("FailedOperation.SignatureIncorrectOrUnapproved"), "forbidden", None),
    ("opted out", status("FailedOperation.PhoneNumberInBlacklist"), "refused", None),
    ("number", status("InvalidParameterValue.IncorrectPhoneNumber"), "unreachable", None),
    ("key", trouble("AuthFailure.SecretIdNotFound"), "credentials", None),
    ("signature", trouble("AuthFailure.SignatureFailure"), "credentials", None),
    ("rights", trouble("UnauthorizedOperation.RequestIpNotInWhitelist"), "forbidden", None),
    ("their time-out", status("InternalError.Timeout"), "timeout", None),
    ("trouble", trouble("InternalError"), "busy", None),
    ("no status", {"Response": {"SendStatusSet": []}}, "timeout", None),
    ("no response", {}, "timeout", None),
    ("down", web.Response(status=502), "busy", None),
    ("cut", "cut", "timeout", None),
]


@pytest.mark.parametrize(
    ("answer", "reason", "wait"), [r[1:] for r in FAILURES], ids=[r[0] for r in FAILURES]
)
async def test_every_failure_has_its_reason(account, answer, reason, wait):
    assert await failed(await account(), answer) == (SendReason(reason), wait)


async def test_the_check_tells_a_wrong_key_from_a_missing_number(account):
    sms = await account()
    sms.peer.answers.extend([trouble("MissingParameter"), trouble("AuthFailure.SignatureFailure")])
    assert [(await sms.channel.check())[0].ok for _ in range(2)] == [True, False]


UPS = [
    ("one object", UP, NUMBER),
    ("numbers and strings the other way round", UP | {"mobile": int(NUMBER), "time": "1795485600"}, NUMBER),
    ("from abroad", UP | {"nationcode": "852", "mobile": "61234567"}, "85261234567"),
    ("without a country", {k: v for k, v in UP.items() if k != "nationcode"}, NUMBER),
]


@pytest.mark.parametrize(("body", "sender"), [row[1:] for row in UPS], ids=[row[0] for row in UPS])
async def test_a_message_is_taken_and_thanked_for(account, body, sender):
    sms = await account()
    answer = await sms.call("up", body)
    assert (answer.status, await answer.json()) == (200, {"result": 0, "errmsg": "OK"})
    (message,) = sms.door.messages
    assert (message.sender, message.text) == (sender, "井盖丢了")
    assert message.sent_at == datetime.fromtimestamp(1795485600, UTC)


async def test_a_message_has_a_name_of_its_own_that_a_repeat_keeps(account):
    sms = await account()
    for body in (UP, UP | {"time": "1795485600"}, UP | {"time": 1795485601}, UP | {"text": "井盖"}):
        await sms.call("up", body)
    first, again, later, other = [message.external_id for message in sms.door.messages]
    assert first == again
    assert len({first, later, other}) == 3


async def test_a_message_without_a_readable_time_is_refused(account):
    sms = await account()
    assert (await sms.call("up", UP | {"time": "soon"})).status == 400
    assert sms.counts.refusals == ["bad_time"]


async def test_reports_come_under_the_name_that_send_returned(account):
    sms = await account()
    sent = await sms.channel.send(MESSAGE)
    fail = REPORT | {"report_status": "FAIL", "errmsg": "MBBLACK", "sid": "5000:2"}
    answer = await sms.call("report", [REPORT, fail])
    assert await answer.json() == {"result": 0, "errmsg": "OK"}
    well, ill = sms.receipts.came
    assert (well.provider_id, well.delivery, well.detail) == (sent.names[0], Delivery.DELIVERED, "DELIVRD")
    assert well.at == datetime(2026, 11, 24, 1, 59, 30, tzinfo=UTC)
    assert (ill.provider_id, ill.delivery, ill.detail) == ("5000:2", Delivery.FAILED, "MBBLACK")


def proof(asked) -> str:
    """Compute the header from the wire, by the document and not by our code."""

    def keyed(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    stamp = asked.headers["x-tc-timestamp"]
    day = datetime.fromtimestamp(int(stamp), UTC).date().isoformat()
    text = "POST\n/\n\ncontent-type:" + asked.headers["content-type"] + "\nhost:" + asked.headers["host"]
    text += "\n\ncontent-type;host\n" + hashlib.sha256(asked.body).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n" + hashlib.sha256(text.encode()).hexdigest()
    key = keyed(keyed(keyed(b"TC3testSecret", day), "sms"), "tc3_request")
    return (
        f"TC3-HMAC-SHA256 Credential=testKeyId/{day}/sms/tc3_request, SignedHeaders=content-type;host, "
        f"Signature={keyed(key, to_sign).hex()}"
    )


@pytest.fixture
async def account(aiohttp_server, aiohttp_client):
    async with ClientSession() as http:
        yield maker(SETTINGS["tencent"], status("Ok"), aiohttp_server, aiohttp_client, http)
