"""Bad weather: a share of the account's calls meets with a fault, by chance but the same for the same seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from gateway.sandbox.platform import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KINDS = ("busy", "status", "truncated", "drop", "lost")
"""Answered -1; HTTP 502; half an answer; cut before it was taken; taken, and the answer cut.

``slow`` may be named beside them: taken and answered after a while.
"""
SLOW_MS = 800


class Weather:
    """``rate`` is the share of calls that fail, ``kinds`` is how; every path has it, or only those in ``paths``."""

    def __init__(
        self,
        rate: float,
        *,
        seed: int = 0,
        kinds: tuple[str, ...] = KINDS,
        paths: frozenset[str] = frozenset(),
    ) -> None:
        self._rate = rate
        self._kinds = kinds
        self._paths = paths
        self._chance = random.Random(seed)  # noqa: S311 - weather, no secret

    def fault(self, path: str) -> Fault | None:
        """Return what a call shall meet with, None for one that goes well."""
        if self._paths and path not in self._paths:
            return None
        if self._chance.random() >= self._rate:
            return None
        return _FAULTS[self._chance.choice(self._kinds)]()


_FAULTS: Mapping[str, Callable[[], Fault]] = {
    "busy": lambda: Fault("code", -1),
    "status": lambda: Fault("status", 502),
    # Half an answer comes of a call that was taken.
    "truncated": lambda: Fault("truncated", deliver=True),
    "drop": lambda: Fault("drop"),
    "lost": lambda: Fault("drop", deliver=True),
    "slow": lambda: Fault("slow", SLOW_MS),
}
