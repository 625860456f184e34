"""Parts of long messages until all are there (sms-email.md 1.1: they may come over different connections)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import LONG_PART

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

KEPT_MS = 24 * 3_600_000
"""How long finished parts are remembered, so that one brought again starts nothing."""


def keep(connection: Connection, row: dict[str, Any]) -> Sequence[Any]:
    """Write a part down and return the open parts (external_id, body) of its message, oldest first."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(LONG_PART).values(row).on_conflict_do_nothing())
    return _open(connection, row["message"])


def done(connection: Connection, message: bytes, now: int) -> None:
    """Note that a message was accepted, and forget those finished long ago."""
    connection.execute(update(LONG_PART).where(LONG_PART.c.message == message).values(done=True))
    old = (LONG_PART.c.done, LONG_PART.c.received_at < now - KEPT_MS)
    connection.execute(delete(LONG_PART).where(*old))


def overdue(connection: Connection, account: str, before: int) -> list[Sequence[Any]]:
    """Return the open parts of each message whose last part came before an instant (milliseconds)."""
    silent = (
        select(LONG_PART.c.message)
        .where(LONG_PART.c.account == account, ~LONG_PART.c.done)
        .group_by(LONG_PART.c.message)
        .having(func.max(LONG_PART.c.received_at) < before)
    )
    return [_open(connection, message) for message in connection.execute(silent).scalars().all()]


def _open(connection: Connection, message: bytes) -> Sequence[Any]:
    query = select(LONG_PART.c.external_id, LONG_PART.c.body).where(
        LONG_PART.c.message == message, ~LONG_PART.c.done
    )
    return connection.execute(query.order_by(LONG_PART.c.received_at, LONG_PART.c.external_id)).all()
