"""What an account's console does at the platform: menu, codes to scan, templates, quotas (wechat.md 2.8, 2.9)."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gateway.sandbox.platform import error

if TYPE_CHECKING:
    from gateway.sandbox.api import Api
    from gateway.sandbox.platform import Platform

CLEARED_A_MONTH = 10
LONGEST_CODE = 2_592_000
_MONTH = 30 * 24 * 3600.0
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Menu:
    """The console of one account; ``templates`` are those it has, by id, with their wording.

    ``subscriptions`` are those of subscribe messages, each with its type: 2 to be agreed to each time, 3 for good.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.shown: dict[str, Any] | None = None
        self.codes: dict[str, tuple[str, int | None]] = {}
        self.templates: dict[str, str] = {}
        self.subscriptions: dict[str, tuple[str, int]] = {}
        self._cleared: list[float] = []

    def add(self, app: web.Application, api: Api) -> None:
        """Add the addresses."""
        router = app.router
        router.add_post("/cgi-bin/menu/create", api.call(self._create))
        router.add_get("/cgi-bin/menu/get", self._told(self._get))
        router.add_get("/cgi-bin/menu/delete", self._told(self._delete))
        router.add_post("/cgi-bin/qrcode/create", api.call(self._code))
        router.add_get("/cgi-bin/showqrcode", self._picture)
        router.add_get("/cgi-bin/template/get_all_private_template", self._told(self._listed))
        router.add_get("/wxaapi/newtmpl/gettemplate", self._told(self._subscribed))
        router.add_post("/cgi-bin/clear_quota", api.call(self._clear))
        router.add_post("/cgi-bin/openapi/quota/get", api.call(self._quota))

    def _told(self, act: Any) -> Any:
        async def handler(request: web.Request) -> web.Response:
            wrong = self._platform.token_error(request.query.get("access_token", ""))
            return web.json_response(wrong or act(), content_type="text/plain")

        return handler

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        bar = body.get("button")
        if not isinstance(bar, list) or not 1 <= len(bar) <= 3:
            return error(40017, "invalid button size")
        if any(len(each.get("sub_button", ())) > 5 for each in bar):
            return error(40023, "invalid sub button size")
        if any(len(str(each.get("name", "")).encode()) > 16 for each in bar):
            return error(40018, "invalid button name size")
        self.shown = {"button": bar}
        return error(0, "ok")

    def _get(self) -> dict[str, Any]:
        return {"menu": self.shown} if self.shown is not None else error(46003, "menu no exist")

    def _delete(self) -> dict[str, Any]:
        self.shown = None
        return error(0, "ok")

    def _code(self, body: dict[str, Any]) -> dict[str, Any]:
        kind, scene = str(body.get("action_name", "")), body.get("action_info", {}).get("scene", {})
        value = str(scene.get("scene_str", ""))
        if kind not in {"QR_STR_SCENE", "QR_LIMIT_STR_SCENE"} or not 1 <= len(value) <= 64:
            return error(40053, "invalid action info")
        lives = None if kind == "QR_LIMIT_STR_SCENE" else int(body.get("expire_seconds", 30))
        if lives is not None and lives > LONGEST_CODE:
            return error(40052, "invalid expire_seconds")
        ticket = secrets.token_urlsafe(48)
        self.codes[ticket] = (value, lives)
        return {
            "ticket": ticket,
            "expire_seconds": lives or 0,
            "url": f"http://weixin.example/q/{ticket[:16]}",
        }

    async def _picture(self, request: web.Request) -> web.Response:
        if request.query.get("ticket") not in self.codes:
            return web.Response(status=404)
        return web.Response(body=_PIXEL, content_type="image/png")

    def _listed(self) -> dict[str, Any]:
        listed = [{"template_id": name, "content": words} for name, words in self.templates.items()]
        return {"template_list": listed}

    def _subscribed(self) -> dict[str, Any]:
        listed = [
            {"priTmplId": name, "title": name, "content": words, "type": kind}
            for name, (words, kind) in self.subscriptions.items()
        ]
        return error(0, "ok") | {"data": listed}

    def _clear(self, body: dict[str, Any]) -> dict[str, Any]:
        now = self._platform.clock()
        if body.get("appid") != self._platform.settings.app_id:
            return error(40013, "invalid appid")
        self._cleared = [at for at in self._cleared if now - at < _MONTH]
        if len(self._cleared) >= CLEARED_A_MONTH:
            return error(48006, "forbid to clear quota because of reaching the limit")
        self._cleared.append(now)
        self._platform.calls.clear()
        return error(0, "ok")

    def _quota(self, body: dict[str, Any]) -> dict[str, Any]:
        used, most = self._platform.calls.today(str(body.get("cgi_path", "")))
        quota = {"daily_limit": most, "used": used, "remain": most - used}
        return error(0, "ok") | {"quota": quota}
