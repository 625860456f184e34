"""What must hold before a case may move: each guard returns None, or the code of what forbids it (domain.md 3.2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from normalizer.case import OPEN, Case, Command, Pause, Role, Stage
from normalizer.codes import REJECT_LABELS, RETURN_LABELS, Kind
from normalizer.evolve import evolve
from normalizer.text import han_count

MIN_HAN = 8
"""Chinese characters a matter needs to be a matter (domain.md 2.1, "Mandatory")."""
OBJECTION_DAYS = 15
REOPEN_DAYS = 15
LAPSE_DAYS = 30
URGE_GAP = timedelta(hours=24)
MAX_RETURNS = 2
MAX_PAUSES = 2
MAX_EXTENSIONS = 2


def complete(case: Case, command: Command, now: datetime) -> str | None:
    """A way to reach the citizen, a kind, and words enough (Beijing 10, Weifang 11)."""
    person, matter = case.complainant, case.matter
    if not (person.phone or person.openid or person.email or person.anonymous):
        return "contact_missing"
    if matter.kind is Kind.OTHER:
        return "kind_missing"
    return None if han_count(matter.content) >= MIN_HAN else "content_too_short"


def reasoned(case: Case, command: Command, now: datetime) -> str | None:
    """A reason is told."""
    return None if command.reason else "reason_missing"


def worded(case: Case, command: Command, now: datetime) -> str | None:
    """There are words to say."""
    return None if command.text else "text_missing"


def bot_only_whitelisted(case: Case, command: Command, now: datetime) -> str | None:
    """The bot may only where the city has listed the category."""
    return "not_whitelisted" if command.actor.role is Role.BOT and not command.flag else None


def reject_coded(case: Case, command: Command, now: datetime) -> str | None:
    """A code of the list; after an objection another person decides."""
    if command.code not in REJECT_LABELS:
        return "code_missing"
    return "same_reviewer" if case.rejected_by and case.rejected_by == command.actor.id else None


def objection_open(case: Case, command: Command, now: datetime) -> str | None:
    """Within 15 days of the refusal."""
    return _within(case, now, OBJECTION_DAYS, "objection_late")


def reopen_open(case: Case, command: Command, now: datetime) -> str | None:
    """Within 15 days of closing."""
    return _within(case, now, REOPEN_DAYS, "reopen_late")


def lapsed(case: Case, command: Command, now: datetime) -> str | None:
    """Ended only for want of information, within 30 days."""
    return _within(case, now, LAPSE_DAYS, "ended") if case.reject_code == "R15" else "ended"


def has_target(case: Case, command: Command, now: datetime) -> str | None:
    """Another case is named."""
    return None if command.target and command.target != case.case_no else "target_missing"


def fit_unit(case: Case, command: Command, now: datetime) -> str | None:
    """A unit with a deadline ahead, and not the one complained about (Jinan 32)."""
    if not command.unit or command.due is None or command.due <= now:
        return "unit_or_deadline_missing"
    reflected = case.matter.reflect_name
    if reflected and (
        reflected in command.unit_name or (command.unit_name and command.unit_name in reflected)
    ):
        return "conflict_of_interest"
    return None


def amended(case: Case, command: Command, now: datetime) -> str | None:
    """A whole form that could be submitted so, with the citizen's own words left as they were."""
    person, matter = command.complainant, command.matter
    if person is None or matter is None or matter.original != case.matter.original:
        return "form_missing"
    reflected, names = matter.reflect_name, [a.unit_name for a in case.assignments if a.open]
    if reflected and any(name and (reflected in name or name in reflected) for name in names):
        return "conflict_of_interest"
    return complete(evolve(case, complainant=person, matter=matter), command, now)


def own_case(case: Case, command: Command, now: datetime) -> str | None:
    """The main unit itself."""
    return None if case.main and case.main.unit == command.actor.unit else "not_your_case"


