"""The page of the desk, and the stream it follows."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import jinja2
from aiohttp import hdrs, web

from gateway.desk.moves import Why
from gateway.desk.rights import Right, may
from gateway.web import assets
from gateway.web import gate as gates
from gateway.web.api import wire
from gateway.web.desk.problems import Wrong, refused

if TYPE_CHECKING:
    from gateway.desk_settings import Oidc
    from gateway.web.desk.door import Door
    from gateway.web.desk.live import Hub, Stream
    from gateway.web.desk.session import Session, Sessions

PATIENCE = 10.0
"""Seconds that a page has to take what it is sent."""
PAGE, FOLDER = "desk.html", "desk"
WORKER = "beat.js"
"""Not a module of the page: it keeps the time beside it."""
_RETRY = "retry: 1500\n\n"
_BEAT = "event: beat\ndata: {}\n\n"
_AT_ONCE = 100
_DIGITS = 15


class Pages:
    """Serves the page, and keeps its stream.

    After ``heartbeat`` seconds of silence a stream says that it is there, and asks whether its session still holds.
    """

    def __init__(
        self,
        *,
        door: Door,
        hub: Hub,
        sessions: Sessions,
        heartbeat: float,
        secure: bool,
        oidc: Oidc | None,
    ) -> None:
        self._door = door
        self._hub = hub
        self._sessions = sessions
        self._heartbeat = heartbeat
        self._headers = dict(gates.headers(secure=secure))
        loader = jinja2.PackageLoader("gateway", "templates/desk")
        environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        environment.globals["asset"] = partial(assets.address_in, FOLDER)
        modules = [name for name in assets.names(FOLDER, ".js") if name != WORKER]
        self._page = environment.get_template(PAGE).render(modules=modules, oidc=oidc).encode()
        self._packed = assets.pack(self._page)

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app.router.add_get("/desk", self.show)
        app.router.add_get("/desk/login", self.show)
        app.router.add_get("/desk/live", self.live)

    async def show(self, request: web.Request) -> web.Response:
        """Show the page; it asks for the login itself, and holds nothing before that."""
        headers = {**self._headers, hdrs.VARY: hdrs.ACCEPT_ENCODING}
        body = self._page
        if assets.takes_gzip(request):
            headers[hdrs.CONTENT_ENCODING], body = "gzip", self._packed
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Tell a page what happens while it is open; it goes on from ``Last-Event-ID``, or from ``cursor``."""
        try:
            session = await self._door.entered(request)
            if session.account.one_time or not may(session.account.role, Right.READ_TALKS):
                raise refused(Why.RIGHT)
        except Wrong as wrong:
            return wire.problem(wrong)
        after = _cursor(request.headers.get("Last-Event-ID") or request.query.get("cursor", ""))
        with self._hub.open(session.account) as stream:
            if stream is None:
                return web.Response(status=503, headers={"Retry-After": "5"})
            response = web.StreamResponse(headers={**self._headers, "X-Accel-Buffering": "no"})
            response.content_type = "text/event-stream"
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, TimeoutError):  # The page went.
                await self._follow(session, stream, after, response)
        return response

    async def _follow(
        self, session: Session, stream: Stream, after: int | None, response: web.StreamResponse
    ) -> None:
        last = await self._catch_up(stream, after, response)
        while not stream.closed:
            try:
                async with asyncio.timeout(self._heartbeat):
                    news = await stream.waiting.get()
            except TimeoutError:
                if await self._sessions.again(session.id) is None:
                    return
                await _send(response, _BEAT)
                continue
            # What was caught up on may wait here too.
            if news.id is None or news.id > last:
                await _send(response, news.text)

    async def _catch_up(self, stream: Stream, after: int | None, response: web.StreamResponse) -> int:
        """Tell what a page missed, and return up to which event; a page that missed too much begins anew."""
        await _send(response, _RETRY)
        async with asyncio.timeout(PATIENCE):
            last = await self._hub.last()
        missed = await self._hub.missed(stream.account, after, last) if after is not None else []
        if missed is None:
            await _send(response, f"id: {last}\nevent: reset\ndata: {{}}\n\n")
            return last
        for at in range(0, len(missed), _AT_ONCE):
            await _send(response, "".join(news.text for news in missed[at : at + _AT_ONCE]))
        await _send(response, f"id: {last}\nevent: ready\ndata: {{}}\n\n")
        return last


def _cursor(given: str) -> int | None:
    """Return the event that a page has seen last, None for what is no number of one."""
    return int(given) if given.isdecimal() and len(given) <= _DIGITS else None


async def _send(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await response.write(text.encode())
