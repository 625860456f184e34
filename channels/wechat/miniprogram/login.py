"""Whose login code it is: ``jscode2session`` (wechat.md 2.9).

The session key that comes with the answer is dropped here: nothing of ours needs it, and it must reach nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from channels.contract import SendError, SignInError, SignInReason
from channels.http import get_json

if TYPE_CHECKING:
    from channels.contract import Tools
    from channels.wechat.settings import App

log = structlog.get_logger()

SECONDS = 8.0
_REASONS = {
    40029: SignInReason.CODE,
    40163: SignInReason.CODE,
    41008: SignInReason.CODE,
    45011: SignInReason.OFTEN,
    40226: SignInReason.RISK,
}


async def openid_of(account: str, settings: App, tools: Tools, code: str) -> str:
    """Return the openid whose code this is; raises SignInError, AWAY for whatever is no fault of the citizen's."""
    query = {
        "appid": settings.app_id,
        "secret": settings.secret.get_secret_value(),
        "js_code": code,
        "grant_type": "authorization_code",
    }
    try:
        answer = await get_json(
            tools.http, f"{settings.api_base}/sns/jscode2session", query=query, seconds=SECONDS
        )
    except SendError as error:
        log.warning("wechat.sign_in_away", account=account, reason=error.reason.value)
        raise SignInError(SignInReason.AWAY, error.reason.value) from error
    openid = answer.get("openid")
    if isinstance(openid, str) and openid:
        return openid
    number = answer.get("errcode")
    reason = _REASONS.get(number, SignInReason.AWAY) if isinstance(number, int) else SignInReason.AWAY
    log.warning("wechat.sign_in_refused", account=account, errcode=number)
    raise SignInError(reason, f"errcode {number}")
