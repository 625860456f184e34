"""The platform's web login: a page asks who looks at it, and is told by a code (wechat.md 2.9).

Written from the platform's page on authorising web pages. On a real phone WeChat knows whose it is; here it is
whoever was chosen (``browsing``), else the page asks.
"""

from __future__ import annotations

import hmac
import html
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from yarl import URL

from gateway.sandbox.platform import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.api import Faults
    from gateway.sandbox.platform import Platform

LARGEST_LIST = 100
LIVES = 300.0
"""Seconds that a code is good for."""
_SCOPES = frozenset({"snsapi_base", "snsapi_userinfo"})


@dataclass(slots=True)
class Pass:
    """A code: whose, for which scope, until when, and whether it was used."""

    openid: str
    scope: str
    until: float
    used: bool = False


class Visitors:
    """Answers the two addresses; ``domain`` is the one that the account may send people back to, empty for any."""

    def __init__(self, platform: Platform, faulty: Faults) -> None:
        self._platform = platform
        self._faulty = faulty
        self._passes: dict[str, Pass] = {}
        self.browsing = ""
        self.domain = ""
        self.unions: dict[str, str] = {}
        """Who people are on the open platform, where the account is bound to one."""

    def add(self, app: web.Application, call: Callable[[Any], Any]) -> None:
        """Add the addresses; ``call`` makes the handler of one that needs a token."""
        app.router.add_post("/cgi-bin/user/info/batchget", call(self._people))
        app.router.add_get("/cgi-bin/user/info", self._one)
        app.router.add_get("/connect/oauth2/authorize", self._authorize)
        app.router.add_get("/sns/oauth2/access_token", self._token)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        back = URL(query.get("redirect_uri", ""))
        wrong = self._wrong(query.get("appid", ""), back, query.get("scope", ""))
        if wrong or query.get("response_type") != "code":
            return web.Response(text=wrong or "response_type 参数错误", status=200)
        openid = query.get("openid") or self.browsing
        if openid not in self._platform.people:
            return self._asked(request)
        code = secrets.token_urlsafe(24)
        self._passes[code] = Pass(openid, query["scope"], self._platform.clock() + LIVES)
        came = back.update_query({"code": code, "state": query.get("state", "")})
        return web.Response(status=302, headers={"Location": str(came)})

    def _wrong(self, app_id: str, back: URL, scope: str) -> str:
        if app_id != self._platform.settings.app_id:
            return "appid 参数错误"
        if back.scheme not in {"http", "https"} or (self.domain and back.host != self.domain):
            return "redirect_uri 域名与后台配置不一致，错误码：10003"
        return "" if scope in _SCOPES else "scope 参数错误或没有 scope 权限，错误码：10005"

    def _asked(self, request: web.Request) -> web.Response:
        links = (
            f'<li><a href="{html.escape(str(request.rel_url.update_query(openid=person.openid)))}">'
            f"{html.escape(person.name)}</a></li>"
            for person in self._platform.people.values()
        )
        page = f"<!doctype html><meta charset=utf-8><title>微信</title><h1>以谁的微信打开</h1><ul>{''.join(links)}</ul>"
        return web.Response(text=page, content_type="text/html")

    def _people(self, body: dict[str, Any]) -> dict[str, Any]:
        """Tell of up to 100 people: who follows, and who that is on the open platform."""
        asked = [str(each.get("openid", "")) for each in body.get("user_list", ())]
        if not asked or len(asked) > LARGEST_LIST:
            return error(40032, "invalid openid list size")
        return {"user_info_list": [self._person(openid) for openid in asked]}

    async def _one(self, request: web.Request) -> web.Response:
        wrong = self._platform.token_error(request.query.get("access_token", ""))
        told = wrong or self._person(request.query.get("openid", ""))
        return web.Response(text=json.dumps(told), content_type="text/plain")

    def _person(self, openid: str) -> dict[str, Any]:
        person = self._platform.people.get(openid)
        if person is None or not person.following:
            return {"subscribe": 0, "openid": openid}
        told = {"subscribe": 1, "openid": openid, "language": "zh_CN"}
        return told | ({"unionid": self.unions[openid]} if openid in self.unions else {})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if (faulty := await self._faulty(request, dict)) is not None:
            return faulty
        return web.Response(text=json.dumps(self._answer(dict(request.query))), content_type="text/plain")

    def _answer(self, query: dict[str, str]) -> dict[str, Any]:
        settings = self._platform.settings
        if query.get("appid") != settings.app_id:
            return error(40013, "invalid appid")
        if not hmac.compare_digest(query.get("secret", ""), settings.secret):
            return error(40125, "invalid appsecret")
        found = self._passes.get(query.get("code", ""))
        if found is None or found.until <= self._platform.clock():
            return error(40029, "invalid code")
        if found.used:
            return error(40163, "code been used")
        found.used = True
        told = {
            "access_token": secrets.token_hex(32),
            "expires_in": 7200,
            "refresh_token": secrets.token_hex(32),
        }
        return told | {"openid": found.openid, "scope": found.scope}
