"""The rules of the router as an installation has set them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gateway.desk.hours import Hours
from gateway.desk.routing import Rules

if TYPE_CHECKING:
    from gateway.calendar import Calendar
    from gateway.desk_settings import DeskSettings

_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000


def rules_of(settings: DeskSettings, hours: Hours | None = None) -> Rules:
    """Return the settings as rules, in milliseconds; ``hours`` as ``hours_of`` returns them."""
    return Rules(
        relax_after=settings.relax_seconds * _SECOND,
        sticky_for=settings.sticky_hours * _HOUR,
        offers=settings.mode == "offer",
        offer_ms=settings.offer_seconds * _SECOND,
        decline_ms=settings.decline_seconds * _SECOND,
        silent_ms=settings.silent_seconds * _SECOND,
        idle_ms=settings.idle_minutes * _MINUTE,
        closing_ms=settings.closing_minutes * _MINUTE,
        wrap_up_ms=settings.wrap_up_seconds * _SECOND,
        grace_ms=settings.grace_seconds * _SECOND,
        undo_ms=settings.undo_seconds * _SECOND,
        queue_limit=settings.queue_limit,
        long_ms=settings.long_wait_minutes * _MINUTE,
        hours=hours,
    )


def mark_of(settings: DeskSettings, calendar: Calendar) -> str:
    """Return a word that is another when any clock of the desk may strike at another time."""
    spans = {"hours", "holiday_hours", "offer_seconds", "decline_seconds", "silent_seconds", "idle_minutes"}
    spans |= {"closing_minutes", "wrap_up_seconds"}
    made_of = f"{settings.model_dump_json(include=spans)} {calendar.mark()}"
    return hashlib.sha256(made_of.encode()).hexdigest()


def hours_of(settings: DeskSettings, calendar: Calendar) -> Hours | None:
    """Return when people are at the desk; None where only the city's ``seats`` say it."""
    if not settings.hours and not settings.holiday_hours:
        return None
    return Hours(calendar, settings.hours, settings.holiday_hours)
