"""在线咨询: the same bot and the same way to a person as in every channel, on a page that works without scripts."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.runtime import instant
from gateway.store import transcript
from gateway.store.bodies import open_message
from gateway.web.limits import HOUR, Limit
from gateway.web.portal.site import seen_again
from gateway.web.session import ACCOUNT
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from channels.contract import Inbox
    from gateway.cases.lookup import Lookup
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.portal.site import Site, Visit

SHOWN = 60
LONGEST = 2000
NUMBERS_AN_HOUR = 30
"""Case numbers that are asked for from one address, which many may share; each leaves at most five wrong codes."""
_TOO_MANY = "从您的网络查询单号的次数较多，为保护信息安全，请一小时后再查，或打热线电话由工作人员查询。"
_TOKEN = re.compile("[A-Za-z0-9_-]{1,40}")
_NUMBER = re.compile(r"(?:[0-9][ \-—–_.]?){16}[0-9]")
_DIGITS = re.compile("[^0-9]")
_WIDE = {0xFF10 + n: ord("0") + n for n in range(10)}
_START = bytes(16)


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it is shown."""

    id: str
    mine: bool
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """The pages of the talk."""

    site: Site
    inbox: Inbox
    lookup: Lookup
    limits: Limits
    store: Store
    sealer: Sealer

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/chat", self.show)
        self.site.add(app, "POST", "/chat", self.say)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the talk so far."""
        said = await self.said(self.site.sessions.conversation(visit.session), _START)
        return self.site.page(visit, "chat.html", said=said, token=secrets.token_urlsafe(9), longest=LONGEST)

    async def say(self, visit: Visit) -> web.StreamResponse:
        """Bring a message to the inbox; sent twice, it is one."""
        text = visit.fields.get("text", "").replace("\0", "").strip()[:LONGEST]
        if not text:
            return seen_again("/chat#end")
        if await self._guesses(visit, text):
            return self.site.message(visit, "请稍等", _TOO_MANY, 429)
        token = visit.fields.get("token", "")
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(9)
        # Of a page that was gone back to another text may come: that is another message.
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        await self.inbox.accept(self._message(visit, text, f"{token}.{digest}"))
        return seen_again("/chat#end")

    async def _guesses(self, visit: Visit, text: str) -> bool:
        """Count numbers of others' cases and return whether too many were asked for, by however many sessions.

        Wrong codes lock a session and a case; who has many sessions and many numbers is known by his address.
        """
        numbers = {_DIGITS.sub("", each) for each in _NUMBER.findall(text.translate(_WIDE))}
        if not numbers:
            return False
        own = await self.lookup.own(self.site.sessions.conversation(visit.session))
        if numbers <= {case.case_no for case in own}:
            return False
        address = self.site.gate.address(visit.request)
        return await self.limits.over(Limit("number from", address, NUMBERS_AN_HOUR, HOUR))

    async def said(self, conversation: bytes, after: bytes) -> list[Said]:
        """Return what was said after an id, oldest first."""
        work = partial(transcript.lines, conversation=conversation, after=after, limit=SHOWN)
        return [self._line(line) for line in await self.store.read(work)]

    def _line(self, line: transcript.Line) -> Said:
        text = (
            open_message(self.sealer, line.body).text if line.mine else self.sealer.open(line.body).decode()
        )
        return Said(line.id.hex(), line.mine, instant(line.at), text)

    def _message(self, visit: Visit, text: str, token: str) -> InboundMessage:
        now = self.site.now()
        part = Part(PartKind.TEXT, text=text)
        return InboundMessage(
            ACCOUNT, visit.session.id, token, SourceChannel.WEB, now, now, (part,), text.encode()
        )
