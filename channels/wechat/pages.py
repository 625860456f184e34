"""Pages of ours in WeChat's browser: the signature that lets them use its functions (JS-SDK, wechat.md 2.9)."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import TYPE_CHECKING

from channels.contract import PageSignature

if TYPE_CHECKING:
    from channels.contract import Tools
    from channels.wechat.api import Api

PATH = "/cgi-bin/ticket/getticket"
EARLY = 300
LOCK_TTL, LOCK_WAIT = 15.0, 10.0


class Tickets:
    """Keeps the ticket that pages are signed with: one for all processes, fetched by one of them."""

    def __init__(self, app_id: str, api: Api, tools: Tools) -> None:
        self._app_id = app_id
        self._api = api
        self._tools = tools
        self._key = f"wechat:{app_id}:jsapi"
        self._lock = asyncio.Lock()

    async def sign(self, url: str) -> PageSignature:
        """Return the signature of a page's address; raises SendError."""
        ticket = await self._tools.keys.get(self._key) or await self._fetched()
        nonce, stamp = secrets.token_hex(8), int(self._tools.now().timestamp())
        return PageSignature(self._app_id, stamp, nonce, signature(ticket, nonce, stamp, url))

    async def _fetched(self) -> str:
        async with self._lock, self._tools.keys.lock(f"{self._key}:lock", LOCK_TTL, LOCK_WAIT):
            if known := await self._tools.keys.get(self._key):
                return known
            answer = await self._api.ask(f"{PATH}?type=jsapi")
            lives = float(answer.get("expires_in", 7200))
            await self._tools.keys.set(self._key, str(answer["ticket"]), max(lives - EARLY, 1))
            return str(answer["ticket"])


def signature(ticket: str, nonce: str, stamp: int, url: str) -> str:
    """Return the SHA-1 over ticket, nonce, stamp and address, the fragment cut."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={stamp}&url={page}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
