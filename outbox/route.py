"""Which way a message goes, or why not now or not at all. Pure (domain.md 4.4, wechat.md 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from outbox.notices import HELD_AT_NIGHT, OTP, NoticeKind

if TYPE_CHECKING:
    from channels.contract import Capabilities

ZONE = ZoneInfo("Asia/Shanghai")
CUSTOM, TEMPLATE, PASSIVE = "custom", "template", "passive"
REPLY = "reply"
DESPITE_OPT_OUT = frozenset(
    {NoticeKind.ACCEPTED, NoticeKind.NEED_INFO, NoticeKind.REPLIED, NoticeKind.ANSWERED}
    | {NoticeKind.REJECTED, NoticeKind.DIVERTED, NoticeKind.TERMINATED, OTP}
)
"""Not reminders: the answer to what he asked, and what he loses a right by not hearing (domain.md 4.4)."""
_REFUSED = "not "


@dataclass(frozen=True, slots=True)
class SendBy:
    """Send by this route; ``template`` is the provider's id where it needs one."""

    route: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class HoldUntil:
    """Not now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """Not at all, and that is right."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoRoute:
    """It should be sent and cannot be: a person must call."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local hours without notices that can wait."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between us and the citizen: the leave to write, and his wish for no reminders.

    ``left`` is None where the channel sets no count; ``tried`` are routes that refused this message.
    """

    window_until: datetime
    left: int | None
    opted_out: bool
    tried: frozenset[str] = frozenset()


def choose(
    notice: str, standing: Standing, able: Capabilities, quiet: Quiet, now: datetime
) -> SendBy | HoldUntil | Drop | NoRoute:
    """Return the way of one message: customer service within its window, else the notice's template."""
    if notice != REPLY:
        if standing.opted_out and notice not in DESPITE_OPT_OUT:
            return Drop("opted out")
        if (morning := _morning(quiet, now)) and notice in HELD_AT_NIGHT:
            return HoldUntil(morning)
    if CUSTOM not in standing.tried and _open(standing, able, now):
        return SendBy(CUSTOM)
    template = able.templates.get(notice)
    if template and TEMPLATE not in standing.tried:
        return SendBy(TEMPLATE, template)
    return NoRoute("no leave to write and no template; tell the citizen by phone")


def refused(kept: str) -> frozenset[str]:
    """Return the routes that refused a message, from what its row keeps of its way."""
    return frozenset(kept.removeprefix(_REFUSED).split("+")) if kept.startswith(_REFUSED) else frozenset()


def without(kept: str, way: str) -> str:
    """Return what the row keeps when one more route refused."""
    return _REFUSED + "+".join(sorted(refused(kept) | {way}))


def _open(standing: Standing, able: Capabilities, now: datetime) -> bool:
    if not able.passive:
        return True
    return now < standing.window_until and (standing.left is None or standing.left > 0)


def _morning(quiet: Quiet, now: datetime) -> datetime | None:
    """Return when the quiet hours end, None outside them."""
    local = now.astimezone(ZONE)
    at = local.time()
    over_night = quiet.start > quiet.end
    inside = (at >= quiet.start or at < quiet.end) if over_night else quiet.start <= at < quiet.end
    if not inside:
        return None
    day = local.date() + timedelta(days=1) if over_night and at >= quiet.start else local.date()
    return datetime.combine(day, quiet.end, ZONE)
