"""The figures of the supervisor's wall."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, case, func, select

from gateway.store.tables import AGENT, ALERT, CASES, CONVERSATION, DESK_TALK, PRESENCE, SERVICE_RATING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_C, _T, _A, _P = CONVERSATION.c, DESK_TALK.c, AGENT.c, PRESENCE.c


SATISFIED = 3
"""The lowest score that counts as satisfied (满意率, domain.md 5.2)."""


class Queue(NamedTuple):
    """Who waits for one skill: how many, and since when the longest."""

    skill: str
    waiting: int
    oldest_at: int | None
    urgent: int


class Seat(NamedTuple):
    """An agent: what he chose, until when a tab lives, his talks and their weight in fifths, those where one waits."""

    id: bytes
    name: str
    state: str
    capacity: int
    until: int
    talks: int
    load: int
    unanswered: int
    skills: str


class Clock(NamedTuple):
    """Cases by their time limit: late, and soon so; ``alerts`` nobody has acknowledged."""

    late: int
    soon: int
    alerts: int


def queues(connection: Connection) -> list[Queue]:
    """Return the queue by skill, who waits longest first."""
    oldest = func.min(_C.enqueued_at)
    urgent = func.sum(case((_C.urgent, 1), else_=0))
    query = select(_C.skill, func.count(), oldest, urgent).where(_C.owner == "queued").group_by(_C.skill)
    return [Queue(*row) for row in connection.execute(query.order_by(oldest))]


def owners(connection: Connection) -> dict[str, int]:
    """Return how many talks are in whose hands, those of the desk."""
    query = select(_C.owner, func.count()).select_from(DESK_TALK.join(CONVERSATION, _C.id == _T.conversation))
    held = query.where(_C.owner.in_(("queued", "offered", "agent", "wrap_up"))).group_by(_C.owner)
    return {row[0]: row[1] for row in connection.execute(held)}


def seats(connection: Connection, roles: Sequence[str]) -> list[Seat]:
    """Return the agents by name."""
    weighs = case((_T.held, 0), else_=_T.weight)
    held = (
        select(
            _T.agent,
            func.count().label("talks"),
            func.sum(weighs).label("load"),
            func.count(_T.waiting_since).label("unanswered"),
        )
        .where(_T.agent.is_not(None))
        .group_by(_T.agent)
        .subquery()
    )
    last = select(_P.agent, func.max(_P.until).label("until")).group_by(_P.agent).subquery()
    joined = AGENT.outerjoin(held, held.c.agent == _A.id).outerjoin(last, last.c.agent == _A.id)
    query = select(
        _A.id,
        _A.name,
        _A.state,
        _A.capacity,
        func.coalesce(last.c.until, 0),
        func.coalesce(held.c.talks, 0),
        func.coalesce(held.c.load, 0),
        func.coalesce(held.c.unanswered, 0),
        _A.skills,
    ).select_from(joined)
    here = and_(_A.role.in_(roles), ~_A.disabled)
    return [Seat(*row) for row in connection.execute(query.where(here).order_by(_A.name, _A.id))]


def clock(connection: Connection, stages: Sequence[str], now: int, soon: int) -> Clock:
    """Return how many open cases are late at ``now``, how many will be by ``soon``, and the alerts."""
    due = CASES.c.deadline_at
    late = func.sum(case((due < now, 1), else_=0))
    query = select(func.coalesce(late, 0), func.count()).where(
        due.is_not(None), due < soon, CASES.c.stage.in_(stages)
    )
    row = connection.execute(query).one()
    alerts = select(func.count()).select_from(ALERT).where(ALERT.c.acknowledged_at.is_(None))
    return Clock(row[0], row[1] - row[0], int(connection.execute(alerts).scalar_one()))


class Service(NamedTuple):
    """What citizens say of the services that ended since an instant: asked, answered, answered 3 or more."""

    asked: int
    rated: int
    satisfied: int


def service(connection: Connection, since: int) -> Service:
    """Return how satisfied those are who were asked since an instant; who said nothing is not counted as rated."""
    satisfied = func.coalesce(func.sum(case((SERVICE_RATING.c.score >= SATISFIED, 1), else_=0)), 0)
    query = select(func.count(), func.count(SERVICE_RATING.c.score), satisfied)
    return Service(*connection.execute(query.where(SERVICE_RATING.c.asked_at >= since)).one())


def near(
    connection: Connection, stages: Sequence[str], soon: int, limit: int
) -> list[tuple[str, bytes | None, int]]:
    """Return number, talk and time limit of the open cases that end before an instant, the latest first."""
    query = select(CASES.c.case_no, CASES.c.conversation, CASES.c.deadline_at).where(
        CASES.c.deadline_at.is_not(None), CASES.c.deadline_at < soon, CASES.c.stage.in_(stages)
    )
    rows = connection.execute(query.order_by(CASES.c.deadline_at).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows]
