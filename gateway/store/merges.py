"""What was joined to what, in SQL, and who belongs to whom: the bindings that citizens proved, and staff's own joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, or_, select, update

from gateway.store.tables import AGENT, BINDING, CONVERSATION, DESK_MERGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_M = DESK_MERGE.c


class Row(NamedTuple):
    """A row of ``desk_merge``."""

    id: bytes
    kind: str
    one: str
    into: str
    agent: bytes
    at: int
    undone_at: int | None


class TalkRow(NamedTuple):
    """A talk as a history shows it."""

    id: bytes
    account: str
    owner: str
    last_in_at: int


def add(connection: Connection, row: Row) -> None:
    """Note a merge."""
    connection.execute(insert(DESK_MERGE).values(row._asdict()))


def lock(connection: Connection, merge: bytes) -> Row | None:
    """Lock a merge and return it."""
    row = connection.execute(select(DESK_MERGE).where(_M.id == merge).with_for_update()).first()
    return Row(*row) if row else None


def undone(connection: Connection, merge: bytes, now: int) -> None:
    """Note that a locked merge was undone."""
    connection.execute(update(DESK_MERGE).where(_M.id == merge).values(undone_at=now))


def standing(connection: Connection, what: Sequence[str]) -> list[Row]:
    """Return the merges that stand of any of these, newest first."""
    query = select(DESK_MERGE).where(or_(_M.one.in_(what), _M.into.in_(what)), _M.undone_at.is_(None))
    return [Row(*row) for row in connection.execute(query.order_by(_M.at.desc(), _M.id.desc()))]


def bound(connection: Connection, conversation: bytes) -> list[bytes]:
    """Return the other conversations of the person of one, as they proved it."""
    me, others = BINDING.alias("me"), BINDING.alias("others")
    query = (
        select(others.c.conversation)
        .join(me, me.c.person == others.c.person)
        .where(me.c.conversation == conversation, others.c.conversation != conversation)
    )
    return list(connection.execute(query).scalars())


def talks(connection: Connection, conversations: Sequence[bytes]) -> list[TalkRow]:
    """Return talks, the latest first."""
    query = select(CONVERSATION.c.id, CONVERSATION.c.account, CONVERSATION.c.owner, CONVERSATION.c.last_in_at)
    found = query.where(CONVERSATION.c.id.in_(conversations)).order_by(CONVERSATION.c.last_in_at.desc())
    return [TalkRow(*row) for row in connection.execute(found)]


def names(connection: Connection, agents: Sequence[bytes]) -> dict[bytes, str]:
    """Return the names of the staff by id."""
    rows = connection.execute(select(AGENT.c.id, AGENT.c.name).where(AGENT.c.id.in_(agents)))
    return {row.id: row.name for row in rows}
