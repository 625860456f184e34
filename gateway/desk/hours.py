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

    def after(self, at: datetime, span: timedelta) -> datetime:
        """Return when so much of the hours has passed since an instant; where no hours are in sight all time counts."""
        left, here = span, self.next(at)
        while here is not None:
            closes = self._closes(here)
            if here + left <= closes:
                return here + left
            left -= closes - here
            here = self.next(closes)
        return at + span

    def passed(self, since: datetime, until: datetime) -> timedelta:
        """Return how much of the hours lies between two instants."""
        total, here = timedelta(), self.next(since)
        while here is not None and here < until:
            closes = min(self._closes(here), until)
            total += closes - here
            here = self.next(closes)
            if closes == until:
                break
        return total

    def _closes(self, within: datetime) -> datetime:
        """Return when the span ends that an instant within the hours lies in."""
        local = within.astimezone(ZONE)
        ends = (datetime.combine(local.date(), closes, ZONE) for _, closes in self._spans(local.date()))
        return next(end for end in ends if local < end)

    def _spans(self, day: date) -> tuple[tuple[time, time], ...]:
        return self._working if self._calendar.works(day) else self._holiday
