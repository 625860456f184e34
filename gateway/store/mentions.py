"""Who was called in a note of the desk, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, select, update

from gateway.store.desk_tables import AGENT, DESK_MENTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_M = DESK_MENTION.c


class Row(NamedTuple):
    """A row of ``desk_mention``."""

    id: bytes
    at: int
    conversation: bytes
    agent: bytes
    actor: bytes


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Write down who was called."""
    if rows:
        connection.execute(insert(DESK_MENTION), [row._asdict() for row in rows])


def unseen(connection: Connection, agent: bytes, limit: int) -> Sequence[Any]:
    """Return where somebody was called and has not looked, newest first, with the name of who called (``by``)."""
    query = _named().where(_M.agent == agent, _M.seen_at.is_(None)).order_by(_M.id.desc())
    return connection.execute(query.limit(limit)).all()


def get(connection: Connection, mention: bytes) -> Any:
    """Return one, with the name of who called (``by``)."""
    return connection.execute(_named().where(_M.id == mention)).one()


def see(connection: Connection, mention: bytes, agent: bytes, now: int) -> bytes | None:
    """Note that whoever was called has seen it and return the talk; None for what is not his or was seen before."""
    his = (_M.id == mention, _M.agent == agent, _M.seen_at.is_(None))
    seen = update(DESK_MENTION).where(*his).values(seen_at=now).returning(_M.conversation)
    return connection.execute(seen).scalar()


def _named() -> Any:
    joined = DESK_MENTION.join(AGENT, AGENT.c.id == _M.actor)
    return select(DESK_MENTION, AGENT.c.name.label("by")).select_from(joined)
