"""Facts about this installation, and counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import COUNTER, KEPT

if TYPE_CHECKING:
    from sqlalchemy import Connection


def keep(connection: Connection, name: str, value: str) -> str:
    """Return the value kept under a name; the first to come sets it."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(KEPT).values(name=name, value=value).on_conflict_do_nothing())
    found: str = connection.execute(select(KEPT.c.value).where(KEPT.c.name == name)).scalar_one()
    return found


def value(connection: Connection, name: str) -> str | None:
    """Return the value kept under a name, None where there is none."""
    return connection.execute(select(KEPT.c.value).where(KEPT.c.name == name)).scalar()


def put(connection: Connection, name: str, value: str) -> None:
    """Keep a value under a name in place of any other."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(KEPT).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=[KEPT.c.name], set_={"value": value}))


def add(connection: Connection, name: str, count: int) -> int:
    """Add to a counter and return its new value."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(COUNTER).values(name=name, value=count)
    statement = statement.on_conflict_do_update(
        index_elements=[COUNTER.c.name], set_={"value": COUNTER.c.value + count}
    )
    value: int = connection.execute(statement.returning(COUNTER.c.value)).scalar_one()
    return value
