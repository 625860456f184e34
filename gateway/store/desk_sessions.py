"""Who is logged in at the desk, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from gateway.store.desk_tables import AGENT, DESK_SESSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_S = DESK_SESSION.c


def begin(
    connection: Connection, session: bytes, agent: bytes, *, version: int, now: int, idle: int, longest: int
) -> None:
    """Write a session down, and clear those away that have ended."""
    ended = or_(_S.used_at <= now - idle, _S.began_at <= now - longest)
    connection.execute(delete(DESK_SESSION).where(ended))
    values = {"id": session, "agent": agent, "version": version, "began_at": now, "used_at": now}
    connection.execute(insert(DESK_SESSION).values(values))


def find(
    connection: Connection, session: bytes, *, now: int, idle: int, longest: int
) -> tuple[dict[str, Any], int] | None:
    """Return the account of a session that holds, and when it was last used; None for one that does not."""
    holds = (
        _S.id == session,
        _S.used_at > now - idle,
        _S.began_at > now - longest,
        _S.version == AGENT.c.session_version,
        ~AGENT.c.disabled,
    )
    joined = DESK_SESSION.join(AGENT, AGENT.c.id == _S.agent)
    row = connection.execute(select(AGENT, _S.used_at).select_from(joined).where(*holds)).mappings().first()
    return None if row is None else ({**row}, row["used_at"])


def used(connection: Connection, session: bytes, now: int) -> None:
    """Note that a person did something in a session."""
    connection.execute(update(DESK_SESSION).where(_S.id == session, _S.used_at < now).values(used_at=now))


def end(connection: Connection, session: bytes) -> None:
    """End a session."""
    connection.execute(delete(DESK_SESSION).where(_S.id == session))
