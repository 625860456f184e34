"""The working calendar and the arithmetic of limits (domain.md 3.3; Civil Code 200 to 204 by analogy).

Hours count from the moment; of days the first is not counted, and one that ends on a day off ends on the next
working day. Make-up Saturdays are working days.
"""

from __future__ import annotations

import warnings
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import holidays
from holidays.version import __version__

from gateway.profile import Limit, Unit

if TYPE_CHECKING:
    from gateway.profile import Profile

ZONE = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_LAST = time(23, 59, 59)


class Calendar:
    """Which days are worked, and when a limit that starts now is over."""

    def __init__(
        self,
        windows: tuple[tuple[time, time], ...],
        off: frozenset[date] = frozenset(),
        work: frozenset[date] = frozenset(),
    ) -> None:
        self._windows = windows
        self._off = off
        self._work = work
        self._known: dict[date, bool] = {}

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Return the calendar of a city."""
        return cls(profile.work.windows, frozenset(profile.work.off), frozenset(profile.work.work))

    def mark(self) -> str:
        """Return words that are others when other days may be worked."""
        days = (" ".join(sorted(map(str, days))) for days in (self._off, self._work))
        return f"{__version__} {' / '.join(days)}"

    def knows(self, year: int) -> bool:
        """Return whether the holidays and make-up days of a year are known."""
        if any(day.year == year for day in self._off | self._work):
            return True
        return bool(_china(year)[1])

    def works(self, day: date) -> bool:
        """Return whether a day is worked."""
        if day not in self._known:
            self._known[day] = self._works(day)
        return self._known[day]

    def add(self, start: datetime, limit: Limit) -> datetime:
        """Return when a limit that starts at ``start`` is over, in UTC."""
        amount, unit = limit.amount, limit.unit
        if unit is Unit.MIN:
            return start + timedelta(minutes=amount)
        if unit is Unit.H:
            return start + timedelta(hours=amount)
        local = start.astimezone(ZONE)
        if unit is Unit.WORKHOUR:
            end = self._workhours(local, timedelta(hours=amount))
        elif unit is Unit.WORKDAY:
            end = datetime.combine(self._workdays(local.date(), amount), self._windows[-1][1], ZONE)
        else:
            end = datetime.combine(self._first_worked(local.date() + timedelta(days=amount)), _LAST, ZONE)
        return end.astimezone(start.tzinfo)

    def _works(self, day: date) -> bool:
        if day in self._off or day in self._work:
            return day in self._work
        public, made_up = _china(day.year)
        if day in made_up:
            return True
        return day not in public and day.weekday() < 5

    def _first_worked(self, day: date) -> date:
        while not self.works(day):
            day += _DAY
        return day

    def _workdays(self, day: date, count: int) -> date:
        for _ in range(count):
            day = self._first_worked(day + _DAY)
        return day

    def _workhours(self, at: datetime, left: timedelta) -> datetime:
        while True:
            day = self._first_worked(at.date())
            for opens, closes in self._windows:
                begin = max(at, datetime.combine(day, opens, ZONE))
                end = datetime.combine(day, closes, ZONE)
                if begin >= end:
                    continue
                if left <= end - begin:
                    return begin + left
                left -= end - begin
            at = datetime.combine(day + _DAY, time.min, ZONE)


@cache
def _china(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the public days off of a year, and the weekend days worked instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        china = holidays.country_holidays("CN", years=year)
    made_up = frozenset(getattr(china, "weekend_workdays", ()) or ())
    return frozenset(china) - made_up, frozenset(day for day in made_up if day.year == year)
