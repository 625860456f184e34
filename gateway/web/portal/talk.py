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
from gateway.web.portal.guesses import TOO_MANY
from gateway.web.portal.site import seen_again
from gateway.web.session import ACCOUNT
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from channels.contract import Inbox
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.portal.guesses import Guesses
    from gateway.web.portal.site import Site, Visit

SHOWN = 60
LONGEST = 2000
_TOKEN = re.compile("[A-Za-z0-9_-]{1,40}")
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
    guesses: Guesses
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
        conversation = self.site.sessions.conversation(visit.session)
        if await self.guesses.over(text, conversation, self.site.gate.address(visit.request)):
            return self.site.message(visit, "请稍等", TOO_MANY, 429)
        token = visit.fields.get("token", "")
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(9)
        # Of a page that was gone back to another text may come: that is another message.
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        await self.inbox.accept(self._message(visit, text, f"{token}.{digest}"))
        return seen_again("/chat#end")

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
