"""Bad weather: a share of the account's calls meets with a fault, by chance but the same for the same seed."""

from __future__ import annotations

import random

from gateway.sandbox.platform import Fault

KINDS = ("busy", "status", "truncated", "drop", "lost")
"""Answered -1; HTTP 502; half an answer; cut before it was taken; taken, and the answer cut."""


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
        match self._chance.choice(self._kinds):
            case "busy":
                return Fault("code", -1)
            case "status":
                return Fault("status", 502)
            case "lost":
                return Fault("drop", deliver=True)
            case kind:
                # Half an answer comes of a call that was taken.
                return Fault(kind, deliver=kind == "truncated")
