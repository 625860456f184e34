"""What is remembered of the sessions of pages; ended ones are cleared away as new ones are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import BINDING, WEB_SESSION

if TYPE_CHECKING:
    from sqlalchemy import Connection


def find(connection: Connection, session: bytes) -> bytes | None:
    """Return what is remembered of a session."""
    body: bytes | None = connection.execute(
        select(WEB_SESSION.c.body).where(WEB_SESSION.c.id == session)
    ).scalar()
    return body


def keep(connection: Connection, session: bytes, *, until: int, body: bytes, now: int) -> None:
    """Remember a session until an instant (milliseconds)."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(delete(WEB_SESSION).where(WEB_SESSION.c.until <= now))
    statement = insert(WEB_SESSION).values(id=session, until=until, body=body)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[WEB_SESSION.c.id], set_={"body": body, "until": until}
        )
    )


def clear(connection: Connection, session: bytes) -> None:
    """Remember nothing of a session any more; whose it is stays."""
    connection.execute(delete(WEB_SESSION).where(WEB_SESSION.c.id == session))


def forget(connection: Connection, session: bytes) -> None:
    """Forget a session, and that it was anybody's: who has its cookie still sees nothing of his."""
    connection.execute(delete(BINDING).where(BINDING.c.conversation == session))
    clear(connection, session)
