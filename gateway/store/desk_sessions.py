"""Who is logged in at the desk, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from gateway.store.desk_tables import AGENT, DESK_SESSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_S = DESK_SESSION.c


def begin(
    connection: Connection,
    session: bytes,
    agent: bytes,
    *,
    version: int,
    hint: bytes | None,
    now: int,
    idle: int,
    longest: int,
) -> None:
    """Write a session down, and clear those away that have ended; ``hint`` where the login was by single sign-on."""
    ended = or_(_S.used_at <= now - idle, _S.began_at <= now - longest)
    connection.execute(delete(DESK_SESSION).where(ended))
    connection.execute(
        insert(DESK_SESSION).values(
            id=session, agent=agent, version=version, began_at=now, used_at=now, hint=hint
        )
    )


def find(
    connection: Connection, session: bytes, *, now: int, idle: int, longest: int
) -> tuple[dict[str, Any], int, bool] | None:
    """Return the account of a session that holds, when it was last used, and whether single sign-on began it."""
    holds = (
        _S.id == session,
        _S.used_at > now - idle,
        _S.began_at > now - longest,
        _S.version == AGENT.c.session_version,
        ~AGENT.c.disabled,
    )
    joined = DESK_SESSION.join(AGENT, AGENT.c.id == _S.agent)
    told = select(AGENT, _S.used_at, _S.hint.is_not(None).label("vouched")).select_from(joined)
    row = connection.execute(told.where(*holds)).mappings().first()
    return None if row is None else ({**row}, row["used_at"], bool(row["vouched"]))


def hint(connection: Connection, session: bytes) -> bytes | None:
    """Return the sealed ID token of a session, None where a password began it."""
    found: bytes | None = connection.execute(select(_S.hint).where(_S.id == session)).scalar()
    return found


def used(connection: Connection, session: bytes, now: int) -> None:
    """Note that a person did something in a session."""
    connection.execute(update(DESK_SESSION).where(_S.id == session, _S.used_at < now).values(used_at=now))


def end(connection: Connection, session: bytes) -> None:
    """End a session."""
    connection.execute(delete(DESK_SESSION).where(_S.id == session))
