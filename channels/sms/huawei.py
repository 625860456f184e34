"""短信 by Huawei Cloud (MSGSMS): a signed form out, forms in.

Request signature (SDK-HMAC-SHA256): support.huaweicloud.com/api-msgsms/sms_05_0046.html, its algorithm and worked
example: devg-apisign/api-sign-algorithm-003.html; the call batchSendSms and its codes: api-msgsms/sms_05_0001.html;
callbacks: sms_05_0004.html (message), sms_05_0003.html (report), sms_05_0063.html (reports in a batch). Reports are
sent to the address named with each message (``report_url``) or, without one, to that set in the console.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, SecretStr
from yarl import URL

from channels.contract import SendError, SendReason, SendResult
from channels.http import post
from channels.settings import read
from channels.sms.callbacks import Dialect, Received, Record, Reported, utc_time
from channels.sms.outgoing import SECONDS, TemplateSettings, reason_of
from channels.sms.provider import Provider
from normalizer.message import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Tools
    from normalizer.message import OutboundMessage

PATH = "/sms/batchSendSms/v1"
WELL = "000000"
_KIND = "application/x-www-form-urlencoded"
_ON_ITS_WAY = frozenset({"ACCEPTD", "UNKNOWN"})


class Settings(TemplateSettings):
    """One application; a notice's template has two variables, case number and text, the general one the text.

    ``sender`` is the signature's channel number, ``report_url`` the public address of our ``/report``.
    """

    kind: Literal["huawei"]
    api_base: str = "https://smsapi.cn-north-4.myhuaweicloud.com:443"
    app_key: str = Field(min_length=1)
    app_secret: SecretStr
    sender: str = Field(min_length=1)
    report_url: str = ""


class Huawei(Provider):
    """Receives callbacks and sends by templates."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        dialect = Dialect(received, reported, thanks="", batch="statusReportList")
        super().__init__(account, settings, tools, dialect, settings.templates)
        self._settings = settings

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send by the notice's template or the general one; raises SendError."""
        template, values = self._settings.template_for(message)
        return await self._send(f"+86{message.address.user}", template, list(values.values()))

    async def _probe(self) -> None:
        await self._send("", "", [])

    async def _send(self, number: str, template: str, values: list[str]) -> SendResult:
        settings = self._settings
        form = {
            "from": settings.sender,
            "to": number,
            "templateId": template,
            "templateParas": json.dumps(values, ensure_ascii=False),
            "signature": settings.signature,
            "statusCallback": settings.report_url,
        }
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        await self._rate.turn()
        url = URL(settings.api_base + PATH)
        answer = await post(self._tools.http, url, body, headers=self._signed(url, body), seconds=SECONDS)
        return SendResult(_names(answer))

    def _signed(self, url: URL, body: bytes) -> dict[str, str]:
        headers = {
            "content-type": _KIND,
            "host": url.host_port_subcomponent or "",
            "x-sdk-date": self._tools.now().strftime("%Y%m%dT%H%M%SZ"),
        }
        secret = self._settings.app_secret.get_secret_value()
        proof = authorization(self._settings.app_key, secret, url, method="POST", headers=headers, body=body)
        return headers | {"Authorization": proof}


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Huawei:
    """Make the channel of an account; raises Misconfigured."""
    return Huawei(account, read(Settings, account, settings), tools)


def received(record: Record) -> Received:
    """Return what the form of a message says."""
    return Received(
        sender=record.text("from"),
        text=record.maybe("body"),
        external_id=record.text("smsMsgId"),
        sent_at=utc_time(record.maybe("createTime")),
    )


def reported(record: Record) -> Reported:
    """Return what a report says; one of several parts delivers the message only when it is the last."""
    status = record.text("status")
    return Reported(
        name=record.text("smsMsgId"),
        delivery=_delivery(status, record.maybe("sequence"), record.maybe("total")),
        at=utc_time(record.maybe("updateTime")),
        detail=status,
    )


def authorization(
    key: str, secret: str, url: URL, *, method: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the Authorization header of a request, all these headers signed; their names are in lower case."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    path = url.raw_path if url.raw_path.endswith("/") else f"{url.raw_path}/"
    query = "&".join(sorted(url.raw_query_string.split("&")))
    request = "\n".join((method, path, query, lines, names, hashlib.sha256(body).hexdigest()))
    hashed = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"SDK-HMAC-SHA256\n{headers['x-sdk-date']}\n{hashed}"
    signature = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    return f"SDK-HMAC-SHA256 Access={key}, SignedHeaders={names}, Signature={signature}"


def _delivery(status: str, sequence: str, total: str) -> Delivery:
    if status in _ON_ITS_WAY:
        return Delivery.SENT
    if status != "DELIVRD":
        return Delivery.FAILED
    return Delivery.DELIVERED if sequence == total else Delivery.SENT


def _names(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the id of the one message that was sent; raises SendError with the message's own code if it has one."""
    results = answer.get("result")
    one = results[0] if isinstance(results, list) and results and isinstance(results[0], dict) else {}
    if not (code := str(answer.get("code", ""))):
        raise SendError(SendReason.TIMEOUT, "an answer without a code")
    if (own := str(one.get("status", WELL))) != WELL:
        code = own
    if code != WELL:
        raise _error(code)
    name = str(one.get("smsMsgId", ""))
    return (name,) if name else ()


def _error(code: str) -> SendError:
    reason = reason_of(code, _REASONS)
    return SendError(reason, code, retry_after=60.0 if reason is SendReason.THROTTLED else None)


_REASONS: dict[str, SendReason] = {
    "E000000": SendReason.BUSY,
    "E0000": SendReason.CREDENTIALS,
    "E0001": SendReason.CREDENTIALS,
    "E000112": SendReason.FORBIDDEN,
    "E000620": SendReason.FORBIDDEN,
    "E000623": SendReason.QUOTA,
    "E200018": SendReason.FORBIDDEN,
    "E20002": SendReason.FORBIDDEN,
    "E200028": SendReason.CONTENT,
    "E200029": SendReason.CONTENT,
    "E200030": SendReason.FORBIDDEN,
    "E200033": SendReason.FORBIDDEN,
    "MILIMIT": SendReason.THROTTLED,
    "LIMIT": SendReason.QUOTA,
    "MBBLACK": SendReason.REFUSED,
    "BLACK": SendReason.REFUSED,
}
