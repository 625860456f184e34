"""短信 by a Kannel gateway of our own: sendsms out by POST, get-url and dlr-url in.

The Kannel User Guide 1.4 (kannel.org/download/1.4.5/userguide-1.4.5), "SMS Push", "Delivery reports" and
"SMS-service group"; sms-email.md 2. Its configuration needs, in the group sms-service: keyword = default,
catch-all = true, max-messages = 0 and get-url = ".../channels/{account}/{secret}/up?from=%p&to=%P&text=%b&coding=%c&
time=%t&id=%I"; in the group smsbox http-request-retry, for it gives up a message that we were too busy for otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from pydantic import Field, SecretStr

from channels.contract import SendError, SendReason, SendResult
from channels.http import post_text
from channels.settings import read
from channels.sms.callbacks import Dialect, Received, Record, Reported, raw_of, utc_time
from channels.sms.outgoing import SECONDS, HttpSettings
from channels.sms.provider import Provider
from channels.sms.text import signed
from normalizer.errors import InvalidInput
from normalizer.message import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Tools
    from normalizer.message import OutboundMessage

PATH = "/cgi-bin/sendsms"
ASKED = "19"
"""The reports we want (dlr-mask): delivered 1, not delivered 2, refused by the centre 16."""
_UCS2 = "2"
_DELIVERIES = {
    "1": Delivery.DELIVERED,
    "2": Delivery.FAILED,
    "4": Delivery.SENT,
    "8": Delivery.SENT,
    "16": Delivery.FAILED,
}


class Charset(StrEnum):
    """In which bytes %b comes when %c says UCS-2: an SMPP centre's are UTF-16BE, an HTTP centre's UTF-8.

    ``auto`` takes what is no clean UTF-8 for UTF-16BE; a word such as 好 is clean in both, so set it for SMPP.
    """

    AUTO = "auto"
    UTF_8 = "utf-8"
    UTF_16 = "utf-16be"


class Settings(HttpSettings):
    """One user of sendsms; ``sender`` is our number, ``report_url`` the public address of our ``/report``.

    ``signature`` is put first in every text; leave it empty where the gateway behind adds it.
    """

    kind: Literal["kannel"]
    username: str = Field(min_length=1)
    password: SecretStr
    sender: str = Field(min_length=1)
    signature: str = ""
    report_url: str = ""
    up_charset: Charset = Charset.AUTO


class Kannel(Provider):
    """Receives by get-url and sends by sendsms."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        super().__init__(account, settings, tools, Dialect(self._received, reported, thanks=""))
        self._settings = settings

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, which Kannel cuts into parts; raises SendError. Reports come under our own id."""
        about = {"To": message.address.user, "Coding": _UCS2}
        if self._settings.report_url:
            # Kannel fills in %d and %A itself.
            url = f"{self._settings.report_url}?{urlencode({'id': message.id})}&status=%d&detail=%A"
            about |= {"DLR-Mask": ASKED, "DLR-Url": url}
        await self._send(signed(message.text, self._settings.signature), about)
        return SendResult((message.id,) if self._settings.report_url else ())

    async def _probe(self) -> None:
        await self._send("x", {})

    async def _send(self, text: str, about: Mapping[str, str]) -> None:
        settings = self._settings
        fields = {
            "Username": settings.username,
            "Password": settings.password.get_secret_value(),
            "From": settings.sender,
            **about,
        }
        headers = {f"X-Kannel-{name}": value for name, value in fields.items()}
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        await self._rate.turn()
        url = settings.api_base + PATH
        status, words = await post_text(
            self._tools.http, url, text.encode(), headers=headers, seconds=SECONDS
        )
        if status not in {200, 202}:
            raise _error(status, words)

    def _received(self, record: Record) -> Received:
        return Received(
            sender=record.text("from"),
            text=_words(record, self._settings.up_charset),
            external_id=record.text("id"),
            sent_at=utc_time(record.maybe("time")),
        )


def build(account: str, settings: Mapping[str, object], tools: Tools) -> Kannel:
    """Make the channel of an account; raises Misconfigured."""
    return Kannel(account, read(Settings, account, settings), tools)


def reported(record: Record) -> Reported:
    """Return what a dlr-url says; raises InvalidInput for a status that the guide does not know."""
    status = record.text("status")
    if status not in _DELIVERIES:
        raise InvalidInput("bad_status")
    return Reported(record.text("id"), _DELIVERIES[status], None, record.maybe("detail"))


def _words(record: Record, charset: Charset) -> str:
    value = record.get("text", "")
    raw = raw_of(value if isinstance(value, str) else "")
    if record.maybe("coding") == _UCS2 and (charset is Charset.UTF_16 or _unclean(raw, charset)):
        return raw.decode("utf-16-be", "replace")
    return record.maybe("text")


def _unclean(raw: bytes, charset: Charset) -> bool:
    if charset is not Charset.AUTO:
        return False
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return True
    return any(char < " " and char not in "\t\r\n" for char in text)


def _error(status: int, words: str) -> SendError:
    if "Authorization failed" in words:
        return SendError(SendReason.CREDENTIALS, f"HTTP {status}")
    if "Not routable" in words or "black-lists" in words:
        return SendError(SendReason.UNREACHABLE, f"HTTP {status}")
    if status == 504:
        return SendError(SendReason.TIMEOUT, f"HTTP {status}")
    return SendError(SendReason.BUSY if status >= 500 else SendReason.CONTENT, f"HTTP {status}")
