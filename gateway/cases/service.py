"""The decisions of the hotline: (case, command, now) to (new case, events, notices), or a named refusal.

Nothing is read or written here. The pipeline, the desk and the clock all come through these two verbs, so one rule
serves a thousand messages and one click. Limits are those of the profile version the case was accepted under.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway.cases.deadlines import check_at, due_moves, rule_name
from normalizer.case import Actor, Case, CaseEvent, Command, Role, Stage, Verb
from normalizer.codes import REJECT_LABELS, Kind
from normalizer.guards import OBJECTION_DAYS
from normalizer.moves import advance
from outbox.notices import Notice, NoticeKind

if TYPE_CHECKING:
    from bots.contract import Submit
    from gateway.calendar import Calendar
    from gateway.profile import Profile

__all__ = ["Moved", "act", "check_at", "due_moves", "submit"]

ZONE = ZoneInfo("Asia/Shanghai")
BOT = Actor(Role.BOT, "bot")
CITIZEN = Actor(Role.CITIZEN)
CLOCK = Actor(Role.TIMER, "clock")
LOW = 2
"""A rating of 2 or 1 is low and opens a rework (domain.md 0.11)."""
URGES_TO_SUPERVISE = 3


@dataclass(frozen=True, slots=True)
class Moved:
    """What was decided: the case as it is now, the events that led there, what people are to be told, the next look."""

    case: Case
    events: tuple[CaseEvent, ...]
    notices: tuple[Notice, ...]
    check_at: datetime | None


def submit(
    order: Submit,
    *,
    source: str,
    message_id: str,
    profile: Profile,
    calendar: Calendar,
    now: datetime,
    by: Actor = CITIZEN,
) -> Moved:
    """Open a case from an order, accepted at once where the bot may; raises Refused."""
    draft = Case(
        case_no=order.number.case_no,
        source_channel=source,
        region=profile.region,
        created_at=now,
        profile_version=profile.version,
        complainant=order.complainant,
        matter=order.matter,
        secret=order.secret,
        source_messages=(message_id,),
    )
    case, first = advance(draft, Command(Verb.SUBMIT, by), now)
    events = [first]
    if order.accept and order.matter.category in profile.acceptable:
        case, second = advance(case, Command(Verb.ACCEPT, BOT, flag=True), now)
        events.append(second)
    return Moved(case, tuple(events), (), check_at(case, profile, calendar, now))


def act(case: Case, command: Command, profile: Profile, calendar: Calendar, now: datetime) -> Moved:
    """Carry out one command with what follows of itself; raises Refused."""
    case, event = advance(case, _timed(case, command, profile, calendar, now), now)
    events = [event]
    for follow in _follow(case, event, profile):
        case, event = advance(case, follow, now)
        events.append(event)
    notices = tuple(notice for done in events for notice in _notices(case, done, profile, calendar))
    return Moved(case, tuple(events), notices, check_at(case, profile, calendar, now))


def _timed(case: Case, command: Command, profile: Profile, calendar: Calendar, now: datetime) -> Command:
    """Write the limits onto a command that starts or moves a clock."""
    match command.verb:
        case Verb.DISPATCH | Verb.DESIGNATE:
            key = "rework" if case.stage is Stage.REWORK else "handle"
            limit = profile.limit(key, case)
            due = command.due or calendar.add(now, limit)
            sign = calendar.add(now, profile.limit("sign", case))
            return replace(command, due=due, sign_due=sign, rule=rule_name(key, limit))
        case Verb.COHANDLE if case.deadline_at is not None:
            # A day before the lead's, so that the lead can join the answers; never in the past.
            return replace(command, due=max(case.deadline_at - timedelta(days=1), now + timedelta(hours=1)))
        case Verb.RETURN if case.main is not None and case.main.sign_due is not None:
            return replace(
                command, due=calendar.add(case.main.sign_due, profile.limit("return_window", case))
            )
        case Verb.GRANT if case.deadline_at is not None and case.extensions:
            return replace(command, due=case.deadline_at + timedelta(days=case.extensions[-1].days))
        case _:
            return command


def _follow(case: Case, event: CaseEvent, profile: Profile) -> tuple[Command, ...]:
    """Return what follows an event of itself."""
    if event.verb is Verb.RATE:
        low = event.command.score <= LOW and case.rework_round < profile.caps.rework_rounds
        return (Command(Verb.REWORK, CLOCK, reason="评价不满意"),) if low else (Command(Verb.CLOSE, CLOCK),)
    if event.verb is Verb.URGE and len(case.urges) == URGES_TO_SUPERVISE and case.supervision < LOW:
        return (Command(Verb.SUPERVISE, CLOCK, reason="三次催办", score=2),)
    return ()


def _notices(case: Case, event: CaseEvent, profile: Profile, calendar: Calendar) -> tuple[Notice, ...]:
    if event.actor.role is Role.CITIZEN or not case.complainant.need_reply:
        return ()
    kinds = _TOLD.get((event.verb, event.after), _TOLD.get((event.verb, None), ()))
    if event.verb is Verb.REMIND and not event.command.flag:
        kinds = ()
    fields = _fields(case, event, profile, calendar) if kinds else {}
    return tuple(Notice(case.case_no, kind, event.seq, fields, case.secret) for kind in kinds)


_TOLD: dict[tuple[Verb, Stage | None], tuple[NoticeKind, ...]] = {
    (Verb.ACCEPT, None): (NoticeKind.ACCEPTED,),
    (Verb.ASK, None): (NoticeKind.NEED_INFO,),
    (Verb.ANSWER, None): (NoticeKind.ANSWERED,),
    (Verb.DIVERT, None): (NoticeKind.DIVERTED,),
    (Verb.REJECT, None): (NoticeKind.REJECTED,),
    (Verb.MERGE, None): (NoticeKind.MERGED,),
    (Verb.DISPATCH, None): (NoticeKind.DISPATCHED,),
    (Verb.DESIGNATE, None): (NoticeKind.DISPATCHED,),
    (Verb.GRANT, None): (NoticeKind.EXTENDED,),
    (Verb.REFUSE, None): (NoticeKind.EXTENSION_REFUSED,),
    (Verb.SUSPEND, None): (NoticeKind.SUSPENDED,),
    (Verb.FINISH, None): (NoticeKind.REPLIED, NoticeKind.RATE),
    (Verb.REMIND, None): (NoticeKind.OVERDUE,),
    (Verb.REWORK, None): (NoticeKind.REWORK,),
    (Verb.TERMINATE, None): (NoticeKind.TERMINATED,),
}
"""Which move is told by which notice; what the citizen did himself the bot has answered."""


def _fields(case: Case, event: CaseEvent, profile: Profile, calendar: Calendar) -> dict[str, str]:
    command = event.command
    fields = {
        "by": _day(_by(case, event, profile, calendar)),
        "unit": _unit(case),
        "reason": command.reason,
        "label": REJECT_LABELS.get(command.code, "不予受理"),
        "path": profile.paths(command.code)[0],
    }
    if case.secret or case.matter.kind is Kind.REPORT:
        # The notice tells where to read what it may not carry (domain.md 4.4).
        return fields
    return fields | {"text": command.text or (case.replies[-1].text if case.replies else "")}


def _by(case: Case, event: CaseEvent, profile: Profile, calendar: Calendar) -> datetime:
    at = event.at
    match event.verb:
        case Verb.ACCEPT:
            return calendar.add(at, profile.limit("sign", case))
        case Verb.ASK:
            return calendar.add(at, profile.limit("supplement", case))
        case Verb.REJECT:
            return at + timedelta(days=OBJECTION_DAYS)
        case Verb.FINISH:
            return calendar.add(at, profile.limit("rating", case))
        case Verb.SUSPEND:
            return event.command.due or at + timedelta(days=30)
        case _:
            return case.deadline_at or calendar.add(at, profile.limit("accept", case))


def _unit(case: Case) -> str:
    """Return the unit's name; a secret case's notices name none (domain.md 4.4)."""
    return "承办单位" if case.secret or case.main is None else case.main.unit_name


def _day(at: datetime) -> str:
    local = at.astimezone(ZONE)
    return f"{local.month}月{local.day}日"
