"""What people look through: received and outgoing messages, newest first, and who looked at them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, insert, select

from gateway.store.tables import ACCESS, CONVERSATION, INBOX, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row


def inbox(connection: Connection, limit: int, state: str = "") -> Sequence[Row[Any]]:
    """Return inbox rows with their body, newest first."""
    query = select(INBOX).order_by(INBOX.c.id.desc()).limit(limit)
    return connection.execute(query.where(INBOX.c.state == state) if state else query).all()


def message(connection: Connection, row_id: bytes) -> Row[Any] | None:
    """Return one inbox row."""
    return connection.execute(select(INBOX).where(INBOX.c.id == row_id)).first()


def outgoing(connection: Connection, limit: int, state: str = "") -> Sequence[Row[Any]]:
    """Return outgoing rows with the sealed address of their conversation, newest first."""
    query = _outgoing().order_by(OUTGOING.c.id.desc()).limit(limit)
    return connection.execute(query.where(OUTGOING.c.state == state) if state else query).all()


def looked(connection: Connection, *, row_id: bytes, at: int, actor: str, act: str, subject: str) -> None:
    """Note that somebody saw personal data whole."""
    connection.execute(insert(ACCESS).values(id=row_id, at=at, actor=actor, act=act, subject=subject))


def acts(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return who did what, newest first; an actor may be written as earlier versions wrote it."""
    return connection.execute(select(ACCESS).order_by(ACCESS.c.id.desc()).limit(limit)).all()


def _outgoing() -> Select[Any]:
    joined = OUTGOING.outerjoin(CONVERSATION, CONVERSATION.c.id == OUTGOING.c.conversation)
    return select(OUTGOING, CONVERSATION.c.address).select_from(joined)
