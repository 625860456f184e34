"""Which way a message goes, or why not now or not at all. Pure (domain.md 4.4, wechat.md 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from outbox.notices import HELD_AT_NIGHT

if TYPE_CHECKING:
    from channels.contract import Capabilities

ZONE = ZoneInfo("Asia/Shanghai")
CUSTOM, TEMPLATE = "custom", "template"
REPLY = "reply"


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
        if standing.opted_out:
            return Drop("opted out")
        if (morning := _morning(quiet, now)) and notice in HELD_AT_NIGHT:
            return HoldUntil(morning)
    if CUSTOM not in standing.tried and _open(standing, able, now):
        return SendBy(CUSTOM)
    template = able.templates.get(notice)
    if template and TEMPLATE not in standing.tried:
        return SendBy(TEMPLATE, template)
    return NoRoute("no leave to write and no template; tell the citizen by phone")


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
