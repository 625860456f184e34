"""What the HTTP providers of SMS share outward: settings, pace, which template, what a refusal means (sms-email.md 1.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from channels.contract import Finding, SendError, SendReason
from channels.sms.settings import Networks

if TYPE_CHECKING:
    from normalizer.message import OutboundMessage

SECONDS = 8.0
"""How long a provider may take to answer."""
PATIENCE = 5.0
"""Seconds a message waits for its turn before it is put back."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,}")


class HttpSettings(BaseModel):
    """What every HTTP provider's account has.

    ``callback_secret`` is the part of the callback's path that only the provider knows; ``callback_allow`` are the
    addresses it calls from (none: any); ``trusted_proxies`` are ours, whose X-Forwarded-For is believed; ``rate`` is
    messages a second.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_base: str
    callback_secret: SecretStr
    callback_allow: Networks = ()
    trusted_proxies: Networks = ()
    rate: float = Field(default=50.0, gt=0)

    @field_validator("api_base")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            message = "write an address that begins with https://"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("callback_secret")
    @classmethod
    def _unguessable(cls, value: SecretStr) -> SecretStr:
        if not _SECRET.fullmatch(value.get_secret_value()):
            message = "write at least 16 letters, digits, - or _; they become part of the callback's address"
            raise ValueError(message)
        return value


class TemplateSettings(HttpSettings):
    """An account whose provider sends approved templates only.

    ``templates`` maps a notice's kind to a template, ``text_template`` is one with a single variable for any other
    text, ``signature`` the approved one without 【】: the provider puts it there itself (sms-email.md 1.6).
    """

    signature: str = Field(min_length=2, max_length=32)
    templates: Mapping[str, str] = Field(default_factory=dict)
    text_template: str = ""

    @field_validator("signature")
    @classmethod
    def _bare(cls, value: str) -> str:
        return value.strip().removeprefix("【").removesuffix("】")

    def template_for(self, message: OutboundMessage) -> tuple[str, dict[str, str]]:
        """Return the template of a message and the values of its variables, in order; raises SendError.

        A notice's own template takes the case number and the text, the general one the text alone.
        """
        if template := message.template or self.templates.get(message.notice, ""):
            return template, {"case_no": message.case_no, "text": message.text, **message.fields}
        if self.text_template:
            return self.text_template, {"text": message.text}
        raise SendError(SendReason.FORBIDDEN, f"no template for {message.notice}")


def reason_of(code: str, reasons: Mapping[str, SendReason]) -> SendReason:
    """Return what a code means: its own row, else that of the longest beginning, else CONTENT."""
    beginnings = [known for known in reasons if code.startswith(known)]
    return reasons[max(beginnings, key=len)] if beginnings else SendReason.CONTENT


def probed(account: str, error: SendError | None) -> Finding:
    """Return what a send to nobody tells: the provider knows us when it complains of the number, not of the key."""
    if error is None or error.reason in {SendReason.CONTENT, SendReason.UNREACHABLE}:
        return Finding(ok=True, what=f"{account}：短信接口可用，凭证有效")
    cure = _PROBE_CURES.get(error.reason, "查服务商的错误码说明")
    return Finding(ok=False, what=f"{account}：短信接口不可用（{error}）", cure=cure)


_PROBE_CURES = {
    SendReason.CREDENTIALS: "核对密钥和本机时间，与服务商控制台上的一致",
    SendReason.CONNECTION: "检查本机能否访问 api_base，以及防火墙和代理",
    SendReason.TIMEOUT: "检查本机能否访问 api_base，以及防火墙和代理",
    SendReason.QUOTA: "充值，或在控制台调高限额",
    SendReason.FORBIDDEN: "在控制台检查签名、模板、IP 白名单和权限",
}
