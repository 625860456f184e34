"""What the platform thinks of words that came by a mini-program: a hint for who reviews, never a refusal (wechat.md 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Opinion

if TYPE_CHECKING:
    from channels.wechat.api import Api

PATH = "/wxa/msg_sec_check"
LONGEST = 2500
_VERSION, _SCENE = 2, 2
"""The interface's version, and the scene "comments": what people write to us."""
_WELL = "pass"


async def opinion_of(api: Api, openid: str, text: str) -> Opinion | None:
    """Return what the platform objects to, None for nothing; raises SendError."""
    body = {"version": _VERSION, "scene": _SCENE, "openid": openid, "content": text[:LONGEST]}
    result = (await api.call(PATH, body)).get("result")
    if not isinstance(result, dict) or result.get("suggest") in {_WELL, None}:
        return None
    return Opinion(str(result["suggest"])[:20], str(result.get("label", ""))[:20])
