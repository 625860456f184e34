"""The access token: one for all processes, fetched by one of them (wechat.md 1.3, 2.8).

``stable_token`` returns the same token to everybody until its last five minutes, so a second fetch does no harm;
single flight and compare-and-refresh keep it to one per rotation all the same.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from channels.contract import SendError, SendReason
from channels.http import post_json
from channels.wechat.errors import error_of

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from channels.contract import Tools
    from channels.wechat.settings import App

log = structlog.get_logger()

EARLY = 300
"""Seconds before its end at which a token is no longer handed out."""
LOCK_TTL = 15.0
LOCK_WAIT = 10.0
SECONDS = 10.0
FORCED_A_DAY, FORCED_GAP = 20, 30.0
"""How often the platform renews a token before its time: so many in a day, so many seconds apart (wechat.md 2.8)."""
_DAY = 24 * 3600.0


class Source(Protocol):
    """Where a token comes from; ``name`` is what all processes call it, ``forces`` whether it can be made anew."""

    name: str
    forces: bool

    async def ask(self, *, force: bool) -> dict[str, Any]:
        """Return the provider's answer; raises SendError."""
        ...


class StableToken:
    """The token of an app of the public platform: ``/cgi-bin/stable_token``."""

    forces = True

    def __init__(self, settings: App, http: ClientSession) -> None:
        self.name = f"wechat:{settings.app_id}:token"
        self._settings = settings
        self._http = http

    async def ask(self, *, force: bool) -> dict[str, Any]:
        """Return the provider's answer; raises SendError."""
        settings = self._settings
        body = {
            "grant_type": "client_credential",
            "appid": settings.app_id,
            "secret": settings.secret.get_secret_value(),
            "force_refresh": force,
        }
        return await post_json(self._http, f"{settings.api_base}/cgi-bin/stable_token", body, seconds=SECONDS)


class TokenProvider:
    """Hands out the token of one account."""

    def __init__(self, account: str, source: Source, tools: Tools) -> None:
        self._account = account
        self._source = source
        self._tools = tools
        self._key = source.name
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is thought to be good; raises SendError."""
        return await self._tools.keys.get(self._key) or await self._fetch(None)

    async def renewed(self, failed: str) -> str:
        """Return a token other than the one that failed; raises SendError."""
        return await self._fetch(failed)

    async def _fetch(self, failed: str | None) -> str:
        async with self._lock, self._tools.keys.lock(f"{self._key}:lock", LOCK_TTL, LOCK_WAIT):
            # Somebody else may have fetched it while we waited for our turn.
            known = await self._tools.keys.get(self._key)
            if known and known != failed:
                return known
            token, lives = await self._ask(force=False)
            if token == failed:
                await self._spend()
                token, lives = await self._ask(force=True)
            await self._tools.keys.set(self._key, token, max(lives - EARLY, 1))
            return token

    async def _spend(self) -> None:
        """Take one of the few times a token is made anew; raises SendError when there is none now."""
        if not self._source.forces:
            raise SendError(SendReason.CREDENTIALS, "token: the provider says it is good", FORCED_GAP)
        key, now = f"{self._key}:forced", self._tools.now().timestamp()
        times = [at for at in json.loads(await self._tools.keys.get(key) or "[]") if now - at < _DAY]
        wait = FORCED_GAP - (now - times[-1]) if times else 0.0
        if len(times) >= FORCED_A_DAY:
            wait = _DAY - (now - times[0])
        if wait > 0:
            log.warning("wechat.token_not_forced", account=self._account, times=len(times), wait=round(wait))
            raise SendError(SendReason.CREDENTIALS, "token: renewed too often", wait)
        await self._tools.keys.set(key, json.dumps([*times, now]), _DAY)

    async def _ask(self, *, force: bool) -> tuple[str, float]:
        try:
            answer = await self._source.ask(force=force)
        except SendError as error:
            # Nothing was sent to the citizen yet, so an unanswered token call is safe to repeat.
            again = SendReason.CONNECTION if error.reason is SendReason.TIMEOUT else error.reason
            raise SendError(again, f"token: {error.detail}") from error
        if (refusal := error_of(answer)) is not None:
            log.error("wechat.token_refused", account=self._account, detail=refusal.detail)
            raise refusal
        self._tools.meter.token_refreshed(self._account)
        return str(answer["access_token"]), float(answer.get("expires_in", 7200))
