"""What the desk answers when something is wrong (RFC 9457), in words for the staff."""

from __future__ import annotations

from http import HTTPStatus

from gateway.desk.moves import Why
from gateway.web.api.problems import Fault, Problem, Wrong, invalid, unknown

__all__ = ["Fault", "Held", "Problem", "Wrong", "invalid", "refused", "unknown"]

CONFLICT, FORBIDDEN = HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN


class Held(Problem):
    """A conversation that somebody else has: ``holder`` is his name, None for nobody."""

    holder: dict[str, str] | None = None


_WORDS: dict[Why, tuple[HTTPStatus, str, str]] = {
    Why.TAKEN: (CONFLICT, "taken", "这个会话现在由{holder}处理，您写的内容已保留。"),
    Why.STALE: (CONFLICT, "stale-epoch", "这个会话刚刚有了变化，请看最新状态后再试；您写的内容已保留。"),
    Why.FULL: (CONFLICT, "full", "您手上的会话已满，请先结束或挂起一个。"),
    Why.AWAY: (CONFLICT, "away", "对方或您现在不在线，不能接入会话。"),
    Why.SKILL: (CONFLICT, "skill", "这个会话需要别的技能组。"),
    Why.RIGHT: (FORBIDDEN, "forbidden", "您没有这项权限。"),
    Why.STATE: (CONFLICT, "state", "现在不能这样办，请看最新状态。"),
    Why.UNKNOWN: (HTTPStatus.NOT_FOUND, "not-found", "没有找到这个会话。"),
}


def refused(why: Why, holder: tuple[str, str] | None = None) -> Wrong:
    """Return the problem of an act that was refused; ``holder`` is the id and the name of who has the talk."""
    status, kind, words = _WORDS[why]
    wrong = Wrong(status, kind, words.format(holder=holder[1] if holder else "别的座席"))
    known = {"id": holder[0], "name": holder[1]} if holder else None
    wrong.problem = Held(**wrong.problem.model_dump(), holder=known)
    return wrong
