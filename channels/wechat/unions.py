"""Who somebody is across the apps of one open platform (unionid, wechat.md 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from normalizer.errors import Busy
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channels.contract import Tools
    from channels.wechat.api import Api
    from channels.wechat.settings import App

log = structlog.get_logger()

PATH = "/cgi-bin/user/info/batchget"


async def unions_of(api: Api, openids: Sequence[str]) -> Mapping[str, str]:
    """Return the union ids of up to 100 followers as far as the platform gives them; raises SendError."""
    asked = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
    listed = (await api.call(PATH, {"user_list": asked})).get("user_info_list")
    people = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {
        str(each["openid"]): str(each["unionid"])
        for each in people
        if each.get("openid") in openids and each.get("unionid")
    }


async def noted(account: str, settings: App, tools: Tools, openid: str, union: object) -> None:
    """Note the union id that came with an openid; nothing fails for it, the next one brings it again."""
    if not settings.open_platform or not isinstance(union, str) or not union:
        return
    try:
        await tools.unions.note(Address(account, openid), settings.open_platform, union)
    except Busy:
        log.warning("wechat.union_not_noted", account=account)
