"""What the platform thinks of words and files that came by a mini-program: a hint for who reviews, never a refusal (wechat.md 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.contract import Opinion, SendError, SendReason
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.wechat.api import Api

PATH, FILES = "/wxa/msg_sec_check", "/wxa/media_check_async"
CHECKED = "wxa_media_check"
"""The event that tells what became of a look at a file."""
_MEDIA = {PartKind.VOICE: 1, PartKind.IMAGE: 2}
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


async def look_at(api: Api, openid: str, kind: PartKind, url: str) -> str:
    """Ask the platform to look at a picture or a recording and return its name for that; raises SendError."""
    if kind not in _MEDIA:
        raise SendError(SendReason.CONTENT, f"looks at no {kind.value}")
    body = {
        "version": _VERSION,
        "scene": _SCENE,
        "openid": openid,
        "media_url": url,
        "media_type": _MEDIA[kind],
    }
    answer = await api.call(FILES, body)
    name = answer.get("trace_id")
    if not isinstance(name, str) or not name:
        raise SendError(SendReason.BUSY, "an answer without a name for the look")
    return name


def objection(fields: Mapping[str, object]) -> Opinion | None:
    """Return what an event objects to, of either version; None for nothing, and where the file could not be looked at."""
    result = fields.get("result")
    if isinstance(result, dict) and str(fields.get("errcode", "0")) == "0":
        suggest = str(result.get("suggest", ""))
        well = suggest in {_WELL, ""}
        return None if well else Opinion(suggest[:20], str(result.get("label", ""))[:20])
    return Opinion("risky", "") if str(fields.get("isrisky", "")) == "1" else None
