"""The public account's uploads, and who is shown that somebody writes to him (wechat.md 2.5, 2.7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.sandbox.platform import error
from gateway.sandbox.rules import PUBLIC, mime_of, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.api import Faults
    from gateway.sandbox.platform import Line, Platform


async def form_of(request: web.Request) -> tuple[str, bytes]:
    """Return name and content of the field ``media``; empty where there is none."""
    form = await request.post()
    field = form.get("media")
    return (field.filename, field.file.read()) if isinstance(field, web.FileField) else ("", b"")


class Outgoing:
    """The public account's uploads, and who is shown that somebody writes to him."""

    def __init__(self, platform: Platform, faulty: Faults) -> None:
        self._platform = platform
        self._faulty = faulty
        self.typing: dict[str, float] = {}

    def add(self, app: web.Application, call: Callable[[Any], Any]) -> None:
        """Add the addresses; ``call`` makes the handler of one that needs a token."""
        app.router.add_post("/cgi-bin/media/upload", self._upload)
        for path in ("/cgi-bin/message/custom/typing", "/cgi-bin/message/custom/business/typing"):
            app.router.add_post(path, call(self._typing))

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        _, content = await form_of(request)
        if (wrong := self._platform.token_error(request.query.get("access_token", ""))) is not None:
            return _json(wrong)
        if (faulty := await self._faulty(request, dict)) is not None:
            return faulty
        kind = request.query.get("type", "")
        if code := refusal(PUBLIC, kind, content):
            return _json(error(code, f"invalid media: {kind}"))
        self._platform.counts["upload"] += 1
        media_id = self._platform.keep(content, mime_of(content))
        return _json({"type": kind, "media_id": media_id, "created_at": int(self._platform.clock())})

    def _typing(self, body: dict[str, Any]) -> dict[str, Any]:
        """Show that somebody writes, or no more, to one who wrote within two days."""
        person, now = self._platform.people.get(str(body.get("touser", ""))), self._platform.clock()
        if person is None:
            return error(40003, "invalid openid")
        command = body.get("command")
        if command not in {"Typing", "CancelTyping"}:
            return error(45072, "invalid command")
        if now >= person.window_until:
            return error(45080, "can not do typing, no recent interaction")
        if command == "CancelTyping":
            self.typing.pop(person.openid, None)
            return error(0, "ok")
        if self.typing.get(person.openid, 0.0) > now:
            return error(45081, "already typing")
        self.typing[person.openid] = now + 15.0
        self._platform.counts["typing"] += 1
        return error(0, "ok")


def shown(line: Line) -> dict[str, Any]:
    """Return a line for the page."""
    return {
        "who": line.who,
        "text": line.text,
        "way": line.way,
        "at": line.at,
        "media": line.media,
        "mime": line.mime,
        "choices": [list(each) for each in line.choices],
    }


def _json(answer: dict[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="text/plain")
