"""Who shall have whom: a pure decision over who waits and who has room (desk-and-open311.md 3.2).

Nothing is kept between two decisions, so a router that dies loses nothing (T35). What was decided is claimed one by
one in SQL, where it is checked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from gateway.runtime import instant, millis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.desk.hours import Hours

CHAT, MAIL = 5, 1
"""Weights in fifths of a chat: a mail is 0.2 of one; what is on hold weighs nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the desk works; times in milliseconds.

    Boosts are bounded, and who waits ages by staying: nobody is overtaken by someone who came more than the largest
    sum of boosts after him. ``hours`` are when people are at the desk: the clocks of answers and of waiting run then
    only, and always where it is None (T27).
    """

    urgent_boost: int = 600_000
    elderly_boost: int = 300_000
    returned_boost: int = 180_000
    relax_after: int = 120_000
    sticky_for: int = 24 * 3_600_000
    offers: bool = True
    offer_ms: int = 15_000
    decline_ms: int = 60_000
    silent_ms: int = 120_000
    idle_ms: int = 10 * 60_000
    closing_ms: int = 5 * 60_000
    wrap_up_ms: int = 60_000
    lease_ms: int = 60_000
    grace_ms: int = 60_000
    undo_ms: int = 10_000
    queue_limit: int = 500
    long_ms: int = 600_000
    hours: Hours | None = None

    def after(self, at: int, span: int) -> int:
        """Return when so much of the desk's time has passed since an instant."""
        if self.hours is None:
            return at + span
        return millis(self.hours.after(instant(at), timedelta(milliseconds=span)))

    def passed(self, since: int, until: int) -> int:
        """Return how much of the desk's time lies between two instants."""
        if self.hours is None:
            return until - since
        return self.hours.passed(instant(since), instant(until)) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation in the queue; ``not_for`` declined it a moment ago, ``only_for`` is whom it was passed to."""

    conversation: bytes
    rank: int
    enqueued_at: int
    skills: frozenset[str] = frozenset()
    weight: int = CHAT
    last_agent: bytes | None = None
    last_at: int = 0
    only_for: bytes | None = None
    not_for: bytes | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """An agent who is online; load and room in fifths of a chat."""

    agent: bytes
    skills: frozenset[str]
    capacity: int
    load: int
    assigned_at: int


class Pair(NamedTuple):
    """Who shall have whom."""

    conversation: bytes
    agent: bytes


def rank(
    enqueued_at: int, rules: Rules, *, urgent: bool = False, elderly: bool = False, returned: bool = False
) -> int:
    """Return the place in the queue: the time of coming, less the boosts; the least is first."""
    boosts = (rules.urgent_boost * urgent, rules.elderly_boost * elderly, rules.returned_boost * returned)
    return enqueued_at - sum(boosts)


def fits(waiting: Waiting, agent: Free, now: int, rules: Rules) -> bool:
    """Return whether an agent has room and may have it: skills are required, until they were waited for long enough."""
    if agent.load + waiting.weight > agent.capacity or waiting.not_for == agent.agent:
        return False
    if waiting.only_for is not None:
        return waiting.only_for == agent.agent
    return waiting.skills <= agent.skills or now - waiting.enqueued_at >= rules.relax_after


def match(queue: Iterable[Waiting], agents: Iterable[Free], now: int, rules: Rules) -> list[Pair]:
    """Return who shall have whom, first in the queue first served; ``queue`` comes in its order of rank.

    It is read no further than there is room, and a want that nobody could meet is not looked at again: room only
    shrinks.
    """
    free = {agent.agent: agent for agent in agents if agent.load < agent.capacity}
    hopeless = set()
    pairs: list[Pair] = []
    for waiting in queue:
        if not free:
            break
        want = _want(waiting, now, rules)
        if want in hopeless:
            continue
        fitting = [agent for agent in free.values() if fits(waiting, agent, now, rules)]
        if not fitting:
            hopeless.add(want)
            continue
        best = min(fitting, key=lambda agent: _order(waiting, agent, now, rules))
        pairs.append(Pair(waiting.conversation, best.agent))
        more = replace(best, load=best.load + waiting.weight, assigned_at=now)
        free[best.agent] = more
        if more.load >= more.capacity:
            del free[best.agent]
    return pairs


def _want(waiting: Waiting, now: int, rules: Rules) -> tuple[object, ...]:
    """Return all that decides who fits."""
    relaxed = now - waiting.enqueued_at >= rules.relax_after
    skills = frozenset[str]() if relaxed else waiting.skills
    return skills, waiting.weight, waiting.only_for, waiting.not_for


def _order(waiting: Waiting, agent: Free, now: int, rules: Rules) -> tuple[bool, bool, float, int, bytes]:
    """Skilled first, then the last agent, then the least busy, the longest idle, the id."""
    known = waiting.last_agent == agent.agent and now - waiting.last_at <= rules.sticky_for
    skilled = waiting.skills <= agent.skills
    return not skilled, not known, agent.load / agent.capacity, agent.assigned_at, agent.agent
