"""What the platform answers of mini-programs: whose login code it is (wechat.md 2.9)."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

LIVES = 300.0
"""Seconds a login code is good for."""
A_MINUTE, MINUTE = 100, 60.0
"""Logins of one person that are answered in a minute."""


@dataclass(frozen=True, slots=True)
class MiniSettings:
    """One mini-program at the platform."""

    app_id: str
    secret: str


class Mini:
    """The platform's side of one mini-program; ``risky`` are people whom it does not let in."""

    def __init__(self, settings: MiniSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.risky: set[str] = set()
        self._clock = clock
        self.objects: set[str] = set()
        self.here: set[str] = set()
        self.unions: dict[str, str] = {}
        """Who people are on the open platform, where the app is bound to one."""
        self.looks: dict[str, dict[str, Any]] = {}
        """What it was asked to look at, by trace id."""
        self._token = secrets.token_hex(32)
        self._phones: dict[str, tuple[str, float]] = {}
        self._codes: dict[str, tuple[str, float]] = {}
        self._logins: dict[str, deque[float]] = {}

    def code(self, openid: str) -> str:
        """Return a fresh login code, as ``wx.login`` gives one on a person's telephone."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = (openid, self._clock() + LIVES)
        return code

    def phone_code(self, phone: str) -> str:
        """Return a code for a telephone, as the button gives one whose tap gives leave."""
        code = secrets.token_urlsafe(24)
        self._phones[code] = (phone, self._clock() + LIVES)
        return code

    async def _look(self, request: web.Request) -> web.Response:
        """Object to words that hold one of ``objects``; only of who was here within two hours."""
        given = await request.json()
        if given.get("openid") not in self.here:
            return web.json_response(_error(61010, "code is expired"), content_type="text/plain")
        found = next((word for word in self.objects if word in str(given.get("content"))), None)
        result = {"suggest": "risky" if found else "pass", "label": 20002 if found else 100}
        return web.json_response(_error(0, "ok") | {"result": result}, content_type="text/plain")

    async def _look_at(self, request: web.Request) -> web.Response:
        """Take a file to look at; what it thinks of it is told later (``checked``)."""
        given = await request.json()
        if request.query.get("access_token") != self._token:
            return web.json_response(_error(40001, "invalid credential"), content_type="text/plain")
        if given.get("version") != 2 or given.get("media_type") not in {1, 2}:
            return web.json_response(_error(40003, "invalid media_type"), content_type="text/plain")
        if given.get("openid") not in self.here:
            return web.json_response(_error(61010, "code is expired"), content_type="text/plain")
        trace = f"{secrets.token_hex(8)}-{secrets.token_hex(4)}"
        self.looks[trace] = given
        return web.json_response(_error(0, "ok") | {"trace_id": trace}, content_type="text/plain")

    def checked(self, trace: str, suggest: str, label: int = 100, errcode: int = 0) -> dict[str, Any]:
        """Return the event that tells what it thinks of a file, in the second version's layout."""
        return {
            "ToUserName": "gh_mini",
            "FromUserName": str(self.looks.get(trace, {}).get("openid", "o")),
            "CreateTime": int(self._clock()),
            "MsgType": "event",
            "Event": "wxa_media_check",
            "appid": self.settings.app_id,
            "trace_id": trace,
            "version": 2,
            "detail": [{"strategy": "content_model", "errcode": errcode, "suggest": suggest, "label": label}],
            "errcode": errcode,
            "errmsg": "ok",
            "result": {"suggest": suggest, "label": label},
        }

    async def _stable(self, request: web.Request) -> web.Response:
        given = await request.json()
        if not hmac.compare_digest(str(given.get("secret", "")), self.settings.secret):
            return web.json_response(_error(40125, "invalid appsecret"), content_type="text/plain")
        return web.json_response({"access_token": self._token, "expires_in": 7200})

    async def _phone(self, request: web.Request) -> web.Response:
        if request.query.get("access_token") != self._token:
            return web.json_response(_error(40001, "invalid credential"), content_type="text/plain")
        phone, until = self._phones.pop(str((await request.json()).get("code", "")), ("", 0.0))
        if not phone or until <= self._clock():
            return web.json_response(_error(40029, "invalid code"), content_type="text/plain")
        told = {"phoneNumber": f"+86{phone}", "purePhoneNumber": phone, "countryCode": "86"}
        return web.json_response(_error(0, "ok") | {"phone_info": told}, content_type="text/plain")

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app.router.add_post("/cgi-bin/stable_token", self._stable)
        app.router.add_post("/wxa/msg_sec_check", self._look)
        app.router.add_post("/wxa/media_check_async", self._look_at)
        app.router.add_post("/wxa/business/getuserphonenumber", self._phone)
        app.router.add_get("/sns/jscode2session", self._session)

    async def _session(self, request: web.Request) -> web.Response:
        return web.json_response(self._answer(dict(request.query)), content_type="text/plain")

    def _answer(self, query: dict[str, str]) -> dict[str, Any]:
        if query.get("appid") != self.settings.app_id:
            return _error(40013, "invalid appid")
        if not hmac.compare_digest(query.get("secret", ""), self.settings.secret):
            return _error(40125, "invalid appsecret")
        openid, until = self._codes.pop(query.get("js_code", ""), ("", 0.0))
        if not openid or until <= self._clock():
            return _error(40029, "invalid code")
        if openid in self.risky:
            return _error(40226, "code blocked")
        if self._often(openid):
            return _error(45011, "api minute-quota reach limit")
        self.here.add(openid)
        told = {"openid": openid, "session_key": secrets.token_urlsafe(18)}
        return told | ({"unionid": self.unions[openid]} if openid in self.unions else {})

    def spent(self, openid: str) -> bool:
        """Count a login of a person and return whether it was one too many in a minute."""
        return self._often(openid)

    def _often(self, openid: str) -> bool:
        now, times = self._clock(), self._logins.setdefault(openid, deque())
        while times and times[0] <= now - MINUTE:
            times.popleft()
        times.append(now)
        return len(times) > A_MINUTE


def _error(code: int, words: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{words}, rid: {secrets.token_hex(4)}"}
