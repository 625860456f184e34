"""The corporation's access token: ``gettoken`` gives the same one until its end (wechat.md 2.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.http import get_json
from channels.wechat.tokens import SECONDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from channels.wechat.kf.settings import Settings


class CorpToken:
    """Where the token of a corporation's customer service comes from; it cannot be made anew before its time."""

    forces = False

    def __init__(self, settings: Settings, http: ClientSession) -> None:
        self.name = f"wechat:{settings.corp_id}:kf:token"
        self._settings = settings
        self._http = http

    async def ask(self, *, force: bool) -> dict[str, Any]:  # noqa: ARG002 - there is no such wish here
        """Return the provider's answer; raises SendError."""
        settings = self._settings
        query = {"corpid": settings.corp_id, "corpsecret": settings.secret.get_secret_value()}
        address = f"{settings.api_base}/cgi-bin/gettoken"
        return await get_json(self._http, address, query=query, seconds=SECONDS)
