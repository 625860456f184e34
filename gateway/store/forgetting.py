"""A pass through what may be over, table by table in the order of their keys, a portion at a time (domain.md 1.10).

A walk needs no index of its own: it looks at so many rows after the last one, and what is held is passed by until the
next pass.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import LargeBinary, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import ERASED, FORGETTING, INBOX
from gateway.store.walks import among

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from gateway.store.holds import Limits
    from gateway.store.walks import Key, Walk

LOOKED_AT = 2_000
"""Rows that are looked at in one go."""
_NAME = "all"


class Mark(NamedTuple):
    """How far the pass is: a row of ``forgetting``; ``after`` is empty at the beginning of a walk."""

    walk: str
    after: bytes
    began_at: int
    through: int
    ended_at: int | None
    gone: int


class Portion(NamedTuple):
    """What was found in one go: the rows to forget, the key up to which it looked, whether the walk ends there."""

    keys: Sequence[Key]
    upto: bytes
    last: bool


def mark(connection: Connection, *, lock: bool = False) -> Mark | None:
    """Return how far the pass is, locked if so wished; None before the first."""
    query = select(*(FORGETTING.c[name] for name in Mark._fields)).where(FORGETTING.c.name == _NAME)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return Mark(*row) if row else None


def set_mark(connection: Connection, at: Mark) -> None:
    """Note how far the pass is."""
    made: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = made(FORGETTING).values(name=_NAME, **at._asdict())
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=at._asdict()))


def wished_since(connection: Connection, instant: int) -> bool:
    """Return whether somebody had all deleted since an instant."""
    return connection.execute(select(ERASED.c.at).where(ERASED.c.at >= instant).limit(1)).first() is not None


def anything_before(instant: int) -> Callable[[Connection], bool]:
    """Return the question whether anybody wrote before an instant."""
    oldest = select(INBOX.c.received_at).order_by(INBOX.c.id).limit(1)
    return lambda connection: (connection.execute(oldest).scalar() or instant) < instant


def portion(connection: Connection, walk: Walk, after: bytes, limits: Limits, through: int) -> Portion:
    """Look at the rows after a key; a walk in order of time ends where all came at ``through`` or later."""
    columns = (*walk.key, walk.at) if walk.at is not None else walk.key
    beyond, looked_at = _beyond(walk, after), LOOKED_AT * walk.times
    rows = connection.execute(select(*columns).where(*beyond).order_by(*walk.key).limit(looked_at)).all()
    if not rows:
        return Portion((), after, last=True)
    upto = tuple(rows[-1][: len(walk.key)])
    if walk.at is not None and all(row[-1] >= through for row in rows):
        return Portion((), after, last=True)
    query = select(*walk.key).where(*beyond, tuple_(*walk.key) <= tuple_(*upto), walk.due(limits))
    keys = [tuple(row) for row in connection.execute(query.order_by(*walk.key).limit(walk.most))]
    if len(keys) == walk.most:
        return Portion(keys, _written(keys[-1]), last=False)
    return Portion(keys, _written(upto), last=len(rows) < looked_at)


def let_go(connection: Connection, walk: Walk, keys: Sequence[Key], limits: Limits) -> int:
    """Forget those of some rows that are still due, locked in the order of their keys; return how many."""
    if not keys:
        return 0
    query = select(*walk.key).where(among(walk.key, keys), walk.due(limits)).order_by(*walk.key)
    found = connection.execute(query.with_for_update(of=walk.key[0].table))
    still = [tuple(row) for row in found]
    if still:
        walk.forget(connection, still, limits)
    return len(still)


def _beyond(walk: Walk, after: bytes) -> tuple[ColumnElement[bool], ...]:
    if not after:
        return ()
    key = [
        bytes.fromhex(part) if isinstance(column.type, LargeBinary) else part
        for column, part in zip(walk.key, json.loads(after), strict=True)
    ]
    return (tuple_(*walk.key) > tuple_(*key),)


def _written(key: Key) -> bytes:
    return json.dumps([part.hex() if isinstance(part, bytes) else part for part in key]).encode()
