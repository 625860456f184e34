"""Drafts of agents, one for each agent and talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.work_tables import DESK_DRAFT

if TYPE_CHECKING:
    from sqlalchemy import Connection

_D = DESK_DRAFT.c


def keep(connection: Connection, conversation: bytes, agent: bytes, body: bytes, now: int) -> None:
    """Keep an agent's draft in place of the one before."""
    made = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = made(DESK_DRAFT).values(conversation=conversation, agent=agent, at=now, body=body)
    changed = {"at": now, "body": body}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[_D.conversation, _D.agent], set_=changed)
    )


def drop(connection: Connection, conversation: bytes, agent: bytes) -> None:
    """Forget an agent's draft."""
    connection.execute(delete(DESK_DRAFT).where(_D.conversation == conversation, _D.agent == agent))


def find(connection: Connection, conversation: bytes, agent: bytes) -> bytes | None:
    """Return an agent's draft in a talk (sealed)."""
    query = select(_D.body).where(_D.conversation == conversation, _D.agent == agent)
    body: bytes | None = connection.execute(query).scalar()
    return body


def of(connection: Connection, agent: bytes) -> frozenset[bytes]:
    """Return the talks in which an agent has a draft."""
    return frozenset(connection.execute(select(_D.conversation).where(_D.agent == agent)).scalars())


def forget(connection: Connection, before: int) -> int:
    """Forget drafts that nobody has touched since an instant; return how many."""
    return connection.execute(delete(DESK_DRAFT).where(_D.at < before)).rowcount
