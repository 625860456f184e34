"""Which clock runs for a case, and what the clock asks for when it strikes (domain.md 1.8, 3.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gateway.profile import Limit, Unit
from normalizer.case import OPEN, Actor, Case, Command, Role, Stage, Verb

if TYPE_CHECKING:
    from gateway.calendar import Calendar
    from gateway.profile import Profile

CLOCK = Actor(Role.TIMER, "clock")
YELLOW = 0.8
"""Share of the time after which a unit is reminded."""
_WORKDAY = Limit(amount=1, unit=Unit.WORKDAY)
_FIVE_WORKDAYS = Limit(amount=5, unit=Unit.WORKDAY)


def rule_name(key: str, limit: Limit) -> str:
    """Return how a case remembers the limit that was applied: ``handle:5workday``."""
    return f"{key}:{limit.amount}{limit.unit}"


def due_moves(case: Case, profile: Profile, calendar: Calendar, now: datetime) -> tuple[Command, ...]:
    """Return what the clock asks for now; empty when nothing is due."""
    return tuple(command for at, command in _agenda(case, profile, calendar) if at <= now)[:1]


def check_at(case: Case, profile: Profile, calendar: Calendar, now: datetime) -> datetime | None:
    """Return when the clock must look at the case next, None when no clock runs."""
    later = [at for at, _ in _agenda(case, profile, calendar)]
    return max(min(later), now + timedelta(seconds=1)) if later else None


def _agenda(case: Case, profile: Profile, calendar: Calendar) -> list[tuple[datetime, Command]]:
    """Return what the clock will ask for and when, if nothing else happens."""
    agenda: list[tuple[datetime, Command]] = []
    since = _last_change(case)
    match case.stage:
        case Stage.NEED_INFO if case.main is None:
            end = calendar.add(since, profile.limit("supplement", case))
            agenda.append((end, Command(Verb.TERMINATE, CLOCK, reason="逾期未补充", code="R15")))
        case Stage.VISITED:
            end = calendar.add(since, profile.limit("rating", case))
            agenda.append((end, Command(Verb.CLOSE, CLOCK)))
        case _:
            pass
    return agenda + _supervision(case, calendar)


def _last_change(case: Case) -> datetime:
    """Return the newest instant the case itself remembers."""
    known = [case.created_at, *case.urges, *(v.at for v in case.visits), *(r.at for r in case.replies)]
    known += [r.at for r in case.ratings] + ([case.asked_at] if case.asked_at else [])
    return max(known)


def _supervision(case: Case, calendar: Calendar) -> list[tuple[datetime, Command]]:
    main = case.main
    if case.stage not in OPEN or main is None or case.deadline_at is None or main.finished_at is not None:
        return []
    due = case.deadline_at
    yellow = main.dispatched_at + (due - main.dispatched_at) * YELLOW
    steps = (
        (1, yellow, "已过办理时限的八成"),
        (2, calendar.add(due, _WORKDAY), "超期一个工作日"),
        (3, calendar.add(due, _FIVE_WORKDAYS), "超期五个工作日"),
    )
    agenda = [
        (at, Command(Verb.SUPERVISE, CLOCK, reason=reason, score=level))
        for level, at, reason in steps
        if level > case.supervision
    ]
    if not case.overdue_told:
        agenda.append((due + timedelta(seconds=1), Command(Verb.REMIND, CLOCK, reason="已超期", flag=True)))
    if case.stage is Stage.DISPATCHED and main.sign_due is not None and not main.reminded:
        agenda.append(
            (main.sign_due + timedelta(seconds=1), Command(Verb.REMIND, CLOCK, reason="逾期未签收"))
        )
    return agenda
