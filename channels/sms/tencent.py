"""短信 by Tencent Cloud: signed SendSms out; in, one object for a message and an array for reports.

Request signature v3 (TC3-HMAC-SHA256) with a worked example: cloud.tencent.com/document/api/362/4208; the call:
document/api/382/55981, version 2021-01-11; callbacks: 382/5809 (message) and 382/5807 (reports); error codes:
382/59177. A message has no id of the provider's: its sender, second and words make one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr
from yarl import URL

from channels.contract import SendError, SendReason, SendResult
from channels.http import post
from channels.settings import read
from channels.sms.callbacks import Dialect, Received, Record, Reported, china_time
from channels.sms.outgoing import SECONDS, TemplateSettings, reason_of
from channels.sms.provider import Provider
from normalizer.errors import InvalidInput
from normalizer.message import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Tools
    from normalizer.message import OutboundMessage

VERSION = "2021-01-11"
SERVICE = "sms"
THANKS = '{"result":0,"errmsg":"OK"}'
_KIND = "application/json; charset=utf-8"


class Settings(TemplateSettings):
    """One account; a notice's template has the variables {1} case number and {2} text, the general one {1} text."""

    kind: Literal["tencent"]
    api_base: str = "https://sms.tencentcloudapi.com"
    secret_id: str = Field(min_length=1)
    secret_key: SecretStr
    app_id: str = Field(min_length=1)
    region: str = "ap-guangzhou"


class Tencent(Provider):
    """Receives callbacks and sends by templates."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        dialect = Dialect(received, reported, THANKS)
        super().__init__(account, settings, tools, dialect, settings.templates)
        self._settings = settings

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send by the notice's template or the general one; raises SendError."""
        template, values = self._settings.template_for(message)
        return await self._send([f"+86{message.address.user}"], template, list(values.values()), message.id)

    async def _probe(self) -> None:
        await self._send([], "0", [], "")

    async def _send(self, numbers: list[str], template: str, values: list[str], ours: str) -> SendResult:
        settings = self._settings
        body = json.dumps(
            {
                "PhoneNumberSet": numbers,
                "SmsSdkAppId": settings.app_id,
                "SignName": settings.signature,
                "TemplateId": template,
                "TemplateParamSet": values,
                "SessionContext": ours,
            },
            ensure_ascii=False,
        ).encode()
        await self._rate.turn()
        headers = self._signed(body)
        answer = await post(self._tools.http, f"{settings.api_base}/", body, headers=headers, seconds=SECONDS)
        return SendResult(_names(answer))

    def _signed(self, body: bytes) -> dict[str, str]:
        stamp = int(self._tools.now().timestamp())
        host = URL(self._settings.api_base).host_port_subcomponent or ""
        key_id, key = self._settings.secret_id, self._settings.secret_key.get_secret_value()
        return {
            "Content-Type": _KIND,
            "Host": host,
            "X-TC-Action": "SendSms",
            "X-TC-Version": VERSION,
            "X-TC-Region": self._settings.region,
            "X-TC-Timestamp": str(stamp),
            "Authorization": authorization(key_id, key, host=host, service=SERVICE, stamp=stamp, body=body),
        }


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Tencent:
    """Make the channel of an account; raises Misconfigured."""
    return Tencent(account, read(Settings, account, settings), tools)


def received(record: Record) -> Received:
    """Return what a reply notice says."""
    number, stamp, words = record.text("mobile"), record.text("time"), record.maybe("text")
    seen = "\n".join((stamp, record.maybe("extend"), words))
    return Received(
        sender=_number(record, number),
        text=words,
        external_id=hashlib.sha256(seen.encode()).hexdigest()[:32],
        sent_at=_at(stamp),
    )


def reported(record: Record) -> Reported:
    """Return what an element of a status notice says."""
    well = record.text("report_status") == "SUCCESS"
    return Reported(
        name=record.text("sid"),
        delivery=Delivery.DELIVERED if well else Delivery.FAILED,
        at=china_time(record.maybe("user_receive_time")),
        detail=record.maybe("errmsg"),
    )


