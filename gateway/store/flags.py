"""Marks on cases for who reviews them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import CASE_FLAG, LOOK

if TYPE_CHECKING:
    from sqlalchemy import Connection

WELL = "pass"
"""The word of a provider that objects to nothing."""
FORGOTTEN_MS = 24 * 3_600_000
"""When a look is given up whose provider says nothing, or whose case was never noted."""


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


def asked(connection: Connection, account: str, name: str, case_no: str, at: int) -> None:
    """Note the case whose file a provider looks at under a name; its word may have come already."""
    connection.execute(delete(LOOK).where(LOOK.c.at < at - FORGOTTEN_MS))
    _put(connection, account, name, at, {"case_no": case_no})


def told(connection: Connection, account: str, name: str, word: tuple[str, str], at: int) -> None:
    """Take a provider's word (advice, label) on what it looked at under a name; the case may not be noted yet."""
    _put(connection, account, name, at, {"advice": word[0], "label": word[1]})


def _put(connection: Connection, account: str, name: str, at: int, known: dict[str, str]) -> None:
    """Note what is known of a look; once both sides are, mark the case where there is something, and forget the look."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"account": account, "name": name, "at": at, "case_no": "", "advice": "", "label": ""}
    change = insert(LOOK).values(row | known)
    whole = change.on_conflict_do_update(index_elements=["account", "name"], set_=known)
    found = connection.execute(whole.returning(LOOK.c.case_no, LOOK.c.advice, LOOK.c.label)).one()
    if not found.case_no or not found.advice:
        return
    if found.advice != WELL:
        add(connection, found.case_no, f"{account} {found.advice}", found.label, at)
    connection.execute(delete(LOOK).where(LOOK.c.account == account, LOOK.c.name == name))
