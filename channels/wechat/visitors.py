"""Who opens a page of ours in WeChat: sent to the platform and back with a code (web login, snsapi_base, wechat.md 2.9).

Nobody is asked for anything; all that comes back is his openid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import structlog

from channels.contract import SendError, SignInError, SignInReason
from channels.http import get_json
from channels.wechat.unions import noted

if TYPE_CHECKING:
    from channels.contract import Tools
    from channels.wechat.settings import Settings

log = structlog.get_logger()

SECONDS = 8.0
AUTHORIZE, TOKEN = "/connect/oauth2/authorize", "/sns/oauth2/access_token"
_REASONS = {
    40029: SignInReason.CODE,
    40163: SignInReason.CODE,
    41008: SignInReason.CODE,
    42003: SignInReason.CODE,
    45011: SignInReason.OFTEN,
}


class Visitors:
    """The web login of one public account."""

    def __init__(self, account: str, settings: Settings, tools: Tools) -> None:
        self._account = account
        self._settings = settings
        self._tools = tools

    def way_in(self, back: str, state: str) -> str:
        """Return the address that sends a browser back with a code; the platform takes the order as it is here."""
        query = {
            "appid": self._settings.app_id,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{self._settings.open_base}{AUTHORIZE}?{urlencode(query)}#wechat_redirect"

    async def visitor(self, code: str) -> str:
        """Return the openid whose code this is (single use, five minutes); raises SignInError."""
        query = {
            "appid": self._settings.app_id,
            "secret": self._settings.secret.get_secret_value(),
            "code": code,
            "grant_type": "authorization_code",
        }
        try:
            answer = await get_json(
                self._tools.http, self._settings.api_base + TOKEN, query=query, seconds=SECONDS
            )
        except SendError as error:
            log.warning("wechat.visitor_away", account=self._account, reason=error.reason.value)
            raise SignInError(SignInReason.AWAY, error.reason.value) from error
        openid = answer.get("openid")
        if isinstance(openid, str) and openid:
            await noted(self._account, self._settings, self._tools, openid, answer.get("unionid"))
            return openid
        number = answer.get("errcode")
        reason = _REASONS.get(number, SignInReason.AWAY) if isinstance(number, int) else SignInReason.AWAY
        log.warning("wechat.visitor_refused", account=self._account, errcode=number)
        raise SignInError(reason, f"errcode {number}")
