"""短信 by Alibaba Cloud: signed SendSms out, JSON arrays in.

Request signature V3 (ACS3-HMAC-SHA256): help.aliyun.com/document_detail/2593177.html; the call: SendSms, version
2017-05-25; callbacks: help.aliyun.com/zh/sms/developer-reference/smsup-http and document_detail/101867.html; error
codes: document_detail/101346.html. There is no idempotency key: after a time-out the receipt must tell.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr
from yarl import URL

from channels.contract import SendError, SendReason, SendResult
from channels.http import post
from channels.settings import read
from channels.sms.callbacks import Dialect, Received, Record, Reported, china_time, proper
from channels.sms.outgoing import SECONDS, TemplateSettings, reason_of
from channels.sms.provider import Provider
from normalizer.message import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from channels.contract import Tools
    from normalizer.message import OutboundMessage

VERSION = "2017-05-25"
THANKS = '{"code":0,"msg":"成功"}'


class Settings(TemplateSettings):
    """One account; the templates' variables are called ``case_no`` and ``text`` in the provider's console."""

    kind: Literal["aliyun"]
    api_base: str = "https://dysmsapi.aliyuncs.com"
    access_key_id: str = Field(min_length=1)
    access_key_secret: SecretStr


class Aliyun(Provider):
    """Receives callbacks and sends by templates."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        dialect = Dialect(received, reported, THANKS)
        super().__init__(account, settings, tools, dialect, settings.templates)
        self._settings = settings

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send by the notice's template or the general one; raises SendError."""
        template, values = self._settings.template_for(message)
        return await self._send(message.address.user, template, values, message.id)

    async def _probe(self) -> None:
        await self._send("", "", {}, "")

    async def _send(self, number: str, template: str, values: Mapping[str, str], ours: str) -> SendResult:
        query = {
            "PhoneNumbers": number,
            "SignName": self._settings.signature,
            "TemplateCode": template,
            "TemplateParam": json.dumps(values, ensure_ascii=False),
            "OutId": ours,
        }
        await self._rate.turn()
        url = URL(f"{self._settings.api_base}/?{canonical(query)}", encoded=True)
        answer = await post(self._tools.http, url, b"", headers=self._signed(url), seconds=SECONDS)
        if (code := str(answer.get("Code", ""))) != "OK":
            raise _error(code, str(answer.get("Message", "")))
        name = str(answer.get("BizId", ""))
        return SendResult((f"{name}:{number}",) if name else ())

    def _signed(self, url: URL) -> dict[str, str]:
        secret = self._settings.access_key_secret.get_secret_value()
        nonce = secrets.token_hex(16)
        headers = headers_of(url.host_port_subcomponent or "", "SendSms", VERSION, self._tools.now(), nonce)
        proof = authorization(self._settings.access_key_id, secret, url.raw_query_string, headers)
        return headers | {"Authorization": proof}


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Aliyun:
    """Make the channel of an account; raises Misconfigured."""
    return Aliyun(account, read(Settings, account, settings), tools)


def received(record: Record) -> Received:
    """Return what an element of SmsUp says."""
    return Received(
        sender=record.text("phone_number"),
        text=record.maybe("content"),
        external_id=record.text("sequence_id"),
        sent_at=china_time(record.maybe("send_time")),
    )


def reported(record: Record) -> Reported:
    """Return what an element of SmsReport says."""
    well = record.text("success") in {"true", "1"}
    return Reported(
        name=f"{record.text('biz_id')}:{proper(record.text('phone_number'))}",
        delivery=Delivery.DELIVERED if well else Delivery.FAILED,
        at=china_time(record.maybe("report_time")),
        detail=record.maybe("err_code"),
    )


def canonical(query: Mapping[str, str]) -> str:
    """Return a query as it is signed: sorted, each name and value encoded by RFC 3986."""
    return "&".join(f"{_encoded(name)}={_encoded(query[name])}" for name in sorted(query))


def headers_of(host: str, action: str, version: str, at: datetime, nonce: str) -> dict[str, str]:
    """Return the headers that are signed, for a request with an empty body."""
    return {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }


def authorization(key_id: str, secret: str, query: str, headers: Mapping[str, str]) -> str:
    """Return the Authorization header of a POST to / with these headers, all of them signed."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", query, lines, names, headers["x-acs-content-sha256"]))
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}"


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _error(code: str, words: str) -> SendError:
    if not code:
        return SendError(SendReason.TIMEOUT, "an answer without a code")
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        # One code for the limits a minute, an hour and a day; only the words tell which.
        if "天" in words:
            return SendError(SendReason.QUOTA, code)
        return SendError(SendReason.THROTTLED, code, retry_after=3600.0 if "小时" in words else 60.0)
    reason = reason_of(code, _REASONS)
    return SendError(reason, code, retry_after=1.0 if reason is SendReason.THROTTLED else None)


_REASONS: dict[str, SendReason] = {
    "Throttling": SendReason.THROTTLED,
    "isv.DAY_LIMIT_CONTROL": SendReason.QUOTA,
    "isv.MONTH_LIMIT_CONTROL": SendReason.QUOTA,
    "isv.OUT_OF_SERVICE": SendReason.QUOTA,
    "isv.AMOUNT_NOT_ENOUGH": SendReason.QUOTA,
    "isv.MOBILE_NUMBER_ILLEGAL": SendReason.UNREACHABLE,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": SendReason.UNREACHABLE,
    "isv.BLACK_KEY_CONTROL_LIMIT": SendReason.CONTENT,
    "MOBILE_IN_BLACK": SendReason.REFUSED,
    "isv.SMS_SIGN": SendReason.FORBIDDEN,
    "isv.SIGN_": SendReason.FORBIDDEN,
    "isv.SMS_TEMPLATE_ILLEGAL": SendReason.FORBIDDEN,
    "isv.DENY_IP_RANGE": SendReason.FORBIDDEN,
    "isv.PRODUCT_UN": SendReason.FORBIDDEN,
    "isv.ACCOUNT_": SendReason.FORBIDDEN,
    "isp.RAM_PERMISSION_DENY": SendReason.FORBIDDEN,
    "isp.SYSTEM_ERROR": SendReason.BUSY,
    "InternalError": SendReason.BUSY,
    "ServiceUnavailable": SendReason.BUSY,
    "SignatureNonceUsed": SendReason.BUSY,
    "SignatureDoesNotMatch": SendReason.CREDENTIALS,
    "IncompleteSignature": SendReason.CREDENTIALS,
    "InvalidAccessKeyId": SendReason.CREDENTIALS,
    "InvalidTimeStamp": SendReason.CREDENTIALS,
    "Forbidden": SendReason.FORBIDDEN,
}
