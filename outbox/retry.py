"""Whether and when to try again: error, tries and age to a decision. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.contract import OTHER_ROUTE, SendReason

if TYPE_CHECKING:
    from channels.contract import SendError


@dataclass(frozen=True, slots=True)
class Again:
    """Try the same route after ``delay`` seconds."""

    delay: float


@dataclass(frozen=True, slots=True)
class OtherWay:
    """Not by this route; another may do."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it arrived; it is not sent twice."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A person must look."""


Decision = Again | OtherWay | Unknown | GiveUp


@dataclass(frozen=True, slots=True)
class _Rule:
    """At most ``tries`` tries; the delay doubles from ``first`` up to ``longest`` seconds."""

    tries: int
    first: float
    longest: float


_RULES = {
    SendReason.BUSY: _Rule(3, 2.0, 30.0),
    # Never less than 60 s even where chance shortens it (wechat.md 2.8, 45011).
    SendReason.THROTTLED: _Rule(8, 80.0, 640.0),
    SendReason.CONNECTION: _Rule(12, 1.0, 600.0),
    # A wrong secret or address is a fault of ours: the row waits for the person who is told by the alarm.
    SendReason.CREDENTIALS: _Rule(48, 30.0, 1800.0),
}
MAX_AGE = 24 * 3600.0
"""Seconds after which news is no news."""
JITTER = 0.25


def decide(error: SendError, attempts: int, age: float, random: float) -> Decision:
    """Return what to do after the ``attempts``-th try failed; ``random`` is in [0, 1)."""
    if error.reason is SendReason.TIMEOUT:
        return Unknown()
    if error.reason in OTHER_ROUTE:
        return OtherWay()
    rule = _RULES.get(error.reason)
    if rule is None or attempts >= rule.tries or age > MAX_AGE:
        return GiveUp()
    delay = min(rule.first * 2 ** (attempts - 1), rule.longest)
    delay *= 1 + JITTER * (2 * random - 1)
    return Again(max(delay, error.retry_after or 0.0))
