"""Wrong query codes: five in an hour, by case or by sender, lock for an hour (domain.md 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import CODE_TRY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

TRIES = 5
HOUR_MS = 3_600_000


def locked(connection: Connection, subjects: Sequence[bytes], now: int) -> bool:
    """Return whether any of the subjects is locked."""
    query = select(func.max(CODE_TRY.c.locked_until)).where(CODE_TRY.c.subject.in_(subjects))
    return (connection.execute(query).scalar() or 0) > now


def wrong(connection: Connection, subjects: Sequence[bytes], now: int) -> None:
    """Count a wrong try against every subject."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        delete(CODE_TRY).where(CODE_TRY.c.since <= now - HOUR_MS, CODE_TRY.c.locked_until <= now)
    )
    for subject in subjects:
        statement = insert(CODE_TRY).values(subject=subject, count=1, since=now, locked_until=0)
        statement = statement.on_conflict_do_update(
            index_elements=[CODE_TRY.c.subject], set_={"count": CODE_TRY.c.count + 1}
        )
        count = connection.execute(statement.returning(CODE_TRY.c.count)).scalar_one()
        if count >= TRIES:
            lock = CODE_TRY.update().where(CODE_TRY.c.subject == subject)
            connection.execute(lock.values(locked_until=now + HOUR_MS, since=now, count=0))
