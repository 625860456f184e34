"""Whose login code it is: ``jscode2session`` (wechat.md 2.9).

The session key that comes with the answer is dropped here: nothing of ours needs it, and it must reach nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from channels.contract import SendError, SignInError, SignInReason
from channels.http import get_json
from channels.wechat.unions import noted

if TYPE_CHECKING:
    from channels.contract import Tools
    from channels.wechat.api import Api
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


async def phone_of(api: Api, account: str, code: str) -> str:
    """Return the telephone whose code this is (wechat.md 2.9, single use, five minutes); raises SignInError."""
    try:
        answer = await api.call("/wxa/business/getuserphonenumber", {"code": code})
    except SendError as error:
        number = next((n for n in _REASONS if f"errcode {n}" in error.detail), 0)
        log.warning("wechat.phone_refused", account=account, reason=error.reason.value)
        raise SignInError(_REASONS.get(number, SignInReason.AWAY), error.reason.value) from error
    phone = dict(answer.get("phone_info") or {}).get("purePhoneNumber")
    if not isinstance(phone, str) or not phone:
        raise SignInError(SignInReason.AWAY, "an answer without a telephone")
    return phone


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
        await noted(account, settings, tools, openid, answer.get("unionid"))
        return openid
    number = answer.get("errcode")
    reason = _REASONS.get(number, SignInReason.AWAY) if isinstance(number, int) else SignInReason.AWAY
    log.warning("wechat.sign_in_refused", account=account, errcode=number)
    raise SignInError(reason, f"errcode {number}")
