"""One account of WeChat as a channel: what all apps share, and the public account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from channels.contract import Capabilities, Finding, Route, SendError, SendResult
from channels.settings import read
from channels.wechat import codec, enclosed, forms, look, unions, uploads
from channels.wechat.api import Api
from channels.wechat.callback import Callback
from channels.wechat.console import Console
from channels.wechat.media import MediaApi
from channels.wechat.notify import body_of
from channels.wechat.pages import Tickets
from channels.wechat.quota import grant
from channels.wechat.settings import Settings
from channels.wechat.tokens import StableToken, TokenProvider
from channels.wechat.trouble import Troubles, finding
from channels.wechat.uploads import Uploads
from channels.wechat.visitors import Visitors
from normalizer.message import SourceChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from channels.contract import Grant, PageSignature, Tools
    from channels.wechat.forms import Form
    from channels.wechat.settings import App
    from channels.wechat.uploads import Rule
    from normalizer.message import InboundMessage, OutboundMessage, Part, PartKind

MAX_BYTES = 2048
"""UTF-8 bytes of one text; more is dropped by the platform without a word (wechat.md 2.4)."""


class Account:
    """Receives an app's callbacks and sends by customer-service messages: what all apps of WeChat have in common."""

    sends_here = True
    _typing = "/cgi-bin/message/custom/typing"

    def __init__(
        self,
        account: str,
        settings: App,
        capabilities: Capabilities,
        form: Form,
        tools: Tools,
        *,
        takes: tuple[Mapping[PartKind, Rule], enclosed.Forms],
    ) -> None:
        self.account = account
        self.capabilities = capabilities
        self._app = settings
        self._tools = tools
        self._callback = Callback(account, settings, self.capabilities.source, form, tools)
        self._troubles = Troubles(account, tools.keys)
        tokens = TokenProvider(account, StableToken(settings, tools.http), tools)
        self.api = Api(settings.api_base, tools.http, tokens, self._troubles)
        self._media = MediaApi(settings.api_base, tools.http, tokens)
        rules, forms = takes
        self._enclosed = enclosed.Enclosed(Uploads(account, rules, self.api, tools), forms)

    def routes(self) -> Sequence[Route]:
        """Return the callback's two methods."""
        take = self._callback.take
        return (Route("GET", "", self._callback.verify), Route("POST", "", self._callback.receive, take))

    def grant(self, message: InboundMessage) -> Grant | None:
        """Return the leave to write that a message gives (wechat.md 2.5)."""
        return grant(message)

    async def run(self) -> None:
        """Return at once: WeChat calls us."""

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, or what the message brings, where it is taken; raises SendError."""
        instead = ""
        if enclosed.brings(message):
            instead = await self._enclosed.sent(message, partial(self._custom, message.address.user))
            if not instead:
                return SendResult()
        await self._custom(message.address.user, {"msgtype": "text", "text": {"content": message.text}})
        return SendResult(instead=instead)

    async def types(self, user: str) -> None:
        """Show that somebody is writing, for some fifteen seconds; raises SendError."""
        await self.api.call(self._typing, {"touser": user, "command": "Typing"})

    async def rests(self, user: str) -> None:
        """Show it no more; raises SendError."""
        await self.api.call(self._typing, {"touser": user, "command": "CancelTyping"})

    async def _custom(self, user: str, body: Mapping[str, Any]) -> None:
        await self.api.call("/cgi-bin/message/custom/send", {"touser": user, **body})

    def fetch(self, part: Part, largest: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give a file that somebody sent as it comes; raises Lost or SendError."""
        return self._media.open(part, largest)

    async def check(self) -> Sequence[Finding]:
        """Ask for something that only a good token gets: id, secret and our address must be right for it."""
        try:
            await self.api.ask("/cgi-bin/getcallbackip")
        except SendError as error:
            return [finding(self.account, error)]
        return [Finding(ok=True, what=f"{self.account}：微信凭证有效，接口可用")]

    async def look(self, public_url: str) -> Sequence[Finding]:
        """Say whether the callback can be reached from outside, and whether the templates are there and fit."""
        token, words = self._app.token.get_secret_value(), look.echo()
        stamp, nonce = str(int(self._tools.now().timestamp())), look.echo()
        query = {"timestamp": stamp, "nonce": nonce, "signature": codec.signature(token, stamp, nonce)}
        told = await look.reached(
            self.account, public_url, self._tools.http, query | {"echostr": words}, words
        )
        return [told, *await look.subscriptions(self.account, self._app.subscribe, self.api)]

    async def trouble(self) -> Finding | None:
        """Return the last trouble that people must end, None when there is none."""
        return await self._troubles.last()


class WeChat(Account):
    """A public account: it also sends template messages, and answers in the answer to a callback."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        capabilities = Capabilities(
            source=SourceChannel.WECHAT,
            max_bytes=MAX_BYTES,
            passive=True,
            passive_deadline=settings.passive_deadline,
            windowed=True,
            templates={notice: each.id for notice, each in settings.templates.items()},
            subscriptions={notice: each.id for notice, each in settings.subscribe.items()},
        )
        takes = uploads.PUBLIC, enclosed.PUBLIC
        super().__init__(account, settings, capabilities, forms.XML, tools, takes=takes)
        self._settings = settings
        self._visitors = Visitors(account, settings, tools)
        self._tickets = Tickets(settings.app_id, self.api, tools)
        self.console = Console(settings, self.api, tools.http)

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The templates to ask a citizen's consent for."""
        return tuple(dict.fromkeys(self.capabilities.subscriptions.values()))

    @property
    def open_platform(self) -> str:
        """The open platform that the account is bound to, empty for none."""
        return self._settings.open_platform

    async def unions_of(self, users: Sequence[str]) -> Mapping[str, str]:
        """Return the union ids of up to 100 followers as far as the platform gives them; raises SendError."""
        return await unions.unions_of(self.api, users)

    def way_in(self, back: str, state: str) -> str:
        """Return the platform's address that sends a browser to ``back`` with a code and this state."""
        return self._visitors.way_in(back, state)

    async def visitor(self, code: str) -> str:
        """Return the openid whose code this is; raises SignInError."""
        return await self._visitors.visitor(code)

    async def page_signature(self, url: str) -> PageSignature:
        """Return the signature that lets a page of ours use WeChat's functions; raises SendError."""
        return await self._tickets.sign(url)

    async def look(self, public_url: str) -> Sequence[Finding]:
        """Say whether the callback can be reached from outside, and whether the templates are there and fit."""
        found = await super().look(public_url)
        return [*found, *await look.templates(self.account, self._settings.templates, self.api)]

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text, or by a template when one is named; raises SendError."""
        if message.consented:
            body = body_of(self._settings.subscribe.get(message.notice), message)
            return named(await self.api.call("/cgi-bin/message/subscribe/bizsend", body))
        return await (self._send_template(message) if message.template else super().send(message))

    async def _send_template(self, message: OutboundMessage) -> SendResult:
        body = body_of(self._settings.templates.get(message.notice), message)
        body["client_msg_id"] = message.id[:32]
        return named(await self.api.call("/cgi-bin/message/template/send", body))


def named(answer: Mapping[str, Any]) -> SendResult:
    """Return the result of a send, with the name under which the platform will tell what became of it."""
    return SendResult((str(answer["msgid"]),) if "msgid" in answer else ())


def build(account: str, settings: Mapping[str, object], tools: Tools) -> WeChat:
    """Make the channel of an account; raises Misconfigured."""
    return WeChat(account, read(Settings, account, settings), tools)
