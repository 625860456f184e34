"""The last trouble of an account that people must end: remembered for the health page and the doctor.

Kept among the values that all processes share. It is forgotten when a call of this process goes well again, or by
itself after an hour without another.
"""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from channels.contract import Finding, SendError, SendReason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channels.contract import KeyValue

KEPT = 3600.0
"""Seconds after which a trouble that nobody met again is over."""
_ENDED_BY_PEOPLE = frozenset({SendReason.CREDENTIALS, SendReason.QUOTA, SendReason.FORBIDDEN})
_CODE = re.compile(r"errcode (-?\d+)")
_CURES = {
    "40164": "把上面这个出口 IP 加到公众平台（或企业微信）的 IP 白名单",
    "61004": "把本机的出口 IP 加到公众平台的 IP 白名单",
    "60020": "把上面这个出口 IP 加到企业微信应用的可信 IP",
    "40013": "核对 app_id（企业微信是 corp_id），与后台上的一致",
    "40125": "核对 secret，与公众平台上的一致；重置过就换成新的",
    "40001": "核对 secret；如果别的系统也在取这个帐号的 token，请让它停下",
    "45009": "当天的调用次数用完了：等到次日零点，或在公众平台用 clear_quota 清零（每月 10 次）",
    "48001": "帐号没有这个接口的权限：在公众平台“设置与开发－接口权限”里申请，或确认帐号已认证",
    "48004": "接口被公众平台封禁：登录公众平台看通知并申请解封",
    "50002": "帐号被限制：登录公众平台看通知",
    "40200": "帐号类型不对：这个功能要已认证的服务号",
}


class Troubles:
    """The last trouble of one account."""

    def __init__(self, account: str, keys: KeyValue) -> None:
        self._account = account
        self._keys = keys
        self._key = f"trouble:{account}"
        self._known = False

    @asynccontextmanager
    async def noted(self) -> AsyncIterator[None]:
        """Note what goes wrong inside the block, and that it is over when it goes well."""
        try:
            yield
        except SendError as error:
            if error.reason in _ENDED_BY_PEOPLE:
                self._known = True
                await self._keys.set(self._key, json.dumps([error.reason, error.detail]), KEPT)
            raise
        if self._known:
            self._known = False
            await self._keys.delete(self._key)

    async def last(self) -> Finding | None:
        """Return the last trouble with its cure, None when there is none."""
        kept = await self._keys.get(self._key)
        if kept is None:
            return None
        reason, detail = json.loads(kept)
        return finding(self._account, SendError(SendReason(reason), detail))


def finding(account: str, error: SendError) -> Finding:
    """Return a trouble in plain words, with what to do."""
    return Finding(ok=False, what=f"{account}：微信接口不可用（{error}）", cure=_cure(error))


def _cure(error: SendError) -> str:
    found = _CODE.search(error.detail)
    if found is not None and found[1] in _CURES:
        return _CURES[found[1]]
    if error.reason is SendReason.CREDENTIALS:
        return "核对帐号的 id 和 secret，与后台上的一致"
    if error.reason in {SendReason.CONNECTION, SendReason.TIMEOUT}:
        return "检查本机能否访问 api_base，以及防火墙和代理"
    return "查公众平台的错误码说明；日志里有 rid"
