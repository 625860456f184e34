"""Callbacks already taken: a second one with the same signature is a replay, for its own retries are signed anew."""

from __future__ import annotations

KEPT = 200_000
"""Marks in one generation, so that memory is bounded under any load; older ones are stale soon anyway."""


class Seen:
    """Remembers marks for at least ``seconds`` while fewer than ``KEPT`` come in that time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._now: set[str] = set()
        self._before: set[str] = set()
        self._since = 0.0

    def has(self, mark: str) -> bool:
        """Return whether a mark was added lately."""
        return mark in self._now or mark in self._before

    def add(self, mark: str, clock: float) -> None:
        """Remember a mark: only after its message is written down, so that a refused one may come again.

        ``clock`` is in seconds.
        """
        self._now.add(mark)
        # A timestamp may lie as far ahead as behind, hence twice the time.
        if clock - self._since > 2 * self._seconds or len(self._now) >= KEPT:
            self._before, self._now, self._since = self._now, set(), clock
