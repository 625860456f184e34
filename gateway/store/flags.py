"""Marks on cases for who reviews them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import CASE_FLAG

if TYPE_CHECKING:
    from sqlalchemy import Connection


def add(connection: Connection, case_no: str, kind: str, label: str, at: int) -> None:
    """Mark a case; the same mark twice is one."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"case_no": case_no, "kind": kind, "label": label, "at": at}
    connection.execute(insert(CASE_FLAG).values(row).on_conflict_do_nothing())


def of(connection: Connection, case_no: str) -> list[str]:
    """Return a case's marks, oldest first."""
    query = select(CASE_FLAG.c.kind, CASE_FLAG.c.label).where(CASE_FLAG.c.case_no == case_no)
    rows = connection.execute(query.order_by(CASE_FLAG.c.at))
    return [f"{kind} {label}".strip() for kind, label in rows]
