"""The addresses that a corporation calls at the platform of 微信客服, and that the page calls for its citizens."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.sandbox.outgoing import form_of
from gateway.sandbox.platform import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.kf import Kf

PREFIX = "/qyapi"


class QyApi:
    """Answers the corporation's calls, and the page's for the citizens."""

    def __init__(self, kf: Kf) -> None:
        self._kf = kf
        self._under_way: set[asyncio.Task[None]] = set()

    def add(self, app: web.Application) -> None:
        """Add the endpoints."""
        router, kf = app.router, self._kf
        router.add_get(f"{PREFIX}/cgi-bin/gettoken", self._token)
        router.add_get(f"{PREFIX}/cgi-bin/media/get", self._media)
        router.add_post(f"{PREFIX}/cgi-bin/media/upload", self._upload)
        for path, act in (
            ("kf/sync_msg", kf.sync),
            ("kf/send_msg", kf.send),
            ("kf/send_msg_on_event", kf.greet),
            ("kf/service_state/get", kf.state),
            ("kf/service_state/trans", kf.trans),
            ("kf/account/list", kf.accounts),
        ):
            router.add_post(f"{PREFIX}/cgi-bin/{path}", self._call(act))
        router.add_post("/_sim/kf", self._say)
        router.add_get("/_media/kf/{name}", self._shown)

    async def _token(self, request: web.Request) -> web.Response:
        failed = self._fault(request, dict)
        return web.json_response(self._kf.gettoken(dict(request.query))) if failed is None else failed

    async def _media(self, request: web.Request) -> web.Response:
        if (wrong := self._kf.token_error(request.query.get("access_token", ""))) is not None:
            return web.json_response(wrong)
        kept = self._kf.media.get(request.query.get("media_id", ""))
        if kept is None:
            return web.json_response(error(40007, "invalid media_id"))
        headers = {"Content-Disposition": 'attachment; filename="media"'}
        return web.Response(body=kept[0], content_type=kept[1], headers=headers)

    async def _shown(self, request: web.Request) -> web.Response:
        kept = self._kf.media.get(request.match_info["name"])
        return web.Response(body=kept[0], content_type=kept[1]) if kept else web.Response(status=404)

    async def _upload(self, request: web.Request) -> web.Response:
        _, content = await form_of(request)
        wrong = self._kf.token_error(request.query.get("access_token", ""))
        return web.json_response(wrong or self._kf.upload(request.query.get("type", ""), content))

    def _call(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            if (wrong := self._kf.token_error(request.query.get("access_token", ""))) is not None:
                return web.json_response(wrong)
            body = json.loads(await request.read())
            failed = self._fault(request, lambda: act(body))
            return web.json_response(act(body)) if failed is None else failed

        return handler

    def _fault(self, request: web.Request, act: Callable[[], object]) -> web.Response | None:
        """Return what a call gets that shall fail, None for one that goes on."""
        waiting = self._kf.faults.get(request.path)
        fault = waiting.popleft() if waiting else self._kf.weather(request.path)
        if fault is None:
            return None
        if fault.deliver:
            act()
        match fault.kind:
            case "code":
                return web.json_response(error(fault.code, "fault on demand"))
            case "status":
                return web.Response(status=fault.code or 502, text="fault on demand")
            case "truncated":
                return web.Response(text='{"errcode": 0, "errm', content_type="application/json")
            case _:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()

    async def _say(self, request: web.Request) -> web.Response:
        """Let a citizen enter the talk, or write."""
        given = await request.json()
        person = self._kf.person(str(given["user"]))
        text = str(given.get("text", ""))[:2000]
        task = asyncio.create_task(self._kf.write(person, text) if text else self._kf.come(person))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({"taken": True}, status=202)
