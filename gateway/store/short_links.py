"""What short links lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select

from gateway.store import kept
from gateway.store.tables import SHORT_LINK

if TYPE_CHECKING:
    from sqlalchemy import Connection

_L = SHORT_LINK.c


class Target(NamedTuple):
    """A copy of an owner's file, until an instant (milliseconds)."""

    owner: str
    key: str
    variant: str
    until: int


def add(connection: Connection, target: Target, now: int) -> int:
    """Keep a target, forget those whose time is over, and return the new one's number."""
    connection.execute(delete(SHORT_LINK).where(_L.until < now))
    number = kept.add(connection, "short_link", 1)
    connection.execute(insert(SHORT_LINK).values(number=number, **target._asdict()))
    return number


def find(connection: Connection, number: int) -> Target | None:
    """Return the target of a number."""
    query = select(_L.owner, _L.key, _L.variant, _L.until).where(_L.number == number)
    found = connection.execute(query).first()
    return Target(*found) if found else None
