"""What people want done with their data: kept until a person has settled it (PIPL 45-47)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from gateway.store import erased
from gateway.store.tables import BINDING, DATA_REQUEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

OPEN, DONE, REFUSED = "open", "done", "refused"
ERASE = "delete"
"""The kind of a wish to have everything deleted."""


def add(
    connection: Connection, *, row_id: bytes, at: int, conversation: bytes, kind: str, body: bytes
) -> None:
    """Keep a wish; ``body`` is sealed."""
    row = {"id": row_id, "at": at, "conversation": conversation, "kind": kind, "state": OPEN, "body": body}
    connection.execute(insert(DATA_REQUEST).values(row))


def of(connection: Connection, conversation: bytes, limit: int) -> Sequence[Row[Any]]:
    """Return the wishes of a conversation and of all others of the same person, newest first."""
    me, others = BINDING.alias("me"), BINDING.alias("others")
    bound = (
        select(others.c.conversation)
        .join(me, me.c.person == others.c.person)
        .where(me.c.conversation == conversation)
    )
    mine = (DATA_REQUEST.c.conversation == conversation) | DATA_REQUEST.c.conversation.in_(bound)
    query = select(DATA_REQUEST).where(mine).order_by(DATA_REQUEST.c.id.desc()).limit(limit)
    return connection.execute(query).all()


def newest(connection: Connection, limit: int, state: str = "") -> Sequence[Row[Any]]:
    """Return the newest wishes, of one state if one is named."""
    query = select(DATA_REQUEST).order_by(DATA_REQUEST.c.id.desc()).limit(limit)
    return connection.execute(query.where(DATA_REQUEST.c.state == state) if state else query).all()


def settle(connection: Connection, row_id: bytes, state: str, at: int) -> bool:
    """Note how an open wish was settled, and return whether there was one; a wish to erase is carried out with it."""
    here = (DATA_REQUEST.c.id == row_id) & (DATA_REQUEST.c.state == OPEN)
    wish = connection.execute(select(DATA_REQUEST).where(here).with_for_update()).first()
    if wish is None:
        return False
    connection.execute(update(DATA_REQUEST).where(here).values(state=state, settled_at=at))
    if wish.kind == ERASE and state == DONE:
        erased.erase(connection, wish.conversation, at)
    return True
