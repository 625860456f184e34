"""How often the account calls each interface, and from when on it is one too many (wechat.md 2.8)."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

A_DAY = 500_000
"""Calls of one interface in a day, where nothing else is set."""
DAY, MINUTE = 24 * 3600.0, 60.0
DAY_OVER, MINUTE_OVER = 45009, 45011


class Calls:
    """Counts calls by path; ``daily`` and ``a_minute`` set how many are let through. Time is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.daily: dict[str, int] = {}
        self.a_minute: dict[str, int] = {}
        self._used: Counter[str] = Counter()
        self._day = 0.0
        self._lately: dict[str, deque[float]] = {}

    def over(self, path: str) -> int:
        """Count a call and return the code of one too many, 0 for one that is let through."""
        now, most = self._clock(), self.a_minute.get(path)
        if most is not None:
            lately = self._lately.setdefault(path, deque())
            while lately and lately[0] <= now - MINUTE:
                lately.popleft()
            if len(lately) >= most:
                return MINUTE_OVER
            lately.append(now)
        used, most = self.today(path)
        if used >= most:
            return DAY_OVER
        self._used[path] += 1
        return 0

    def today(self, path: str) -> tuple[int, int]:
        """Return how many calls of a path were let through today, and how many may be."""
        day = self._clock() // DAY
        if day != self._day:
            self._day = day
            self._used.clear()
        return self._used[path], self.daily.get(path, A_DAY)

    def clear(self) -> None:
        """Begin the day's counts anew."""
        self._used.clear()
