"""Who follows whose case, and who of them must still be told how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.rows import CaseRow
from gateway.store.tables import BINDING, CASES, CONVERSATION, FOLLOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection


class Follower(NamedTuple):
    """A follower who must be told: his conversation, its account, and the case."""

    conversation: bytes
    account: str
    case: CaseRow


def add(connection: Connection, case_no: str, conversation: bytes, at: int) -> None:
    """Follow a case; twice is once."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"case_no": case_no, "conversation": conversation, "at": at, "told": False}
    connection.execute(dialect.insert(FOLLOW).values(row).on_conflict_do_nothing())


def remove(connection: Connection, case_no: str, conversation: bytes) -> None:
    """Follow a case no more, whichever of one's conversations followed it."""
    connection.execute(delete(FOLLOW).where(FOLLOW.c.case_no == case_no, _mine(conversation)))


def move(connection: Connection, before: bytes, after: bytes) -> None:
    """Let another conversation follow what one followed."""
    rows = connection.execute(select(FOLLOW).where(FOLLOW.c.conversation == before)).all()
    for row in rows:
        add(connection, row.case_no, after, row.at)
    connection.execute(delete(FOLLOW).where(FOLLOW.c.conversation == before))


def followed(connection: Connection, conversation: bytes, limit: int) -> list[CaseRow]:
    """Return the cases that somebody follows, by whichever of his conversations, the last followed first."""
    query = select(CASES).join(FOLLOW, FOLLOW.c.case_no == CASES.c.case_no)
    query = query.where(_mine(conversation)).order_by(FOLLOW.c.at.desc())
    return [CaseRow(*row) for row in connection.execute(query.limit(limit))]


def count(connection: Connection, case_no: str) -> int:
    """Return how many follow a case."""
    query = select(func.count()).select_from(FOLLOW).where(FOLLOW.c.case_no == case_no)
    return connection.execute(query).scalar_one()


def untold(connection: Connection, stages: Iterable[str], limit: int) -> list[Follower]:
    """Return followers of cases in some stages who were not told of it."""
    query = (
        select(FOLLOW.c.conversation, CONVERSATION.c.account, CASES)
        .join(CASES, CASES.c.case_no == FOLLOW.c.case_no)
        .join(CONVERSATION, CONVERSATION.c.id == FOLLOW.c.conversation)
        .where(~FOLLOW.c.told, CASES.c.stage.in_(tuple(stages)))
        .limit(limit)
    )
    return [Follower(row[0], row[1], CaseRow(*row[2:])) for row in connection.execute(query)]


def told(connection: Connection, case_no: str, conversation: bytes) -> bool:
    """Note that a follower is told, and return whether it was not noted before."""
    here = (FOLLOW.c.case_no == case_no) & (FOLLOW.c.conversation == conversation) & ~FOLLOW.c.told
    return connection.execute(update(FOLLOW).where(here).values(told=True)).rowcount == 1


def _mine(conversation: bytes) -> ColumnElement[bool]:
    me, others = BINDING.alias("me"), BINDING.alias("others")
    bound = (
        select(others.c.conversation)
        .join(me, me.c.person == others.c.person)
        .where(me.c.conversation == conversation)
    )
    return (FOLLOW.c.conversation == conversation) | FOLLOW.c.conversation.in_(bound)
