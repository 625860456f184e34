"""What is over, and what holds it all the same (domain.md 1.10): conditions in SQL, the same for age and for erasure.

A line of a talk is over when it is older than the talks' span or when its writer had all deleted since. It is held as
long as a case that it led to stands, and while the hotline has something to decide about the talk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, exists, or_, select

from gateway.store.restrictions import appeal_waits
from gateway.store.tables import BINDING, CASE_EVENT, CASES, CONVERSATION, DATA_REQUEST, ERASED, RESTRICTION
from normalizer.case import ENDED, Stage

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

NEAR_MS = 30 * 24 * 3_600_000
"""How long before a case was opened, and after its last event, what was said belongs to it."""
FREE = ("bot", "closed")
"""Owners of talks that no person has in hand."""
EVIDENCE = 4
"""The step of the ladder against abuse that keeps what was said as evidence (domain.md 1.11)."""
_STAGES = tuple(sorted(ENDED))
_R = RESTRICTION.c


class Limits(NamedTuple):
    """Instants in milliseconds: now, and before which talks, files and records of ended cases, and logs are over."""

    now: int
    talks: int
    media: int
    records: int
    logs: int


def ended_before(instant: int) -> ColumnElement[bool]:
    """Return the condition that a case ended, and that its last event was before an instant."""
    return and_(CASES.c.stage.in_(_STAGES), _last() < instant)


def stands(limits: Limits) -> ColumnElement[bool]:
    """Return the condition that a case is open, or that its record's time is not over."""
    return ~ended_before(limits.records)


def over(conversation: Any, at: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that what was said at an instant is over, by age or because its writer had all deleted."""
    erased = exists().where(ERASED.c.conversation == conversation, ERASED.c.at >= at)
    return or_(at < limits.talks, erased)


def held(conversation: Any, at: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that what was said at an instant is kept: by a case that it led to, or by a decision to come."""
    return or_(by_case(conversation, at, limits), busy(conversation, limits))


def by_case(conversation: Any, at: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that what was said at an instant led to a case that stands, or was said while it moved."""
    since = and_(CASES.c.conversation == conversation, CASES.c.created_at <= at + NEAR_MS)
    late = and_(_last() >= limits.records, _last() >= at - NEAR_MS)
    return exists().where(since, or_(CASES.c.stage.not_in(_STAGES), late))


def by_number(case_no: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that the case that a row names stands."""
    return and_(case_no != "", exists().where(CASES.c.case_no == case_no, stands(limits)))


def by_any_case(conversation: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that a case of a talk, or of another talk of its person, stands."""
    me, others = BINDING.alias("me"), BINDING.alias("others")
    bound = (
        exists()
        .where(me.c.conversation == conversation, others.c.person == me.c.person)
        .where(CASES.c.conversation == others.c.conversation, stands(limits))
    )
    return or_(exists().where(CASES.c.conversation == conversation, stands(limits)), bound)


def busy(conversation: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that a person has a talk in hand, or must decide on a restriction, an appeal or a wish."""
    waits = or_(_R.until > limits.now, appeal_waits())
    decided = or_(
        _R.state == "proposed",
        and_(_R.state == "active", waits),
        and_(_R.level == EVIDENCE, _R.state != "refused"),
    )
    step = exists().where(_R.conversation == conversation, _R.at >= limits.records, decided)
    wish = exists().where(DATA_REQUEST.c.conversation == conversation, DATA_REQUEST.c.state == "open")
    talk = CONVERSATION.alias("talk").c
    person = exists().where(talk.id == conversation, talk.owner.not_in(FREE))
    return or_(step, wish, person)


def _last() -> ColumnElement[int]:
    """Return when a case moved last; that it was archived prolongs nothing."""
    here, archived = CASE_EVENT.c.case_no == CASES.c.case_no, CASE_EVENT.c.after == Stage.ARCHIVED
    moved = select(CASE_EVENT.c.at).where(here, ~archived)
    return moved.order_by(CASE_EVENT.c.seq.desc()).limit(1).correlate(CASES).scalar_subquery()
