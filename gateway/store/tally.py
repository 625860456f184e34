"""How often something was done in a span of time, whichever process saw it; spans that are over are cleared away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import TALLY

if TYPE_CHECKING:
    from sqlalchemy import Connection


def count(connection: Connection, subject: bytes, *, span: int, now: int) -> int:
    """Count once more and return how often it was within the span (milliseconds) that began with the first."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(delete(TALLY).where(TALLY.c.until <= now))
    statement = insert(TALLY).values(subject=subject, until=now + span, count=1)
    statement = statement.on_conflict_do_update(
        index_elements=[TALLY.c.subject], set_={"count": TALLY.c.count + 1}
    )
    value: int = connection.execute(statement.returning(TALLY.c.count)).scalar_one()
    return value
