"""在线咨询: the same bot and the same way to a person as in every channel, on a page that works without scripts."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.store import transcript
from gateway.web.portal import live
from gateway.web.portal.guesses import TOO_MANY
from gateway.web.portal.site import seen_again
from gateway.web.said import Said, said
from gateway.web.session import ACCOUNT
from normalizer.message import Address, InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from channels.contract import Inbox
    from gateway.cases.restraint import Restraint
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.portal.guesses import Guesses
    from gateway.web.portal.live import Hub, Stream
    from gateway.web.portal.site import Site, Visit

SHOWN = 60
LONGEST = 2000
_TOKEN = re.compile("[A-Za-z0-9_-]{1,40}")
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is there, so that no proxy thinks it dead."""
PATIENCE = 10.0
"""Seconds that a page has to take what it is sent."""
_START = bytes(16)


@dataclass(frozen=True, slots=True)
class Talk:
    """The pages of the talk."""

    site: Site
    inbox: Inbox
    guesses: Guesses
    store: Store
    sealer: Sealer
    hub: Hub
    restraint: Restraint

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/chat", self.show)
        self.site.add(app, "POST", "/chat", self.say)
        self.site.add(app, "GET", "/chat/live", self.live)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the talk so far."""
        said = await self.said(self.site.sessions.own(visit.session), _START)
        return self.site.page(visit, "chat.html", said=said, token=secrets.token_urlsafe(9), longest=LONGEST)

    async def say(self, visit: Visit) -> web.StreamResponse:
        """Bring a message to the inbox; sent twice, it is one."""
        text = visit.fields.get("text", "").replace("\0", "").strip()[:LONGEST]
        if not text:
            return seen_again("/chat#end")
        conversation = self.site.sessions.own(visit.session)
        if await self.guesses.over(text, conversation, self.site.gate.address(visit.request)):
            return self.site.message(visit, "请稍等", TOO_MANY, 429)
        token = visit.fields.get("token", "")
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(9)
        # Of a page that was gone back to another text may come: that is another message.
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        await self.restraint.carry(visit.session.address, Address(ACCOUNT, visit.session.id))
        await self.inbox.accept(self._message(visit, text, f"{token}.{digest}"))
        self.hub.told(conversation)
        return seen_again("/chat#end")

    async def live(self, visit: Visit) -> web.StreamResponse:
        """Tell a page what is said while it is open (Server-Sent Events); it goes on from ``Last-Event-ID``.

        A page that may not listen gets 204, on which browsers ask no more (HTML, 9.2.3).
        """
        request = visit.request
        cursor = _cursor(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        conversation = self.site.sessions.own(visit.session)
        with self.hub.open(conversation, self.site.gate.address(request)) as stream:
            if stream is None or cursor is None or visit.session.new:
                return web.Response(status=204)
            response = web.StreamResponse(headers={**self.site.headers, "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, TimeoutError):  # The page went.
                await self._follow(stream, cursor, response)
        return response

    async def _follow(self, stream: Stream, cursor: bytes, response: web.StreamResponse) -> None:
        told: set[str] = set()
        await _send(response, "retry: 3000\n\n")
        while not stream.closed:
            stream.changed.clear()
            lines = [
                line
                for line in await self.said(stream.conversation, live.back(cursor))
                if line.id not in told
            ]
            for line in lines:
                await _send(response, _event(line))
                cursor = max(cursor, bytes.fromhex(line.id))
            told = {each for each in told if each >= live.back(cursor).hex()} | {line.id for line in lines}
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await stream.changed.wait()
            except TimeoutError:
                await _send(response, ": here\n\n")
        await _send(response, f"event: {stream.closed}\ndata: {{}}\n\n")

    async def said(self, conversation: bytes, after: bytes) -> list[Said]:
        """Return what was said after an id, oldest first."""
        work = partial(transcript.lines, conversation=conversation, after=after, limit=SHOWN)
        return [said(line, self.sealer) for line in await self.store.read(work)]

    def _message(self, visit: Visit, text: str, token: str) -> InboundMessage:
        now = self.site.now()
        part = Part(PartKind.TEXT, text=text)
        return InboundMessage(
            ACCOUNT, visit.session.id, token, SourceChannel.WEB, now, now, (part,), text.encode()
        )


def _cursor(given: str) -> bytes | None:
    """Return the id that a page has seen last, None for what is no id."""
    if not given:
        return _START
    try:
        raw = bytes.fromhex(given)
    except ValueError:
        return None
    return raw if len(raw) == len(_START) else None


def _event(line: Said) -> str:
    shown = {"id": line.id, "mine": line.mine, "text": line.text, "link": line.link}
    data = json.dumps(shown, ensure_ascii=False)
    return f"id: {line.id}\nevent: line\ndata: {data}\n\n"


async def _send(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await response.write(text.encode())
