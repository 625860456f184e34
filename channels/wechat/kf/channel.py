"""One account of 微信客服 as a channel: it is called, fetches, and sends with ids of its own (wechat.md 2.5, 2.9)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from channels.contract import Capabilities, Finding, Grant, Route, SendError, SendReason, SendResult
from channels.settings import read
from channels.wechat import codec, enclosed, look, uploads
from channels.wechat.api import Api
from channels.wechat.channel import MAX_BYTES
from channels.wechat.kf.callback import Callback
from channels.wechat.kf.parse import GREETS
from channels.wechat.kf.pull import Pull
from channels.wechat.kf.settings import Settings
from channels.wechat.kf.state import STATES, States, Talk
from channels.wechat.kf.token import CorpToken
from channels.wechat.media import MediaApi
from channels.wechat.settings import decode_key
from channels.wechat.tokens import TokenProvider
from channels.wechat.trouble import Troubles, finding
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from channels.contract import Tools
    from normalizer.message import InboundMessage, OutboundMessage, Part

log = structlog.get_logger()

SEND, GREET = "/cgi-bin/kf/send_msg", "/cgi-bin/kf/send_msg_on_event"
WRONG_STATE = 95018
_MESSAGE = (timedelta(hours=48), 5)
_GREETING = (timedelta(seconds=20), 1)
"""How long the code of somebody's coming greets him, and how often."""


class CustomerService:
    """Receives by fetching, and sends while the talk is ours."""

    sends_here = True

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        self.account = account
        self.capabilities = Capabilities(source=SourceChannel.WECHAT, max_bytes=MAX_BYTES, windowed=True)
        self._settings = settings
        self._tools = tools
        self._open_kfid = settings.open_kfid
        self._troubles = Troubles(account, tools.keys)
        tokens = TokenProvider(account, CorpToken(settings, tools.http), tools)
        self.api = Api(settings.api_base, tools.http, tokens, self._troubles)
        self.states = States(settings.open_kfid, self.api)
        self._media = MediaApi(settings.api_base, tools.http, tokens)
        files = uploads.Uploads(account, uploads.CUSTOMER_SERVICE, self.api, tools)
        self._enclosed = enclosed.Enclosed(files, enclosed.CUSTOMER_SERVICE)
        self.pull = Pull(account, settings.open_kfid, settings.poll_seconds, self.api, tools)
        self._callback = Callback(account, settings, tools, self.pull.called)

    def routes(self) -> Sequence[Route]:
        """Return the callback's two methods."""
        return (Route("GET", "", self._callback.verify), Route("POST", "", self._callback.receive))

    def grant(self, message: InboundMessage) -> Grant | None:
        """Return the leave a message gives, from when it was sent: it may have waited to be fetched."""
        span, count = _GREETING if message.thread.startswith(GREETS) else _MESSAGE
        return Grant(message.sent_at + span, count)

    async def run(self) -> None:
        """Fetch what people wrote until cancelled."""
        await self.pull.run()

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, or what the message brings, under our own id, so that the same one sent twice arrives once; raises SendError.

        That the provider took it is not the end: what did not arrive is told later (``msg_send_fail``).
        """
        if message.thread.startswith(GREETS) and await self._greeted(message):
            return SendResult((_name(message),))
        instead = ""
        if enclosed.brings(message):
            instead = await self._enclosed.sent(message, partial(self._send, message))
            if not instead:
                return SendResult((_name(message),))
        await self._send(message, _text(message))
        return SendResult((_name(message),), instead)

    def fetch(self, part: Part, largest: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give a file that somebody sent as it comes; raises Lost or SendError."""
        return self._media.open(part, largest)

    async def check(self) -> Sequence[Finding]:
        """Ask for the corporation's accounts of customer service, and look for ours among them."""
        try:
            answer = await self.api.call("/cgi-bin/kf/account/list", {"offset": 0, "limit": 100})
        except SendError as error:
            return [finding(self.account, error)]
        known = [each.get("open_kfid") for each in answer.get("account_list") or [] if isinstance(each, dict)]
        if self._open_kfid not in known:
            cure = "核对 open_kfid；并在企业微信后台“微信客服－API”里允许应用管理这个客服帐号"
            return [Finding(ok=False, what=f"{self.account}：微信客服里没有这个帐号", cure=cure)]
        return [Finding(ok=True, what=f"{self.account}：微信客服凭证有效，接口可用")]

    async def look(self, public_url: str) -> Sequence[Finding]:
        """Say whether the callback can be reached from outside: it must open the echo that is sealed."""
        settings, words = self._settings, look.echo()
        key = decode_key(settings.aes_key.get_secret_value())
        sealed = codec.Crypter(settings.corp_id, [key] if key is not None else []).encrypt(words.encode())
        stamp, nonce = str(int(self._tools.now().timestamp())), look.echo()
        signed = codec.signature(settings.token.get_secret_value(), stamp, nonce, sealed)
        query = {"timestamp": stamp, "nonce": nonce, "echostr": sealed, "msg_signature": signed}
        return [await look.reached(self.account, public_url, self._tools.http, query, words)]

    async def trouble(self) -> Finding | None:
        """Return the last trouble that people must end, None when there is none."""
        return await self._troubles.last()

    async def _send(self, message: OutboundMessage, content: Mapping[str, Any]) -> None:
        """Send one content of a message; raises SendError."""
        user = message.address.user
        body = {**content, "msgid": _name(message), "touser": user, "open_kfid": self._open_kfid}
        try:
            await self.api.call(SEND, body)
        except SendError as error:
            if f"errcode {WRONG_STATE}" not in error.detail:
                raise
            await self._send_by_state(user, body)

    async def _greeted(self, message: OutboundMessage) -> bool:
        """Send by the code of somebody's coming, and return whether it was still good."""
        code = message.thread.removeprefix(GREETS)
        body = {**_text(message), "msgid": _name(message), "code": code}
        try:
            await self.api.call(GREET, body)
        except SendError as error:
            if error.reason in {SendReason.CONTENT, SendReason.WINDOW}:
                return False
            raise
        return True

    async def _send_by_state(self, user: str, body: Mapping[str, Any]) -> None:
        """Send once more when the talk is ours after all; raises SendError with what stands in the way."""
        talk = await self.states.of(user)
        if talk in {Talk.NEW, Talk.OURS}:
            await self.api.call(SEND, body)
            return
        log.warning("kf.talk_is_not_ours", account=self.account, state=talk)
        reason = SendReason.WINDOW if talk is Talk.ENDED else SendReason.FORBIDDEN
        raise SendError(reason, f"errcode {WRONG_STATE} {STATES[talk]}")


def _text(message: OutboundMessage) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": message.text}}


def _name(message: OutboundMessage) -> str:
    return message.id[:32]


def build(account: str, settings: Mapping[str, object], tools: Tools) -> CustomerService:
    """Make the channel of an account; raises Misconfigured."""
    return CustomerService(account, read(Settings, account, settings), tools)