def authorization(key_id: str, key: str, *, host: str, service: str, stamp: int, body: bytes) -> str:
    """Return the Authorization header of a JSON POST to /, with content type and host signed."""
    day = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d")
    lines = f"content-type:{_KIND}\nhost:{host}\n"
    request = "\n".join(("POST", "/", "", lines, "content-type;host", hashlib.sha256(body).hexdigest()))
    scope = f"{day}/{service}/tc3_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}"
    secret = f"TC3{key}".encode()
    for step in (day, service, "tc3_request", to_sign):
        secret = hmac.digest(secret, step.encode(), "sha256")
    credential = f"Credential={key_id}/{scope}, SignedHeaders=content-type;host"
    return f"TC3-HMAC-SHA256 {credential}, Signature={secret.hex()}"


def _number(record: Record, number: str) -> str:
    country = record.maybe("nationcode").removeprefix("+") or "86"
    return number if country == "86" else f"{country}{number}"


def _at(stamp: str) -> datetime | None:
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 11):
        raise InvalidInput("bad_time")
    return datetime.fromtimestamp(int(stamp), UTC)


def _names(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the serial number of the one message that was sent; raises SendError."""
    response = answer.get("Response")
    if not isinstance(response, dict):
        raise SendError(SendReason.TIMEOUT, "an answer without Response")
    if isinstance(error := response.get("Error"), dict):
        raise _error(str(error.get("Code", "")))
    states = response.get("SendStatusSet")
    if not (isinstance(states, list) and states and isinstance(states[0], dict)):
        raise SendError(SendReason.TIMEOUT, "an answer without a status")
    if (code := str(states[0].get("Code", ""))) != "Ok":
        raise _error(code)
    name = str(states[0].get("SerialNo", ""))
    return (name,) if name else ()


def _error(code: str) -> SendError:
    reason = reason_of(code, _REASONS)
    return SendError(reason, code, retry_after=_WAITS.get(code) if reason is SendReason.THROTTLED else None)


_REASONS: dict[str, SendReason] = {
    "AuthFailure": SendReason.CREDENTIALS,
    "AuthFailure.UnauthorizedOperation": SendReason.FORBIDDEN,
    "UnauthorizedOperation": SendReason.FORBIDDEN,
    "UnsupportedOperation": SendReason.FORBIDDEN,
    "IpNotInWhitelist": SendReason.FORBIDDEN,
    "IpInBlacklist": SendReason.FORBIDDEN,
    "RequestLimitExceeded": SendReason.THROTTLED,
    "LimitExceeded": SendReason.QUOTA,
    "LimitExceeded.DeliveryFrequencyLimit": SendReason.THROTTLED,
    "LimitExceeded.PhoneNumberThirtySecondLimit": SendReason.THROTTLED,
    "LimitExceeded.PhoneNumberOneHourLimit": SendReason.THROTTLED,
    "FailedOperation.InsufficientBalanceInSmsPackage": SendReason.QUOTA,
    "FailedOperation.PhoneNumberInBlacklist": SendReason.REFUSED,
    "FailedOperation.SignatureIncorrectOrUnapproved": SendReason.FORBIDDEN,
    "FailedOperation.TemplateUnapprovedOrNotExist": SendReason.FORBIDDEN,
    "InvalidParameterValue.IncorrectPhoneNumber": SendReason.UNREACHABLE,
    "InvalidParameterValue.SdkAppIdNotExist": SendReason.FORBIDDEN,
    "InternalError": SendReason.BUSY,
    "InternalError.Timeout": SendReason.TIMEOUT,
    "ResourceUnavailable": SendReason.BUSY,
}
_WAITS = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
    "LimitExceeded.PhoneNumberOneHourLimit": 3600.0,
    "LimitExceeded.DeliveryFrequencyLimit": 60.0,
}
