"""Files that people sent and that are still to be fetched: taken in hand, fetched, put off, or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, exists, literal_column, select, update

from gateway.store import media
from gateway.store.rows import WantedRow
from gateway.store.tables import MEDIA, WANTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

STILL, STORED, LOST = "wanted", "stored", "lost"
# Without a parameter: only so does SQLite know that the partial index will do.
_STILL = literal_column("'wanted'", Text)
_STORED = literal_column("'stored'", Text)


def claim(connection: Connection, now: int, until: int, limit: int) -> list[WantedRow]:
    """Take the files in hand that are due, until an instant (milliseconds), each by one process."""
    due = select(WANTED).where(WANTED.c.state == _STILL, WANTED.c.next_at <= now)
    due = due.order_by(WANTED.c.next_at).limit(limit).with_for_update(skip_locked=True)
    rows = [WantedRow(*row) for row in connection.execute(due)]
    if rows:
        change = update(WANTED).where(WANTED.c.ref.in_([row.ref for row in rows]))
        connection.execute(change.values(next_at=until, tries=WANTED.c.tries + 1))
    return rows


def put_off(connection: Connection, ref: str, next_at: int, reason: str) -> None:
    """Ask for a file again at an instant."""
    _settle(connection, ref, {"next_at": next_at, "reason": reason})


def stored(connection: Connection, row: WantedRow, key: str) -> None:
    """Note that a file is here, and make it the case's that names it."""
    held = select(WANTED.c.case_no).where(WANTED.c.ref == row.ref).with_for_update()
    case_no = connection.execute(held).scalar_one()
    _settle(connection, row.ref, {"state": STORED, "key": key, "reason": ""})
    if case_no:
        media.attach(connection, media.talk_owner(row.conversation), case_no, [key])


def lost(connection: Connection, ref: str, reason: str) -> bool:
    """Note that a file will not be had; False when it was settled before."""
    return _settle(connection, ref, {"state": LOST, "reason": reason})


def strays(connection: Connection, limit: int) -> int:
    """Give files to their cases that came in the very moment in which the case was opened; return how many."""
    named = exists().where(MEDIA.c.owner == WANTED.c.case_no, MEDIA.c.key == WANTED.c.key)
    query = select(WANTED.c.conversation, WANTED.c.case_no, WANTED.c.key)
    query = query.where(WANTED.c.state == STORED, WANTED.c.case_no != "", ~named).limit(limit)
    rows = connection.execute(query).all()
    return sum(media.attach(connection, media.talk_owner(row[0]), row[1], [row[2]]) for row in rows)


def of(connection: Connection, refs: Sequence[str]) -> dict[str, WantedRow]:
    """Return the rows of references."""
    query = select(WANTED).where(WANTED.c.ref.in_(refs))
    return {row.ref: WantedRow(*row) for row in connection.execute(query)}


def missing(connection: Connection, case_no: str) -> list[WantedRow]:
    """Return the files of a case that are not here, oldest first."""
    query = select(WANTED).where(WANTED.c.case_no == case_no, WANTED.c.state != _STORED)
    return [WantedRow(*row) for row in connection.execute(query.order_by(WANTED.c.created_at, WANTED.c.ref))]


def _settle(connection: Connection, ref: str, values: dict[str, Any]) -> bool:
    change = update(WANTED).where(WANTED.c.ref == ref, WANTED.c.state == STILL)
    return connection.execute(change.values(values)).rowcount == 1
