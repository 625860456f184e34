"""What was submitted already, so that nothing is opened twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.rows import Conflict
from gateway.store.tables import SUBMISSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY_MS = 86_400_000
"""How long a submission is known again."""


def find(connection: Connection, key: bytes, since: int) -> bytes | None:
    """Return what was answered to a submission since an instant (milliseconds), None for a new one."""
    query = select(SUBMISSION.c.body).where(SUBMISSION.c.key == key, SUBMISSION.c.at >= since)
    body: bytes | None = connection.execute(query).scalar()
    return body


def keep(connection: Connection, key: bytes, body: bytes, at: int, since: int) -> None:
    """Keep the answer to a submission and forget those of yesterday; raises Conflict when another was faster.

    The same submission from before ``since`` (milliseconds) is forgotten too: it is a new one now.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    stale = (SUBMISSION.c.at < at - DAY_MS) | ((SUBMISSION.c.key == key) & (SUBMISSION.c.at < since))
    connection.execute(delete(SUBMISSION).where(stale))
    statement = insert(SUBMISSION).values(key=key, at=at, body=body).on_conflict_do_nothing()
    if connection.execute(statement).rowcount != 1:
        raise Conflict("submitted meanwhile")
