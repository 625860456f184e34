"""The accounts of the staff, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from gateway.store.desk_tables import AGENT

if TYPE_CHECKING:
    from sqlalchemy import Connection


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Write a new account down; the database refuses a login that exists."""
    connection.execute(insert(AGENT).values(row))


def by_login(connection: Connection, login: str) -> dict[str, Any] | None:
    """Lock an account by its login and return it."""
    row = connection.execute(select(AGENT).where(AGENT.c.login == login).with_for_update()).mappings().first()
    return None if row is None else {**row}


def named(connection: Connection, login: str) -> dict[str, Any] | None:
    """Return an account by its login without locking it."""
    row = connection.execute(select(AGENT).where(AGENT.c.login == login)).mappings().first()
    return None if row is None else {**row}


def by_subject(connection: Connection, subject: bytes) -> bytes | None:
    """Return the id of the account that is bound to somebody the provider of single sign-on knows."""
    found: bytes | None = connection.execute(select(AGENT.c.id).where(AGENT.c.subject == subject)).scalar()
    return found


def by_id(connection: Connection, agent: bytes) -> dict[str, Any] | None:
    """Return an account by its id."""
    row = connection.execute(select(AGENT).where(AGENT.c.id == agent)).mappings().first()
    return None if row is None else {**row}


def change(connection: Connection, agent: bytes, **values: Any) -> None:
    """Change an account."""
    connection.execute(update(AGENT).where(AGENT.c.id == agent).values(values))


def enrol(connection: Connection, agent: bytes, totp: bytes, step: int) -> bool:
    """Switch a second factor on; return whether there was none."""
    none = (AGENT.c.id == agent, AGENT.c.totp.is_(None))
    done = connection.execute(update(AGENT).where(*none).values(totp=totp, totp_step=step))
    return done.rowcount == 1


def rotate(connection: Connection, agent: bytes, **values: Any) -> None:
    """Change an account and end its sessions."""
    change(connection, agent, session_version=AGENT.c.session_version + 1, **values)


def all_of(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return the accounts by login."""
    rows = connection.execute(select(AGENT).order_by(AGENT.c.login).limit(limit)).mappings()
    return [{**row} for row in rows]
