"""What the desk answers when something is wrong (RFC 9457), in words for the staff."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.desk.moves import Why
from gateway.web.api.problems import Fault, Problem, Wrong, invalid, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fault", "Held", "Problem", "Wrong", "doubted", "invalid", "refused", "unknown"]

CONFLICT, FORBIDDEN = HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN


class Held(Problem):
    """A conversation that somebody else has: ``holder`` is his name, None for nobody."""

    holder: dict[str, str] | None = None


_WORDS: dict[Why, tuple[HTTPStatus, str, str]] = {
    Why.TAKEN: (CONFLICT, "taken", "这个对话现在由{holder}处理，您写的内容已保留。"),
    Why.STALE: (CONFLICT, "stale-epoch", "这个对话刚刚有了变化，请看最新状态后再试；您写的内容已保留。"),
    Why.FULL: (CONFLICT, "full", "您手上的对话已满，请先结束或暂挂一个。"),
    Why.AWAY: (CONFLICT, "away", "对方或您现在不在线，不能接入对话。"),
    Why.SKILL: (CONFLICT, "skill", "这个对话需要别的技能组。"),
    Why.RIGHT: (FORBIDDEN, "forbidden", "您没有这项权限。"),
    Why.STATE: (CONFLICT, "state", "现在不能这样办，请看最新状态。"),
    Why.UNKNOWN: (HTTPStatus.NOT_FOUND, "not-found", "没有找到这个对话。"),
}


class Doubtful(Problem):
    """What a supervisor may do nevertheless: ``doubts`` are full, away, skill; he sends them back as ``despite``."""

    doubts: tuple[str, ...] = ()


_DOUBTS = {Why.FULL: "手上已满", Why.AWAY: "设为离开", Why.SKILL: "缺少所需技能"}


def doubted(doubts: Sequence[Why]) -> Wrong:
    """Return the problem of an assignment that automatic routing would not make."""
    words = "、".join(_DOUBTS[why] for why in doubts)
    wrong = Wrong(CONFLICT, "doubtful", f"对方{words}。仍要指派请确认。")
    wrong.problem = Doubtful(**wrong.problem.model_dump(), doubts=tuple(doubts))
    return wrong


def refused(why: Why, holder: tuple[str, str] | None = None) -> Wrong:
    """Return the problem of an act that was refused; ``holder`` is the id and the name of who has the talk."""
    status, kind, words = _WORDS[why]
    wrong = Wrong(status, kind, words.format(holder=holder[1] if holder else "别的座席"))
    known = {"id": holder[0], "name": holder[1]} if holder else None
    wrong.problem = Held(**wrong.problem.model_dump(), holder=known)
    return wrong
