"""Cases and their logs off the hot path: read by people and by the clock, written one move at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.rows import CaseRow, Conflict, EventRow, Rows
from gateway.store.tables import ALERT, BINDING, CASE_EVENT, CASES, CONVERSATION, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def get(connection: Connection, case_no: str) -> CaseRow | None:
    """Return a case's row."""
    row = connection.execute(select(CASES).where(CASES.c.case_no == case_no)).first()
    return CaseRow(*row) if row else None


def newest(connection: Connection, limit: int, stage: str = "") -> list[CaseRow]:
    """Return the newest cases, of one stage if one is named."""
    query = select(CASES).order_by(CASES.c.created_at.desc(), CASES.c.case_no.desc()).limit(limit)
    if stage:
        query = query.where(CASES.c.stage == stage)
    return [CaseRow(*row) for row in connection.execute(query)]


def page(connection: Connection, before: str, limit: int = 500) -> list[CaseRow]:
    """Return cases in descending order of their numbers, those before a number (empty: the last)."""
    query = select(CASES).order_by(CASES.c.case_no.desc()).limit(limit)
    found = connection.execute(query.where(CASES.c.case_no < before) if before else query)
    return [CaseRow(*row) for row in found]


def own(connection: Connection, conversation: bytes, limit: int) -> list[CaseRow]:
    """Return the newest cases of a conversation and of all others of the same person."""
    me, others = BINDING.alias("me"), BINDING.alias("others")
    bound = (
        select(others.c.conversation)
        .join(me, me.c.person == others.c.person)
        .where(me.c.conversation == conversation)
    )
    query = select(CASES).where((CASES.c.conversation == conversation) | CASES.c.conversation.in_(bound))
    query = query.order_by(CASES.c.created_at.desc(), CASES.c.case_no.desc()).limit(limit)
    return [CaseRow(*row) for row in connection.execute(query)]


def of_conversation(connection: Connection, conversation: bytes) -> list[CaseRow]:
    """Return the cases of one conversation alone, newest first."""
    query = select(CASES).where(CASES.c.conversation == conversation).order_by(CASES.c.created_at.desc())
    return [CaseRow(*row) for row in connection.execute(query)]


def belong(connection: Connection, case_no: str, conversation: bytes) -> None:
    """Make a case another conversation's."""
    connection.execute(update(CASES).where(CASES.c.case_no == case_no).values(conversation=conversation))


def events(connection: Connection, case_no: str) -> list[EventRow]:
    """Return the log of a case, oldest first."""
    query = select(CASE_EVENT).where(CASE_EVENT.c.case_no == case_no).order_by(CASE_EVENT.c.seq)
    return [EventRow(*row) for row in connection.execute(query)]


def due(connection: Connection, now: int, limit: int) -> list[CaseRow]:
    """Return cases that supervision shall look at by ``now`` (milliseconds), the longest due first."""
    query = select(CASES).where(CASES.c.check_at <= now).order_by(CASES.c.check_at).limit(limit)
    return [CaseRow(*row) for row in connection.execute(query)]


def person(connection: Connection, conversation: bytes) -> Any:
    """Return (account, sealed address) of a conversation."""
    query = select(CONVERSATION.c.account, CONVERSATION.c.address).where(CONVERSATION.c.id == conversation)
    return connection.execute(query).first()


def save(connection: Connection, rows: Rows) -> None:
    """Write new cases and moves with what is owed for them; raises Conflict when a case moved meanwhile."""
    for table, made in ((CASES, rows.cases), (ALERT, rows.alerts)):
        if made:
            connection.execute(insert(table), [row._asdict() for row in made])
    for seen, row in rows.changes:
        change = update(CASES).where(CASES.c.case_no == row.case_no, CASES.c.rev == seen)
        if connection.execute(change.values(row._asdict())).rowcount != 1:
            raise Conflict(row.case_no)
    if rows.events:
        connection.execute(insert(CASE_EVENT), [event._asdict() for event in rows.events])
    if rows.outgoing:
        _promise(connection, rows)


def check_again(connection: Connection, case_no: str, at: int | None) -> None:
    """Note when supervision shall look at a case that did not move."""
    connection.execute(update(CASES).where(CASES.c.case_no == case_no).values(check_at=at))


def chain_of(connection: Connection) -> Sequence[Any]:
    """Return (case number, head, rev) of every case, for the audit."""
    return connection.execute(
        select(CASES.c.case_no, CASES.c.head, CASES.c.rev).order_by(CASES.c.case_no)
    ).all()


def _promise(connection: Connection, rows: Rows) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(OUTGOING).on_conflict_do_nothing(
        index_elements=[OUTGOING.c.notice_key], index_where=OUTGOING.c.notice_key.is_not(None)
    )
    connection.execute(statement, [row._asdict() for row in rows.outgoing])
