"""The shared store: PostgreSQL through asyncpg, for many processes.

A batch is one statement that writes everything, on a connection of its own. What must be read or locked first makes
it a transaction: BEGIN, the conversations' rows locked in id order, a look for repeats, the statement, COMMIT.
Everything else runs on SQLAlchemy's pool.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import asyncpg
from asyncpg.transaction import Transaction
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store.desk import EVENT_LOCK
from gateway.store.rows import CaseRow, Conflict, ConversationRow, Known, Rows, TalkRow
from gateway.store.statements import ADD_GAPS, ADD_VOTES, ADD_WAIT, DESK_EVENT_COLUMNS, HEARD, REPLY_COLUMNS
from gateway.store.tables import (
    ALERT,
    BINDING,
    CASE_EVENT,
    CASES,
    CONVERSATION,
    DATA_REQUEST,
    DESK_EVENT,
    INBOX,
    KNOWLEDGE_GAP,
    KNOWLEDGE_VOTE,
    OUTGOING,
    WANTED,
)
from outbox.tables import FLIGHT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from sqlalchemy import Connection, Table

T = TypeVar("T")

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_TIMEOUT = 30.0

_LOCK = "SELECT * FROM conversation WHERE id = ANY($1::bytea[]) ORDER BY id FOR UPDATE"
_LOCK_ONLY = "SELECT FROM conversation WHERE id = ANY($1::bytea[]) ORDER BY id FOR UPDATE"
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
        batch = PostgresBatch(self, connection)
        try:
            try:
                yield batch
            except Conflict:
                await batch.end(Transaction.rollback)
                raise
            except _OVERTAKEN as error:
                await batch.end(Transaction.rollback)
                raise Conflict(str(error)) from error
            await batch.end(Transaction.commit)
        except Conflict:
            self._idle.append(connection)
            raise
        except BaseException:
            # Whatever state it is in, no other batch may find itself inside a transaction that nobody will commit.
            connection.terminate()
            raise
        self._idle.append(connection)

    async def _connected(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await asyncpg.connect(self._url, timeout=_TIMEOUT, command_timeout=_TIMEOUT)


_OVERTAKEN = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    # What a batch's statement divides by when a row changed between reading and writing.
    asyncpg.DivisionByZeroError,
)


class PostgresBatch:
    """One batch: read under locks, turn, write in one statement.

    That statement is a transaction by itself; one is begun only for what must be read or locked before.
    """

    def __init__(self, store: PostgresStore, connection: asyncpg.Connection) -> None:
        self._store = store
        self._connection = connection
        self._transaction: Transaction | None = None

    async def end(self, how: Callable[[Transaction], Awaitable[None]]) -> None:
        """Commit the transaction or roll it back, where one was begun."""
        if self._transaction is not None:
            await how(self._transaction)

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        """Read in the batch's transaction."""
        if self._transaction is None:
            self._transaction = self._connection.transaction()
            await self._transaction.start()
        found: list[asyncpg.Record] = await self._connection.fetch(query, *values)
        return found

    async def load(
        self,
        ids: Sequence[bytes],
        keys: Sequence[tuple[bytes, str]],
    ) -> tuple[dict[bytes, ConversationRow], dict[tuple[bytes, str], Known]]:
        """Lock and return the conversations that exist, and the messages among ``keys`` seen before."""
        rows = await self._fetch(_LOCK, ids)
        conversations = {row[0]: ConversationRow(*row) for row in rows}
        if not keys:
            return conversations, {}
        # After the lock, so that what another process committed meanwhile is seen.
        seen = await self._fetch(_KNOWN, [key[0] for key in keys], [key[1] for key in keys])
        return conversations, {(row[0], row[1]): Known(*tuple(row)[2:]) for row in seen}

    async def own(self, ids: Sequence[bytes], limit: int) -> dict[bytes, list[CaseRow]]:
        """Return the newest cases of each conversation."""
        found: dict[bytes, list[CaseRow]] = {i: [] for i in ids}
        for row in await self._fetch(_OWN, ids, limit):
            asked, *columns = row
            found[asked].append(CaseRow(*columns))
        return found

    async def cases(self, numbers: Sequence[str]) -> dict[str, CaseRow]:
        """Lock and return the cases with these numbers that exist."""
        return {row[0]: CaseRow(*row) for row in await self._fetch(_CASES, numbers)}

    async def ahead(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return for each conversation how many stand in the handoff queue before it (all, if it is not in it)."""
        return {row[0]: row[1] for row in await self._fetch(_AHEAD, ids)}

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
        statement.add_flights(rows)
        if not statement.parts:
            return frozenset()
        if rows.desk:
            # What was remembered and not read is locked before the events are, as everybody does it.
            await self._fetch(_LOCK_ONLY, [*_ids(rows.conversations), *_ids(rows.talks)])
            # A statement of its own: the next one then sees every event that has its id.
            await self._fetch("SELECT pg_advisory_xact_lock($1)", EVENT_LOCK)
        record = await self._connection.fetchrow(statement.text(), *statement.values)
        return frozenset(record["claims"] or ())


class _Statement:
    """One CTE that writes every table of a batch; its text depends only on which tables take part."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []
        self.claims = "NULL::bytea[]"
        self.held: list[str] = []

    def add_inserts(self, rows: Rows) -> None:
        tables: tuple[tuple[Table, Sequence[tuple[Any, ...]]], ...] = (
            (INBOX, rows.inbox),
            (CONVERSATION, rows.new_conversations),
            (OUTGOING, rows.outgoing),
            (CASES, rows.cases),
            (CASE_EVENT, rows.events),
            (ALERT, rows.alerts),
            (DATA_REQUEST, rows.wishes),
        )
        for table, values in tables:
            if values:
                tail = (
                    " ON CONFLICT (notice_key) WHERE notice_key IS NOT NULL DO NOTHING"
                    if table is OUTGOING
                    else ""
                )
                source = (self._rows if table is INBOX else self._unnest)(_types(table), values)
                self.parts.append(
                    f"i_{table.name} AS (INSERT INTO {table.name} SELECT * FROM {source} AS u{tail})"
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
        if rows.talks:
            types = {
                column.name: name
                for column, name in zip(CONVERSATION.columns, _types(CONVERSATION), strict=True)
            }
            source = self._rows([types[name] for name in TalkRow._fields], rows.talks)
            change = ", ".join(f"{name} = u.{name}" for name in TalkRow._fields[1:])
            self.parts.append(
                f"talks AS (UPDATE conversation t SET {change} FROM {source} AS u({', '.join(TalkRow._fields)})"
                " WHERE t.id = u.id AND t.version = u.version - 1 RETURNING 1)"
            )
            self._must_be("talks", len(rows.talks))
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
        self._mark(
            "released",
            rows.released,
            "state = 'queued', next_at = u.at, sent_at = NULL",
            "IN ('sent', 'passive') AND t.route = 'passive'",
        )
        self._mark(
            "doubted",
            rows.doubted,
            "state = 'passive', lease_until = u.at, sent_at = NULL",
            "= 'sent' AND t.route = 'passive'",
        )
        self._mark(
            "claims", rows.claims, "state = 'passive', route = 'passive', lease_until = u.at", "= 'queued'"
        )
        if rows.claims:
            self.claims = "(SELECT array_agg(id) FROM claims)"

    def add_flights(self, rows: Rows) -> None:
        """Add passive replies, and what is known of those on their way."""
        if rows.replies:
            source = self._rows(("bytea", "bytea", "text", "text", "int", "bytea", "bigint"), rows.replies)
            self.parts.append(
                f"i_replies AS (INSERT INTO outgoing ({REPLY_COLUMNS})"
                " SELECT u.id, u.conversation, u.account, u.case_no, u.epoch, u.body, u.at, u.at, u.at, 'reply', 'sent',"
                f" 'passive' FROM {source} AS u(id, conversation, account, case_no, epoch, body, at))"
            )
        if rows.flight is not None:
            source = self._unnest(_types(FLIGHT), [rows.flight])
            self.parts.append(f"flight AS (INSERT INTO flight SELECT * FROM {source})")
        if rows.landed:
            source = self._unnest(("bytea",), [(flight,) for flight in rows.landed])
            self.parts.append(f"landed AS (DELETE FROM flight WHERE id IN (SELECT * FROM {source}))")

    def text(self) -> str:
        held = " AND ".join(self.held) or "true"
        # A statement cannot refuse itself but by an error.
        guard = f"1 / (CASE WHEN {held} THEN 1 ELSE 0 END)"
        return f"WITH {', '.join(self.parts)} SELECT {guard} AS held, {self.claims} AS claims"

    def _must_be(self, part: str, count: int) -> None:
        """Hold only if a part changes so many rows: one that another changed before is not found by its version."""
        self.values.append(count)
        self.held.append(f"(SELECT count(*) FROM {part}) = ${len(self.values)}::bigint")

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
        self._must_be(f"new_{table.name}", len(values))

    def _unnest(self, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
        first = len(self.values) + 1
        self.values.extend(list(column) for column in zip(*rows, strict=True))
        return f"unnest({', '.join(f'${first + n}::{name}[]' for n, name in enumerate(types))})"

    def _rows(self, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
        """Return many rows of one kind, which mostly agree in some columns: these go over once, not for each row."""
        shown: list[str] = []
        several: list[str] = []
        for n, (name, column) in enumerate(zip(types, zip(*rows, strict=True), strict=True)):
            if name in _OFTEN_ALIKE and column.count(column[0]) == len(column):
                self.values.append(column[0])
                shown.append(f"${len(self.values)}::{name} AS c{n}")
            else:
                self.values.append(list(column))
                several.append(f"${len(self.values)}::{name}[]")
                shown.append(f"a.c{n}")
        names = ", ".join(each[2:] for each in shown if each.startswith("a."))
        return f"(SELECT {', '.join(shown)} FROM unnest({', '.join(several)}) AS a({names}))"


_OFTEN_ALIKE = frozenset({"text", "int", "integer"})
"""Types of the columns that are looked at: a time or an id that happens to be one makes no statement of its own."""


def _ids(rows: Sequence[ConversationRow] | Sequence[TalkRow]) -> list[bytes]:
    return [row.id for row in rows]


def _types(table: Table) -> tuple[str, ...]:
    return tuple(
        column.type.compile(_DIALECT).lower().replace("bytea(16)", "bytea") for column in table.columns
    )
