"""When people are at the desk: several spans a day by the working calendar, make-up workdays among the working days."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from gateway.calendar import ZONE

if TYPE_CHECKING:
    from datetime import date

    from gateway.calendar import Calendar

AHEAD = timedelta(days=30)
"""How far the next opening is looked for; no holiday is longer."""


class Hours:
    """The hours of an installation; spans are local times of one day, in their order."""

    def __init__(
        self,
        calendar: Calendar,
        working: tuple[tuple[time, time], ...],
        holiday: tuple[tuple[time, time], ...] = (),
    ) -> None:
        self._calendar = calendar
        self._working = working
        self._holiday = holiday

    def next(self, at: datetime) -> datetime | None:
        """Return the instant itself while it is within the hours, else the next opening; None for none in sight."""
        local = at.astimezone(ZONE)
        day = local.date()
        while day - local.date() <= AHEAD:
            for opens, closes in self._spans(day):
                if local < datetime.combine(day, closes, ZONE):
                    return max(local, datetime.combine(day, opens, ZONE))
            day += timedelta(days=1)
        return None

    def _spans(self, day: date) -> tuple[tuple[time, time], ...]:
        return self._working if self._calendar.works(day) else self._holiday
