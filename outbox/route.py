"""Which way a message goes, or why not now or not at all. Pure (domain.md 4.4, wechat.md 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from outbox.notices import AGENT, DESK, HELD_AT_NIGHT, OTP, NoticeKind

if TYPE_CHECKING:
    from channels.contract import Capabilities

ZONE = ZoneInfo("Asia/Shanghai")
CUSTOM, SUBSCRIBE, TEMPLATE, PASSIVE = "custom", "subscribe", "template", "passive"
REPLY = "reply"
DESPITE_OPT_OUT = frozenset(
    {NoticeKind.ACCEPTED, NoticeKind.NEED_INFO, NoticeKind.REPLIED, NoticeKind.ANSWERED}
    | {NoticeKind.REJECTED, NoticeKind.DIVERTED, NoticeKind.TERMINATED, OTP, AGENT, DESK}
)
"""Not reminders: the answer to what he asked, and what he loses a right by not hearing (domain.md 4.4)."""
CALL_HIM = "tell him by phone"
"""How the reason of a message ends that no way of ours carries."""
ASKED = "he wishes to be called"
_REFUSED = "not "


@dataclass(frozen=True, slots=True)
class SendBy:
    """Send by this route; ``template`` is the provider's id where it needs one, ``why`` what closed the ways before."""

    route: str
    template: str = ""
    why: str = ""


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
    """It should be sent and cannot be by this account: another account, or a person, must tell."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local hours without notices that can wait."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between us and the citizen: the leave to write, and his wish for no reminders.

    ``left`` is None where the channel sets no count; ``tried`` are routes that refused this message; ``consents`` are
    the templates that he agreed to be sent.
    """

    window_until: datetime
    left: int | None
    opted_out: bool
    tried: frozenset[str] = frozenset()
    consents: frozenset[str] = frozenset()


def choose(
    notice: str, standing: Standing, able: Capabilities, quiet: Quiet, now: datetime
) -> SendBy | HoldUntil | Drop | NoRoute:
    """Return the way of one message: free text, else a template he agreed to, else one that needs no consent (wechat.md 2)."""
    if notice != REPLY:
        if standing.opted_out and notice not in DESPITE_OPT_OUT:
            return Drop("opted out")
        if (morning := _morning(quiet, now)) and notice in HELD_AT_NIGHT:
            return HoldUntil(morning)
    return _way(notice, standing, able, now)


def _way(notice: str, standing: Standing, able: Capabilities, now: datetime) -> SendBy | NoRoute:
    why = _closed(standing, able, now)
    if not why:
        return SendBy(CUSTOM)
    if subscription := able.subscriptions.get(notice):
        if subscription in standing.consents and SUBSCRIBE not in standing.tried:
            return SendBy(SUBSCRIBE, subscription, why)
        why += "; consent refused" if SUBSCRIBE in standing.tried else "; no consent"
    template = able.templates.get(notice)
    if template and TEMPLATE not in standing.tried:
        return SendBy(TEMPLATE, template, why)
    return NoRoute(f"{why}; {'template refused' if template else 'no template'}; {CALL_HIM}")


def refused(kept: str) -> frozenset[str]:
    """Return the routes that refused a message, from what its row keeps of its way."""
    return frozenset(kept.removeprefix(_REFUSED).split("+")) if kept.startswith(_REFUSED) else frozenset()


def without(kept: str, way: str) -> str:
    """Return what the row keeps when one more route refused."""
    return _REFUSED + "+".join(sorted(refused(kept) | {way}))


def _closed(standing: Standing, able: Capabilities, now: datetime) -> str:
    """Return what closes the way of free text, nothing when it is open."""
    if CUSTOM in standing.tried:
        return "refused as a message"
    if not able.windowed:
        return ""
    if now >= standing.window_until:
        return "window over"
    return "count used up" if standing.left is not None and standing.left <= 0 else ""


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