def overdue(case: Case, command: Command, now: datetime) -> str | None:
    """The time to sign has passed, or (with the flag) the time to answer; each is said once."""
    main = case.main
    if main is None:
        return "not_overdue"
    due, told = (case.deadline_at, case.overdue_told) if command.flag else (main.sign_due, main.reminded)
    return None if due is not None and now > due and not told else "not_overdue"


def may_return(case: Case, command: Command, now: datetime) -> str | None:
    """Reason with basis, in time, at most twice, never after a designation (Weifang 22)."""
    main = case.main
    if main is None or main.forbid_return:
        return "return_forbidden"
    if main.return_count >= MAX_RETURNS or len(case.returns) >= MAX_RETURNS:
        return "returned_before"
    if command.code not in RETURN_LABELS or not command.reason:
        return "basis_missing"
    if command.code == "T1" and not command.target:
        return "unit_suggestion_missing"
    return "return_late" if command.due is not None and now > command.due else None


def may_extend(case: Case, command: Command, now: datetime) -> str | None:
    """Before expiry, with reason and days, the citizen contacted, not too often."""
    if case.deadline_at is None or now >= case.deadline_at:
        return "already_due"
    if case.ext_pending or sum(1 for e in case.extensions if e.granted) >= MAX_EXTENSIONS:
        return "extended_enough"
    if not command.reason or command.days <= 0:
        return "reason_missing"
    return None if command.flag else "citizen_not_contacted"


def extension_asked(case: Case, command: Command, now: datetime) -> str | None:
    """There is a request to decide."""
    return None if case.ext_pending else "nothing_asked"


def later_deadline(case: Case, command: Command, now: datetime) -> str | None:
    """The new deadline is later than the old one."""
    later = command.due is not None and case.deadline_at is not None and command.due > case.deadline_at
    return None if later else "deadline_missing"


def may_pause(case: Case, command: Command, now: datetime) -> str | None:
    """The clock stands still at most twice (domain.md 8)."""
    return "paused_enough" if len(case.pauses) >= MAX_PAUSES else None


def answered_well(case: Case, command: Command, now: datetime) -> str | None:
    """The reply says whether it is solved, and why not if not."""
    if command.code not in {"已解决", "部分解决", "未解决"}:
        return "solved_missing"
    return "reason_missing" if command.code != "已解决" and not command.reason else None


def rates_once(case: Case, command: Command, now: datetime) -> str | None:
    """Five levels, one per case and round."""
    if not 1 <= command.score <= 5:
        return "score_missing"
    return "rated_before" if any(r.round == case.rework_round for r in case.ratings) else None


def may_withdraw(case: Case, command: Command, now: datetime) -> str | None:
    """A report that is being checked is not the citizen's alone."""
    checked = case.matter.kind is Kind.REPORT and case.stage not in {
        Stage.SUBMITTED,
        Stage.NEED_INFO,
        Stage.ACCEPTED,
    }
    return "report_under_check" if checked and command.actor.role is Role.CITIZEN else None


def may_urge(case: Case, command: Command, now: datetime) -> str | None:
    """A day after the last time, or when it is overdue."""
    overdue = case.deadline_at is not None and now > case.deadline_at
    return None if overdue or not case.urges or now - case.urges[-1] >= URGE_GAP else "urged_lately"


def raises_level(case: Case, command: Command, now: datetime) -> str | None:
    """Supervision only ever rises."""
    return None if case.supervision < command.score <= 5 else "level_not_higher"


def shifted(case: Case, now: datetime) -> tuple[tuple[Pause, ...], timedelta]:
    """Return the pauses with the open one ended, and how long it lasted."""
    if not case.pauses or case.pauses[-1].until is not None:
        return case.pauses, timedelta(0)
    last = case.pauses[-1]
    return (*case.pauses[:-1], Pause(last.since, now)), now - last.since


def still_open(case: Case) -> bool:
    """Return whether the hotline still owes something."""
    return case.stage in OPEN


def _within(case: Case, now: datetime, days: int, late: str) -> str | None:
    ended = case.ended_at
    return None if ended is not None and now - ended <= timedelta(days=days) else late
