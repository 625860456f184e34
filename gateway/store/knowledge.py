"""Entries of the knowledge base as rows, their versions, what citizens found helpful, and what nobody could answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import kept
from gateway.store.rows import GapRow, VoteRow
from gateway.store.tables import COUNTER, KNOWLEDGE, KNOWLEDGE_GAP, KNOWLEDGE_LOG, KNOWLEDGE_VOTE

if TYPE_CHECKING:
    from sqlalchemy import Connection

EDITION = "knowledge"
"""The counter that grows with every change of an entry."""


class EntryRow(NamedTuple):
    """A row of ``knowledge``: what is asked for in SQL, and the whole entry as JSON."""

    id: str
    status: str
    category: str
    version: int
    updated_at: int
    body: str


def edition(connection: Connection) -> int:
    """Return the number that is another one after every change; one look-up by key."""
    found: int | None = connection.execute(
        select(COUNTER.c.value).where(COUNTER.c.name == EDITION)
    ).scalar_one_or_none()
    return found or 0


def every(connection: Connection, status: str = "") -> Sequence[EntryRow]:
    """Return all entries in the order of their ids, or those of one status."""
    query = select(KNOWLEDGE).order_by(KNOWLEDGE.c.id)
    query = query.where(KNOWLEDGE.c.status == status) if status else query
    return [EntryRow(*row) for row in connection.execute(query)]


Decide = Callable[[Sequence[EntryRow]], Sequence[EntryRow]]
"""From the entries as they stand to those that shall be written."""


def change(connection: Connection, decide: Decide, at: int, actor: str) -> tuple[int, int]:
    """Write what shall be written, log each version, and return how many entries are new and how many changed."""
    before = every(connection)
    rows, known = decide(before), {row.id for row in before}
    if not rows:
        return 0, 0
    logged = [{"id": r.id, "version": r.version, "at": at, "actor": actor, "body": r.body} for r in rows]
    for row in rows:
        connection.execute(delete(KNOWLEDGE).where(KNOWLEDGE.c.id == row.id))
    connection.execute(insert(KNOWLEDGE), [row._asdict() for row in rows])
    connection.execute(insert(KNOWLEDGE_LOG), logged)
    kept.add(connection, EDITION, 1)
    changed = sum(row.id in known for row in rows)
    return len(rows) - changed, changed


def log(connection: Connection, entry: str) -> Sequence[tuple[int, int, str, str]]:
    """Return (version, at, actor, body) of an entry's versions, oldest first."""
    columns = (KNOWLEDGE_LOG.c.version, KNOWLEDGE_LOG.c.at, KNOWLEDGE_LOG.c.actor, KNOWLEDGE_LOG.c.body)
    query = select(*columns).where(KNOWLEDGE_LOG.c.id == entry).order_by(KNOWLEDGE_LOG.c.version)
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def vote(connection: Connection, entry: str, *, helpful: bool) -> None:
    """Count one vote on an entry."""
    insert_ = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"entry": entry, "helpful": int(helpful), "unhelpful": int(not helpful)}
    counted = {name: KNOWLEDGE_VOTE.c[name] + row[name] for name in ("helpful", "unhelpful")}
    statement = insert_(KNOWLEDGE_VOTE).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=[KNOWLEDGE_VOTE.c.entry], set_=counted))


def votes(connection: Connection) -> dict[str, VoteRow]:
    """Return the votes of every entry that has some."""
    columns = (KNOWLEDGE_VOTE.c.entry, KNOWLEDGE_VOTE.c.helpful, KNOWLEDGE_VOTE.c.unhelpful)
    return {row[0]: VoteRow(*row) for row in connection.execute(select(*columns))}


def gaps(connection: Connection, limit: int) -> Sequence[GapRow]:
    """Return the questions that were not answered, the most frequent first."""
    query = select(KNOWLEDGE_GAP).order_by(KNOWLEDGE_GAP.c.asked.desc(), KNOWLEDGE_GAP.c.last_at.desc())
    return [GapRow(*row) for row in connection.execute(query.limit(limit))]
