"""Setting up an account from the command line: its menu, and codes to scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

from channels.contract import SendError, SendReason
from channels.wechat import menu
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from channels.wechat.api import Api
    from channels.wechat.settings import Settings

LONGEST = 2_592_000
"""Seconds a code to scan lives at most, unless it lives for ever."""
SECONDS = 10.0
LARGEST = 4 * 1024 * 1024
_NO_MENU = "errcode 46003"
_PUBLIC, _PICTURES = "https://api.weixin.qq.com", "https://mp.weixin.qq.com"


class Console:
    """What one account's console is asked for; implements ``channels.contract.Console``."""

    def __init__(self, settings: Settings, api: Api, http: ClientSession) -> None:
        self._settings = settings
        self._api = api
        self._http = http

    async def menu(self) -> Mapping[str, Any]:
        """Return the menu that is shown, empty when there is none; raises SendError."""
        try:
            answer = await self._api.ask("/cgi-bin/menu/get")
        except SendError as error:
            if _NO_MENU in error.detail:
                return {}
            raise
        shown = answer.get("menu")
        return shown if isinstance(shown, dict) else {}

    async def push_menu(self, raw: Mapping[str, Any] | None) -> None:
        """Show a menu, the bot's own when none is given; raises Misconfigured or SendError."""
        await self._api.call("/cgi-bin/menu/create", menu.body_of(menu.DEFAULT if raw is None else raw))

    async def code(self, scene: str, seconds: int | None) -> bytes:
        """Return the picture of a code to scan, for so many seconds or for ever; raises InvalidInput or SendError."""
        if not 1 <= len(scene) <= 64:
            raise InvalidInput("a scene has 1 to 64 characters")
        if seconds is not None and not 60 <= seconds <= LONGEST:
            raise InvalidInput(f"a code lives from 60 to {LONGEST} seconds, or for ever")
        body: dict[str, Any] = {"action_info": {"scene": {"scene_str": scene}}}
        if seconds is None:
            body["action_name"] = "QR_LIMIT_STR_SCENE"
        else:
            # Without it the platform takes half a minute (wechat.md 2.9).
            body |= {"action_name": "QR_STR_SCENE", "expire_seconds": seconds}
        answer = await self._api.call("/cgi-bin/qrcode/create", body)
        return await self._picture(str(answer.get("ticket", "")))

    async def _picture(self, ticket: str) -> bytes:
        base = _PICTURES if self._settings.api_base == _PUBLIC else self._settings.api_base
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        query = {"ticket": ticket}
        try:
            async with self._http.get(f"{base}/cgi-bin/showqrcode", params=query, timeout=timeout) as answer:
                picture = await answer.content.read(LARGEST)
                if answer.status == 200 and answer.content_type.startswith("image/"):
                    return picture
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        raise SendError(SendReason.BUSY, f"no picture of the code, HTTP {answer.status}")
