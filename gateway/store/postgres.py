"""The shared store: PostgreSQL through asyncpg, for many processes.

A batch is BEGIN, the conversations' rows locked in id order, a look for repeats, all writes in one statement,
COMMIT, on a connection of its own. Everything else runs on SQLAlchemy's pool.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import asyncpg
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store.desk import EVENT_LOCK
from gateway.store.rows import CaseRow, Conflict, ConversationRow, Known, Rows
from gateway.store.statements import ADD_GAPS, ADD_VOTES, ADD_WAIT, DESK_EVENT_COLUMNS, HEARD
from gateway.store.tables import (
    ALERT,
    BINDING,
    CASE_EVENT,
    CASES,
    CONVERSATION,
    DESK_EVENT,
    INBOX,
    KNOWLEDGE_GAP,
    KNOWLEDGE_VOTE,
    OUTGOING,
    WANTED,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from sqlalchemy import Connection, Table

T = TypeVar("T")

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_TIMEOUT = 30.0

_LOCK = "SELECT * FROM conversation WHERE id = ANY($1::bytea[]) ORDER BY id FOR UPDATE"
_KNOWN = (
    "SELECT i.conversation, i.external_id, i.id, i.state, i.reply, o.state, o.route, o.attempts, o.body"
    " FROM unnest($1::bytea[], $2::text[]) AS k(conversation, external_id)"
    " JOIN inbox i ON i.conversation = k.conversation AND i.external_id = k.external_id"
    " LEFT JOIN outgoing o ON o.id = i.reply"
)
_OWN = (
    "SELECT k.id AS asked, c.* FROM unnest($1::bytea[]) AS k(id) CROSS JOIN LATERAL"
    " (SELECT * FROM cases WHERE conversation = ANY(ARRAY(SELECT k.id UNION SELECT b.conversation FROM binding me"
    " JOIN binding b ON b.person = me.person WHERE me.conversation = k.id))"
    " ORDER BY created_at DESC, case_no DESC LIMIT $2) AS c"
)
_AHEAD = (
    "SELECT k.id, (SELECT count(*) FROM conversation WHERE owner = 'queued' AND enqueued_at < coalesce("
    "(SELECT enqueued_at FROM conversation WHERE id = k.id AND owner = 'queued'), 9223372036854775807))"
    " FROM unnest($1::bytea[]) AS k(id)"
)
_CASES = "SELECT * FROM cases WHERE case_no = ANY($1::text[]) ORDER BY case_no FOR UPDATE"


class PostgresStore:
    """The store on PostgreSQL. Made by ``open`` from a ``postgresql://`` address."""

    dialect = "postgresql"
    batches = 2

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=5,
            pool_pre_ping=True,
        )
        self._idle: list[asyncpg.Connection] = []

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect."""
        store = cls(url)
        store._idle.append(await store._connected())
        return store

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._idle:
            await connection.close(timeout=_TIMEOUT)
        await self._engine.dispose()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of reading."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work and commit it; an exception rolls it back."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[PostgresBatch]:
        """Begin one batch of the pipeline, on a connection that no other batch uses meanwhile."""
        connection = await self._connected()
        try:
            async with self._transaction(connection):
                yield PostgresBatch(self, connection)
        finally:
            self._idle.append(connection)

    @asynccontextmanager
    async def _transaction(self, connection: asyncpg.Connection) -> AsyncIterator[None]:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            await transaction.rollback()
            raise Conflict(str(error)) from error
        except BaseException:
            if not connection.is_closed():
                await transaction.rollback()
            raise
        await transaction.commit()

    async def _connected(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await asyncpg.connect(self._url, timeout=_TIMEOUT, command_timeout=_TIMEOUT)


class PostgresBatch:
    """One batch: read under locks, turn, write in one statement."""

    def __init__(self, store: PostgresStore, connection: asyncpg.Connection) -> None:
        self._store = store
        self._connection = connection

    async def load(
        self,
        ids: Sequence[bytes],
        keys: Sequence[tuple[bytes, str]],
    ) -> tuple[dict[bytes, ConversationRow], dict[tuple[bytes, str], Known]]:
        """Lock and return the conversations that exist, and the messages among ``keys`` seen before."""
        rows = await self._connection.fetch(_LOCK, ids)
        conversations = {row[0]: ConversationRow(*row) for row in rows}
        if not keys:
            return conversations, {}
        # After the lock, so that what another process committed meanwhile is seen.
        seen = await self._connection.fetch(_KNOWN, [key[0] for key in keys], [key[1] for key in keys])
        return conversations, {(row[0], row[1]): Known(*tuple(row)[2:]) for row in seen}

    async def own(self, ids: Sequence[bytes], limit: int) -> dict[bytes, list[CaseRow]]:
        """Return the newest cases of each conversation."""
        found: dict[bytes, list[CaseRow]] = {i: [] for i in ids}
        for row in await self._connection.fetch(_OWN, ids, limit):
            asked, *columns = row
            found[asked].append(CaseRow(*columns))
        return found

    async def cases(self, numbers: Sequence[str]) -> dict[str, CaseRow]:
        """Lock and return the cases with these numbers that exist."""
        return {row[0]: CaseRow(*row) for row in await self._connection.fetch(_CASES, numbers)}

    async def ahead(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return for each conversation how many stand in the handoff queue before it (all, if it is not in it)."""
        return {row[0]: row[1] for row in await self._connection.fetch(_AHEAD, ids)}

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run a small unit of work of its own before the batch is written."""
        return await self._store.write(work)

    async def write(self, rows: Rows) -> frozenset[bytes]:
        """Write everything in one statement and return the claims that were won; raises Conflict."""
        statement = _Statement()
        statement.add_inserts(rows)
        statement.add_files(rows)
        statement.add_desk(rows)
        statement.add_updates(rows)
        if not statement.parts:
            return frozenset()
        if rows.desk:
            # A statement of its own: the next one then sees every event that has its id.
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", EVENT_LOCK)
        record = await self._connection.fetchrow(statement.text(), *statement.values)
        changed = (record["conversation"], record["cases"])
        if changed != (len(rows.conversations), len(rows.settled())):
            raise Conflict("a row changed between reading and writing")
        return frozenset(record["claims"] or ())


class _Statement:
    """One CTE that writes every table of a batch; its text depends only on which tables take part."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[list[Any]] = []
        self.counts = {"conversation": "0", "cases": "0", "claims": "NULL::bytea[]"}

    def add_inserts(self, rows: Rows) -> None:
        tables: tuple[tuple[Table, Sequence[tuple[Any, ...]]], ...] = (
            (INBOX, rows.inbox),
            (CONVERSATION, rows.new_conversations),
            (OUTGOING, rows.outgoing),
            (CASES, rows.cases),
            (CASE_EVENT, rows.events),
            (ALERT, rows.alerts),
        )
        for table, values in tables:
            if values:
                tail = (
                    " ON CONFLICT (notice_key) WHERE notice_key IS NOT NULL DO NOTHING"
                    if table is OUTGOING
                    else ""
                )
                source = self._unnest(_types(table), values)
                self.parts.append(
                    f"i_{table.name} AS (INSERT INTO {table.name} SELECT * FROM {source}{tail})"
                )

        if rows.names:
            # Of one name twice in a batch the last stands: one statement may touch a row once.
            values = list({(row.account, row.name): row for row in rows.names}.values())
            source = self._unnest(("text", "text", "text", "bigint"), values)
            self.parts.append(
                f"i_names AS (INSERT INTO sent_as (account, name, case_no, at) SELECT * FROM {source}"
                " ON CONFLICT (account, name) DO UPDATE SET case_no = excluded.case_no)"
            )
        if rows.bindings:
            bound = list({row.conversation: row for row in rows.bindings}.values())
            source = self._unnest(_types(BINDING), bound)
            self.parts.append(
                f"i_bindings AS (INSERT INTO binding SELECT * FROM {source} ON CONFLICT (conversation)"
                " DO UPDATE SET person = excluded.person, at = excluded.at)"
            )
        if rows.votes:
            source = self._unnest(_types(KNOWLEDGE_VOTE), rows.voted())
            self.parts.append(f"i_votes AS (INSERT INTO knowledge_vote SELECT * FROM {source}{ADD_VOTES})")
        if rows.gaps:
            source = self._unnest(_types(KNOWLEDGE_GAP), rows.missed())
            self.parts.append(f"i_gaps AS (INSERT INTO knowledge_gap SELECT * FROM {source}{ADD_GAPS})")
        if rows.spent:
            source = self._unnest(("bytea",), [(code,) for code in rows.spent])
            self.parts.append(f"spent AS (DELETE FROM bind_code WHERE code IN (SELECT * FROM {source}))")

    def add_desk(self, rows: Rows) -> None:
        """Add what the desk is to know: who waits, who was heard, what is thought of it, and what happened."""
        if rows.waits:
            source = self._unnest(("bytea", "bigint", "smallint", "bigint"), rows.waits)
            self.parts.append(
                "i_waits AS (INSERT INTO desk_talk (conversation, rank, weight, waiting_since, held, clock)"
                f" SELECT u.*, false, '' FROM {source} AS u{ADD_WAIT})"
            )
        if rows.heard:
            source = self._unnest(("bytea", "bigint", "bigint"), rows.heard)
            self.parts.append(
                f"heard AS (UPDATE desk_talk SET {HEARD.format('u.at', 'u.due')}"
                f" FROM {source} AS u(id, at, due) WHERE conversation = u.id)"
            )
        if rows.rated:
            source = self._unnest(("smallint", "bigint", "bytea", "bigint"), rows.rated)
            self.parts.append(
                f"rated AS (UPDATE service_rating t SET score = u.score, rated_at = u.at FROM {source}"
                " AS u(score, at, id, began)"
                " WHERE t.conversation = u.id AND t.began_at = u.began AND t.score IS NULL)"
            )
        if rows.desk:
            source = self._unnest(_types(DESK_EVENT)[1:], rows.desk)
            self.parts.append(
                f"i_desk AS (INSERT INTO desk_event (id, {DESK_EVENT_COLUMNS})"
                " SELECT (SELECT coalesce(max(id), 0) FROM desk_event) + row_number() OVER (), u.*"
                f" FROM {source} AS u)"
            )

    def add_files(self, rows: Rows) -> None:
        """Add the files that are wanted, and those that become a case's."""
        if rows.wanted:
            # The same file sent twice in a batch is wanted once: one statement may touch a row once.
            values = list({row.ref: row for row in rows.wanted}.values())
            source = self._unnest(_types(WANTED), values)
            self.parts.append(
                f"i_wanted AS (INSERT INTO wanted SELECT * FROM {source} ON CONFLICT (ref) DO NOTHING)"
            )
        if rows.filed:
            filed = list({(row.owner, row.blob): row for row in rows.filed}.values())
            source = self._unnest(("text", "text", "text"), filed)
            self.parts.append(f"filed AS (SELECT * FROM {source} AS u(case_no, owner, blob))")
            self.parts.append(
                "f_wanted AS (UPDATE wanted t SET case_no = u.case_no FROM filed u WHERE t.ref = u.blob)"
            )
            self.parts.append(
                "f_media AS (UPDATE media t SET owner = u.case_no, expires_at = NULL FROM filed u"
                " LEFT JOIN wanted w ON w.ref = u.blob WHERE t.owner = u.owner"
                " AND t.key = coalesce(nullif(w.key, ''), u.blob) AND NOT EXISTS"
                " (SELECT 1 FROM media x WHERE x.owner = u.case_no AND x.key = t.key))"
            )

    def add_updates(self, rows: Rows) -> None:
        if rows.conversations:
            self._replace(CONVERSATION, "t.id = u.id AND t.version = u.version - 1", rows.conversations)
        if rows.changes:
            values = [(*change.row, change.seen) for change in rows.settled()]
            self._replace(CASES, "t.case_no = u.case_no AND t.rev = u.seen", values, seen="int")
        if rows.turned:
            source = self._unnest(("text", "text", "bytea", "text", "bytea"), rows.turned)
            self.parts.append(
                "turned AS (UPDATE inbox t SET state = u.state, error = u.error, reply = u.reply,"
                f" case_no = u.case_no FROM {source} AS u(state, error, reply, case_no, id) WHERE t.id = u.id)",
            )
        self._mark("written", rows.written, "state = 'sent', route = 'passive', sent_at = u.at", "<> 'sent'")
        self._mark("released", rows.released, "state = 'queued', next_at = u.at", "= 'passive'")
        self._mark(
            "claims", rows.claims, "state = 'passive', route = 'passive', lease_until = u.at", "= 'queued'"
        )
        if rows.claims:
            self.counts["claims"] = "(SELECT array_agg(id) FROM claims)"

    def text(self) -> str:
        counted = ", ".join(f"{value} AS {name}" for name, value in self.counts.items())
        return f"WITH {', '.join(self.parts)} SELECT {counted}"

    def _mark(self, name: str, values: Sequence[tuple[bytes, int]], change: str, state: str) -> None:
        if values:
            source = self._unnest(("bytea", "bigint"), values)
            self.parts.append(
                f"{name} AS (UPDATE outgoing t SET {change} FROM {source} AS u(id, at)"
                f" WHERE t.id = u.id AND t.state {state} RETURNING t.id)",
            )

    def _replace(self, table: Table, where: str, values: Sequence[tuple[Any, ...]], **extra: str) -> None:
        columns = [column.name for column in table.columns]
        change = ", ".join(f"{column} = u.{column}" for column in columns if not table.c[column].primary_key)
        source = self._unnest((*_types(table), *extra.values()), values)
        self.parts.append(
            f"new_{table.name} AS (UPDATE {table.name} t SET {change}"
            f" FROM {source} AS u({', '.join([*columns, *extra])}) WHERE {where} RETURNING 1)",
        )
        self.counts[table.name] = f"(SELECT count(*) FROM new_{table.name})"

    def _unnest(self, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
        first = len(self.values) + 1
        self.values.extend(list(column) for column in zip(*rows, strict=True))
        return f"unnest({', '.join(f'${first + n}::{name}[]' for n, name in enumerate(types))})"


def _types(table: Table) -> tuple[str, ...]:
    return tuple(
        column.type.compile(_DIALECT).lower().replace("bytea(16)", "bytea") for column in table.columns
    )
