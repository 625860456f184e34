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
    sid: bytes | None,
    now: int,
    idle: int,
    longest: int,
) -> None:
    """Write a session down, and clear those away that have ended; ``hint`` where the login was by single sign-on."""
    ended = or_(_S.used_at <= now - idle, _S.began_at <= now - longest)
    connection.execute(delete(DESK_SESSION).where(ended))
    connection.execute(
        insert(DESK_SESSION).values(
            id=session, agent=agent, version=version, began_at=now, used_at=now, hint=hint, sid=sid
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


def end_all(connection: Connection, subject: bytes | None, sid: bytes | None) -> list[str]:
    """End the sessions that a provider names, and return whose they were (logins).

    ``sid`` are those of one session there, of one account where ``subject`` names it; a session of that account which
    came with no ``sid`` is ended too, for it may be the one. Without ``sid`` all of the account's that began there.
    """
    mine = [_S.hint.is_not(None), AGENT.c.id == _S.agent]
    if subject is not None:
        mine.append(AGENT.c.subject == subject)
    if sid is not None:
        mine.append(or_(_S.sid == sid, _S.sid.is_(None)) if subject is not None else _S.sid == sid)
    found = connection.execute(select(_S.id, AGENT.c.login).where(*mine)).all()
    connection.execute(delete(DESK_SESSION).where(_S.id.in_([row.id for row in found])))
    return sorted({row.login for row in found})
