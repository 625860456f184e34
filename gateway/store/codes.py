"""Codes that are tried: after as many wrong ones as a subject may, it is locked for an hour (domain.md 2.3).

A try is counted before it is looked at, in the same commit, so that a hundred at once are not looked at together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import CODE_TRY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

T = TypeVar("T")

TRIES = 5
ADDRESS_TRIES = 30
"""Many people share an address; few of them mistype in one hour."""
HOUR_MS = 3_600_000


def locked(connection: Connection, subjects: Sequence[bytes], now: int) -> bool:
    """Return whether any of the subjects is locked."""
    query = select(func.max(CODE_TRY.c.locked_until)).where(CODE_TRY.c.subject.in_(subjects))
    return (connection.execute(query).scalar() or 0) > now


def attempt(
    connection: Connection, subjects: Mapping[bytes, int], now: int, look: Callable[[], T | None]
) -> tuple[bool, T | None]:
    """Return (whether it is locked, what ``look`` found); None counts against the subjects, each with its tries."""
    over = (CODE_TRY.c.since <= now - HOUR_MS) & (CODE_TRY.c.locked_until <= now)
    connection.execute(delete(CODE_TRY).where(over))
    # One order for all, so that two attempts never wait for one another.
    for subject in sorted(subjects):
        _count(connection, subject, now)
    if locked(connection, tuple(subjects), now):
        return True, None
    found = look()
    for subject, tries in subjects.items():
        if found is not None:
            _forgive(connection, subject)
        else:
            _lock(connection, subject, tries, now)
    return False, found


def _count(connection: Connection, subject: bytes, now: int) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(CODE_TRY).values(subject=subject, count=1, since=now, locked_until=0)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[CODE_TRY.c.subject], set_={"count": CODE_TRY.c.count + 1}
        )
    )


def _forgive(connection: Connection, subject: bytes) -> None:
    here = CODE_TRY.c.subject == subject
    connection.execute(update(CODE_TRY).where(here).values(count=CODE_TRY.c.count - 1))
    connection.execute(delete(CODE_TRY).where(here, CODE_TRY.c.count <= 0))


def _lock(connection: Connection, subject: bytes, tries: int, now: int) -> None:
    full = (CODE_TRY.c.subject == subject) & (CODE_TRY.c.count >= tries)
    connection.execute(update(CODE_TRY).where(full).values(locked_until=now + HOUR_MS, since=now, count=0))
