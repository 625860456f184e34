"""Whose a talk of 微信客服 is: ours, a servicer's at the corporation's own desk, or over (wechat.md 2.5)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from channels.contract import SendError, SendReason

if TYPE_CHECKING:
    from channels.wechat.api import Api


class Talk(IntEnum):
    """``service_state``: not begun, answered by us, in the desk's queue, with one of its servicers, over."""

    NEW = 0
    OURS = 1
    QUEUED = 2
    SERVICER = 3
    ENDED = 4


STATES = {
    Talk.NEW: "not begun",
    Talk.OURS: "ours",
    Talk.QUEUED: "in the queue of the corporation's own desk",
    Talk.SERVICER: "with a servicer of the corporation's own desk",
    Talk.ENDED: "over",
}


class States:
    """Asks and changes whose talks are."""

    def __init__(self, open_kfid: str, api: Api) -> None:
        self._open_kfid = open_kfid
        self._api = api

    async def of(self, user: str) -> Talk:
        """Return whose the talk with a person is; raises SendError."""
        answer = await self._api.call("/cgi-bin/kf/service_state/get", self._talk(user))
        try:
            return Talk(int(answer.get("service_state", -1)))
        except (ValueError, TypeError) as error:
            raise SendError(SendReason.BUSY, "a state of the talk that is unknown") from error

    async def put(self, user: str, talk: Talk, servicer: str = "") -> None:
        """Give the talk with a person to somebody else, or end it; raises SendError when it may not go there."""
        body = self._talk(user) | {"service_state": int(talk)}
        if servicer:
            body["servicer_userid"] = servicer
        await self._api.call("/cgi-bin/kf/service_state/trans", body)

    def _talk(self, user: str) -> dict[str, Any]:
        return {"open_kfid": self._open_kfid, "external_userid": user}
