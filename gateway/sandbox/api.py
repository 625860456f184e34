"""The platform's endpoints that the account calls, with faults on demand (wechat.md 2.6, 2.8)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gateway.sandbox.platform import Fault, Platform, error

HANG = 30.0


Faults = Callable[[web.Request, Callable[[], object]], Awaitable[web.StreamResponse | None]]
"""Looks whether a call shall fail, and how."""


class Api:
    """Answers the calls."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add(self, app: web.Application) -> None:
        """Add the endpoints."""
        router = app.router
        router.add_get("/cgi-bin/token", self._plain)
        router.add_post("/cgi-bin/stable_token", self._stable)
        router.add_get("/cgi-bin/getcallbackip", self._ips)
        router.add_get("/cgi-bin/ticket/getticket", self._ticket)
        for path, act in (
            ("/cgi-bin/message/custom/send", self._platform.custom_send),
            ("/cgi-bin/message/template/send", self._platform.template_send),
            (
                "/cgi-bin/message/wxopen/template/uniform_send",
                lambda _: error(45109, "uniform_send is withdrawn"),
            ),
        ):
            router.add_post(path, self.call(act))

    async def _plain(self, request: web.Request) -> web.Response:
        wrong = self._account_error(request, request.query.get("appid", ""), request.query.get("secret", ""))
        return _json(wrong or {"access_token": self._platform.plain_token(), "expires_in": 7200})

    async def _stable(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        if (faulty := await self.fault(request, dict)) is not None:
            return faulty
        wrong = self._account_error(request, str(body.get("appid", "")), str(body.get("secret", "")))
        if wrong is not None:
            return _json(wrong)
        given = self._platform.stable_token(force=bool(body.get("force_refresh")))
        if isinstance(given, int):
            return _json(error(given, "reach max api daily quota limit"))
        return _json({"access_token": given[0], "expires_in": given[1]})

    async def _ips(self, request: web.Request) -> web.Response:
        wrong = self._platform.token_error(request.query.get("access_token", ""))
        return _json(wrong or {"ip_list": ["127.0.0.1"]})

    async def _ticket(self, request: web.Request) -> web.Response:
        wrong = self._platform.token_error(request.query.get("access_token", ""))
        self._platform.counts["ticket"] += wrong is None
        return _json(wrong or error(0, "ok") | {"ticket": self._platform.ticket, "expires_in": 7200})

    def call(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[web.Request], Any]:
        """Return the handler of a path that needs a token."""

        async def handler(request: web.Request) -> web.StreamResponse:
            body = await _body(request)
            wrong = self._platform.token_error(request.query.get("access_token", ""))
            if wrong is None and (over := self._platform.calls.over(request.path)):
                wrong = error(over, "reach max api quota limit")
            if wrong is not None:
                return _json(wrong)
            if (faulty := await self.fault(request, lambda: act(body))) is not None:
                return faulty
            answer = act(body)
            await self._platform.before_answer()
            return _json(answer)

        return handler

    def _account_error(self, request: web.Request, app_id: str, secret: str) -> dict[str, Any] | None:
        settings, allowed = self._platform.settings, self._platform.allowed_ips
        if allowed is not None and request.remote not in allowed:
            return error(40164, f"invalid ip {request.remote}, not in whitelist")
        if app_id != settings.app_id:
            return error(40013, "invalid appid")
        return None if hmac.compare_digest(secret, settings.secret) else error(40125, "invalid appsecret")

    async def fault(self, request: web.Request, act: Callable[[], object]) -> web.StreamResponse | None:
        """Return what a call gets that shall fail, None for one that goes on."""
        waiting = self._platform.faults.get(request.path)
        fault = waiting.popleft() if waiting else self._platform.weather(request.path)
        if fault is None:
            return None
        if fault.deliver:
            act()
        if fault.kind == "slow":
            await self._wait(fault.code / 1000)
            return None
        return await self._failed(request, fault)

    async def _failed(self, request: web.Request, fault: Fault) -> web.Response:
        match fault.kind:
            case "code":
                return _json(error(fault.code, "fault on demand"))
            case "status":
                return web.Response(status=fault.code, text="fault on demand")
            case "truncated":
                return web.Response(text='{"errcode": 0, "errm', content_type="application/json")
            case "hang":
                await self._wait(HANG)
            case _:
                pass
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until the platform is put away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._platform.ended.wait(), seconds)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _json(answer: dict[str, Any]) -> web.Response:
    # The platform says text/plain for much of its JSON; whoever calls must not mind.
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="text/plain")
