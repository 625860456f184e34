"""One WeChat mini-program as a channel: its citizens sign in by code, and write by customer-service messages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from channels.contract import Capabilities, Grant
from channels.settings import read
from channels.wechat import enclosed, forms, uploads
from channels.wechat.channel import MAX_BYTES, Account, named
from channels.wechat.miniprogram.login import openid_of, phone_of
from channels.wechat.miniprogram.settings import Settings
from channels.wechat.notify import body_of
from channels.wechat.safety import look_at, opinion_of
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Opinion, SendResult, Tools
    from normalizer.message import InboundMessage, OutboundMessage, PartKind

_FORMS = {"xml": forms.XML, "json": forms.JSON}
_ENTERED = "user_enter_tempsession"


class MiniProgram(Account):
    """Receives callbacks, sends by customer-service messages alone, and says whose login code it is."""

    _typing = "/cgi-bin/message/custom/business/typing"

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        # A mini-program takes no reply in the answer to a callback (wechat.md 2.5).
        capabilities = Capabilities(
            source=SourceChannel.MINIPROGRAM,
            max_bytes=MAX_BYTES,
            windowed=True,
            subscriptions={notice: each.id for notice, each in settings.subscribe.items()},
        )
        takes = uploads.MINIPROGRAM, enclosed.MINIPROGRAM
        super().__init__(account, settings, capabilities, _FORMS[settings.format], tools, takes=takes)
        self._settings = settings

    def grant(self, message: InboundMessage) -> Grant | None:
        """Return the leave to write that a message gives: 5 in 48 hours, on entering the talk 2 in a minute."""
        event = message.event
        if event is None:
            return Grant(message.received_at + timedelta(hours=48), 5)
        if event.key == _ENTERED:
            return Grant(message.received_at + timedelta(minutes=1), 2)
        return None

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, or by a template that the citizen agreed to; raises SendError."""
        if not message.consented:
            return await super().send(message)
        body = body_of(self._settings.subscribe.get(message.notice), message)
        return named(await self.api.call("/cgi-bin/message/subscribe/send", body | {"lang": "zh_CN"}))

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The templates to ask a citizen's consent for; the platform takes three at a time."""
        return tuple(dict.fromkeys(self.capabilities.subscriptions.values()))

    async def opinion(self, user: str, text: str) -> Opinion | None:
        """Return what the platform objects to in a citizen's words; raises SendError."""
        return await opinion_of(self.api, user, text)

    async def look_at(self, user: str, kind: PartKind, url: str) -> str:
        """Ask the platform to look at a citizen's file and return its name for that; raises SendError."""
        return await look_at(self.api, user, kind, url)

    async def phone_of(self, code: str) -> str:
        """Return the telephone whose code this is; raises SignInError."""
        return await phone_of(self.api, self.account, code)

    async def sign_in(self, code: str) -> str:
        """Return the openid whose login code this is; raises SignInError."""
        return await openid_of(self.account, self._settings, self._tools, code)


def build(account: str, settings: Mapping[str, object], tools: Tools) -> MiniProgram:
    """Make the channel of an account; raises Misconfigured."""
    return MiniProgram(account, read(Settings, account, settings), tools)
