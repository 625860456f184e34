"""The replies and macros that a hotline has made its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from gateway.store.work_tables import CANNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


def put(connection: Connection, bodies: Mapping[str, str], now: int) -> None:
    """Write replies in place of those with the same ids."""
    connection.execute(delete(CANNED).where(CANNED.c.id.in_(bodies)))
    rows = [{"id": key, "at": now, "body": body} for key, body in bodies.items()]
    if rows:
        connection.execute(insert(CANNED), rows)


def everything(connection: Connection) -> dict[str, str]:
    """Return all of them, by id."""
    query = select(CANNED.c.id, CANNED.c.body).order_by(CANNED.c.id)
    return {row.id: row.body for row in connection.execute(query)}
