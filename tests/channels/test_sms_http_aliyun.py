import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web

from channels.contract import SendReason
from channels.sms import aliyun
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW
from tests.kit.providers import MESSAGE, NUMBER, SETTINGS, failed, maker

GOOD = {"Code": "OK", "Message": "OK", "RequestId": "r", "BizId": "900^0"}
UP = {
    "phone_number": NUMBER,
    "content": "人民路井盖丢了",
    "send_time": "2026-11-24 09:59:00",
    "dest_code": "1234",
    "sequence_id": "1234567890",
}
REPORT = {
    "phone_number": NUMBER,
    "send_time": "2026-11-24 09:59:00",
    "report_time": "2026-11-24 09:59:30",
    "success": True,
    "err_code": "DELIVERED",
    "biz_id": "900^0",
}


def test_the_signature_is_that_of_the_published_example():
    at = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC)
    nonce = "3156853299f313e23d1673dc12e1703d"
    headers = aliyun.headers_of("ecs.cn-shanghai.aliyuncs.com", "RunInstances", "2014-05-26", at, nonce)
    image = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
    query = aliyun.canonical({"RegionId": "cn-shanghai", "ImageId": image})
    proof = aliyun.authorization("YourAccessKeyId", "YourAccessKeySecret", query, headers)
    assert proof.endswith("=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


async def test_a_notice_goes_by_its_template_and_is_signed_as_documented(account):
    sms = await account()
    result = await sms.channel.send(MESSAGE)
    assert result.names == (f"900^0:{NUMBER}",)
    asked = sms.peer.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/", b"")
    assert asked.headers["authorization"].rpartition("Signature=")[2] == signature(asked)
    sent = {name: values[0] for name, values in parse_qs(asked.query).items()}
    parameters = json.loads(sent.pop("TemplateParam"))
    assert parameters == {"case_no": MESSAGE.case_no, "text": MESSAGE.text}
    assert sent == {
        "PhoneNumbers": NUMBER,
        "SignName": "泰安12345",
        "TemplateCode": "SMS_1",
        "OutId": MESSAGE.id,
    }
    assert asked.headers["x-acs-action"] == "SendSms"
    assert asked.headers["x-acs-date"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_any_other_text_goes_by_the_general_template(account):
    sms = await account()
    await sms.channel.send(OutboundMessage("1", Address("sms", NUMBER), "请说说在哪里 & 什么事？*~"))
    sent = parse_qs(sms.peer.asked[0].query)
    assert sent["TemplateCode"] == ["SMS_9"]
    assert json.loads(sent["TemplateParam"][0]) == {"text": "请说说在哪里 & 什么事？*~"}
    assert sms.peer.asked[0].headers["authorization"].endswith(signature(sms.peer.asked[0]))


FAILURES = [
    ("minute", {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发分钟级流控Permits:1"}, "throttled", 60),
    ("hour", {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发小时级流控Permits:5"}, "throttled", 3600),
    ("day", {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发天级流控Permits:10"}, "quota", None),
    ("calls", {"Code": "Throttling.User", "Message": f"{NUMBER}"}, "throttled", 1),
    ("money", {"Code": "isv.OUT_OF_SERVICE"}, "quota", None),
    ("day limit", {"Code": "isv.DAY_LIMIT_CONTROL"}, "quota", None),
    ("words", {"Code": "isv.SMS_CONTENT_ILLEGAL"}, "content", None),
    ("variable", {"Code": "isv.PARAM_LENGTH_LIMIT"}, "content", None),
    ("template", {"Code": "isv.SMS_TEMPLATE_ILLEGAL"}, "forbidden", None),
    ("number", {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, "unreachable", None),
    ("opted out", {"Code": "MOBILE_IN_BLACK"}, "refused", None),
    ("key", web.json_response({"Code": "InvalidAccessKeyId.NotFound"}, status=404), "credentials", None),
    ("signature", web.json_response({"Code": "SignatureDoesNotMatch"}, status=400), "credentials", None),
    ("clock", {"Code": "InvalidTimeStamp.Expired"}, "credentials", None),
    ("rights", {"Code": "isp.RAM_PERMISSION_DENY"}, "forbidden", None),
    ("unknown code", {"Code": "isv.SOMETHING_NEW"}, "content", None),
    ("no code", {}, "timeout", None),
    ("trouble", {"Code": "isp.SYSTEM_ERROR"}, "busy", None),
    ("down", web.Response(status=503), "busy", None),
    ("cut", "cut", "timeout", None),
    ("no answer behind", web.Response(status=504), "timeout", None),
    ("half an answer", web.Response(text='{"Code":"O'), "timeout", None),
]


@pytest.mark.parametrize(
    ("answer", "reason", "wait"), [row[1:] for row in FAILURES], ids=[r[0] for r in FAILURES]
)
async def test_every_failure_has_its_reason(account, answer, reason, wait):
    assert await failed(await account(), answer) == (SendReason(reason), wait)


async def test_without_a_template_nothing_is_sent(account):
    sms = await account(templates={}, text_template="")
    assert await failed(sms, GOOD) == (SendReason.FORBIDDEN, None)
    assert not sms.peer.asked


CHECKS = [
    ("the number is missing", {"Code": "MissingPhoneNumbers"}, True),
    ("the key is wrong", {"Code": "SignatureDoesNotMatch"}, False),
    ("nobody answers", "cut", False),
]


@pytest.mark.parametrize(("answer", "well"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
async def test_the_check_tells_a_wrong_key_from_a_missing_number(account, answer, well):
    sms = await account()
    sms.peer.answers.append(answer)
    (finding,) = await sms.channel.check()
    assert finding.ok is well
    assert well or finding.cure


UPS = [
    ("one", [UP], ["1234567890"]),
    (
        "a number for a string",
        [UP | {"sequence_id": 1234567890, "phone_number": 13812345678}],
        ["1234567890"],
    ),
    ("two", [UP, UP | {"sequence_id": "2"}], ["1234567890", "2"]),
    ("a bad one among good", [UP, {"content": "x"}, UP | {"sequence_id": "3"}], ["1234567890", "3"]),
    ("country code", [UP | {"phone_number": "+86 138 1234 5678"}], ["1234567890"]),
    ("an object alone", UP, ["1234567890"]),
]


@pytest.mark.parametrize(("body", "ids"), [row[1:] for row in UPS], ids=[row[0] for row in UPS])
async def test_messages_are_taken_and_thanked_for(account, body, ids):
    sms = await account()
    answer = await sms.call("up", body)
    assert (answer.status, await answer.json()) == (200, {"code": 0, "msg": "成功"})
    assert [message.external_id for message in sms.door.messages] == ids
    first = sms.door.messages[0]
    assert (first.sender, first.text, first.automatic) == (NUMBER, "人民路井盖丢了", False)
    assert first.sent_at == datetime(2026, 11, 24, 1, 59, tzinfo=UTC)
    assert json.loads(first.raw)["content"] == "人民路井盖丢了"


async def test_a_message_that_comes_twice_has_the_same_name_both_times(account):
    sms = await account()
    for _ in range(2):
        assert (await sms.call("up", [UP])).status == 200
    assert len({(message.sender, message.external_id) for message in sms.door.messages}) == 1


REPORTS = [
    ("delivered", REPORT, "delivered", "DELIVERED"),
    ("success as a string", REPORT | {"success": "true"}, "delivered", "DELIVERED"),
    ("failed", REPORT | {"success": False, "err_code": "UNDELIV"}, "failed", "UNDELIV"),
    ("on the black list", REPORT | {"success": "false", "err_code": "MBBLACK"}, "failed", "MBBLACK"),
]


@pytest.mark.parametrize(
    ("report", "delivery", "detail"), [r[1:] for r in REPORTS], ids=[r[0] for r in REPORTS]
)
async def test_reports_come_under_the_name_that_send_returned(account, report, delivery, detail):
    sms = await account()
    sent = await sms.channel.send(MESSAGE)
    assert (await sms.call("report", [report, report | {"biz_id": "901"}])).status == 200
    assert [receipt.provider_id for receipt in sms.receipts.came] == [*sent.names, f"901:{NUMBER}"]
    first = sms.receipts.came[0]
    assert (first.delivery, first.detail) == (Delivery(delivery), detail)
    assert first.at == datetime(2026, 11, 24, 1, 59, 30, tzinfo=UTC)


def signature(asked) -> str:
    """Compute the signature from the wire, by the document and not by our code."""
    names = asked.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert names == sorted(name for name in asked.headers if name == "host" or name.startswith("x-acs-"))
    assert asked.headers["x-acs-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
    text = "POST\n/\n" + asked.query + "\n"
    for name in names:
        text += name + ":" + asked.headers[name] + "\n"
    text += "\n" + ";".join(names) + "\n" + hashlib.sha256(asked.body).hexdigest()
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(text.encode()).hexdigest()
    return hmac.new(b"testSecret", to_sign.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
async def account(aiohttp_server, aiohttp_client):
    async with ClientSession() as http:
        yield maker(SETTINGS["aliyun"], GOOD, aiohttp_server, aiohttp_client, http)
