"""The embedded store: one SQLite file, one process, one thread that writes.

WAL with ``synchronous=FULL``: a commit is on the disk when it returns. The batch of the pipeline and every other
unit of work take turns on one connection; reading runs beside them on connections that cannot write.

A batch's statements run on the loop's own thread (some 15 µs a message) and only its COMMIT, which waits for the
disk, on the writer thread. With the statements on that thread too, the two hand the interpreter lock to and fro at
every step, which cost more than the statements themselves.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from gateway.store import statements as sql
from gateway.store.rows import CaseRow, Conflict, ConversationRow, Known, Rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

_READERS = 2
_STATEMENT_CACHE = 1024
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-65536",
    "PRAGMA journal_size_limit=67108864",
)


class SqliteStore:
    """The store on one SQLite file. Made by ``open``; ``close`` waits for what is in hand."""

    dialect = "sqlite"
    batches = 1

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")
        self._connection: sqlite3.Connection | None = None
        self._turn = asyncio.Lock()
        self._write_engine: Engine | None = None
        self._read_engine = _engine(lambda: _connect(path, "PRAGMA query_only=ON"))

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file."""
        store = cls(path)
        await store._on_writer(store._open)
        return store

    async def close(self) -> None:
        """Finish what is in hand and close the file."""
        async with self._turn:
            await self._on_writer(self._close)
        await asyncio.to_thread(self._readers.shutdown)
        self._read_engine.dispose()
        self._writer.shutdown()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of reading on a connection that cannot write."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work and commit it; an exception rolls it back."""
        async with self._turn:
            return await self._on_writer(self._write, work)

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[SqliteBatch]:
        """Begin one batch of the pipeline; nothing else is written before it ends."""
        # It reads on the connection that writes: only that one still has the pages it wrote, another would fetch
        # some eight pages anew for every message.
        async with self._turn:
            assert self._connection is not None
            yield SqliteBatch(self._connection, self._on_writer, self._write)

    async def _on_writer(self, work: Callable[..., T], *args: Any) -> T:
        """Run on the writer thread; who gives up waits for it all the same, for until then nobody else may write."""
        job = asyncio.get_running_loop().run_in_executor(self._writer, work, *args)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.wait({job})
            job.exception()
            raise

    def _open(self) -> None:
        self._connection = connection = _connect(self._path, *_PRAGMAS)
        # One connection for Core and for the bulk statements: they follow one another on this thread.
        self._write_engine = _engine(lambda: connection, static=True)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._read_engine.connect() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        assert self._write_engine is not None
        with self._write_engine.begin() as connection:
            return work(connection)


class SqliteBatch:
    """One batch: read, turn, write in one commit."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        on_writer: Callable[..., Awaitable[Any]],
        commit: Callable[[Callable[[Connection], Any]], Any],
    ) -> None:
        self._connection = connection
        self._on_writer = on_writer
        self._commit = commit

    async def load(
        self,
        ids: Sequence[bytes],
        keys: Sequence[tuple[bytes, str]],
    ) -> tuple[dict[bytes, ConversationRow], dict[tuple[bytes, str], Known]]:
        """Return the conversations that exist, and the messages among ``keys`` that were seen before."""
        return _load(self._connection, ids, keys)

    async def own(self, ids: Sequence[bytes], limit: int) -> dict[bytes, list[CaseRow]]:
        """Return the newest cases of each conversation."""
        return _own(self._connection, ids, limit)

    async def cases(self, numbers: Sequence[str]) -> dict[str, CaseRow]:
        """Return the cases with these numbers that exist."""
        return _cases(self._connection, numbers)

    async def ahead(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return for each conversation how many stand in the handoff queue before it (all, if it is not in it)."""
        return {i: self._connection.execute(sql.COUNT_AHEAD, (i,)).fetchone()[0] for i in ids}

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run a small unit of work of its own before the batch is written."""
        result: T = await self._on_writer(self._commit, work)
        return result

    async def write(self, rows: Rows) -> frozenset[bytes]:
        """Write everything in one commit and return the claims that were won; raises Conflict."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            won = _statements(connection, rows)
            await self._on_writer(connection.execute, "COMMIT")
        except sqlite3.IntegrityError as error:
            connection.execute("ROLLBACK")
            raise Conflict(str(error)) from error
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return won


def _connect(path: Path, *pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENT_CACHE,
    )
    for pragma in pragmas:
        connection.execute(pragma).close()
    return connection


def _engine(creator: Callable[[], sqlite3.Connection], *, static: bool = False) -> Engine:
    options: dict[str, Any] = {"poolclass": StaticPool} if static else {"pool_size": _READERS}
    engine = create_engine("sqlite://", creator=creator, **options)
    begin = "BEGIN IMMEDIATE" if static else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _load(
    connection: sqlite3.Connection,
    ids: Sequence[bytes],
    keys: Sequence[tuple[bytes, str]],
) -> tuple[dict[bytes, ConversationRow], dict[tuple[bytes, str], Known]]:
    found = connection.execute(sql.SELECT_CONVERSATIONS.format(",".join("?" * len(ids))), ids)
    conversations = {row[0]: ConversationRow._make(row) for row in found}
    if not keys:
        return conversations, {}
    flat = [value for key in keys for value in key]
    seen = connection.execute(sql.SELECT_KNOWN.format(",".join(["(?,?)"] * len(keys))), flat)
    return conversations, {(row[0], row[1]): Known._make(row[2:]) for row in seen}


def _own(connection: sqlite3.Connection, ids: Sequence[bytes], limit: int) -> dict[bytes, list[CaseRow]]:
    return {i: [CaseRow._make(r) for r in connection.execute(sql.SELECT_OWN, (i, limit))] for i in ids}


def _cases(connection: sqlite3.Connection, numbers: Sequence[str]) -> dict[str, CaseRow]:
    rows = (connection.execute(sql.SELECT_CASE, (number,)).fetchone() for number in numbers)
    return {row[0]: CaseRow._make(row) for row in rows if row}


def _statements(connection: sqlite3.Connection, rows: Rows) -> frozenset[bytes]:
    for statement, values in _bulk(rows):
        if values:
            connection.executemany(statement, values)
    if rows.conversations:
        _guarded(connection, sql.UPDATE_CONVERSATION, [_new_version(row) for row in rows.conversations])
    if rows.talks:
        _guarded(connection, sql.UPDATE_TALK, [(*row[1:], row.id, row.version - 1) for row in rows.talks])
    if rows.changes:
        _guarded(connection, sql.UPDATE_CASE, [(*row[1:], row.case_no, seen) for seen, row in rows.settled()])
    claims = (
        (row, connection.execute(sql.UPDATE_CLAIM, (lease, row)).rowcount) for row, lease in rows.claims
    )
    return frozenset(row for row, won in claims if won)


def _bulk(rows: Rows) -> tuple[tuple[str, Sequence[tuple[Any, ...]]], ...]:
    return (
        (sql.INSERT_INBOX, rows.inbox),
        (sql.INSERT_CONVERSATION, rows.new_conversations),
        (sql.INSERT_OUTGOING, rows.outgoing),
        (sql.INSERT_REPLY, rows.replies),
        (sql.INSERT_CASE, rows.cases),
        (sql.INSERT_EVENT, rows.events),
        (sql.INSERT_ALERT, rows.alerts),
        (sql.INSERT_NAME, rows.names),
        (sql.INSERT_BINDING, rows.bindings),
        (sql.DELETE_BIND_CODE, [(code,) for code in rows.spent]),
        (sql.INSERT_VOTE, rows.votes),
        (sql.INSERT_GAP, rows.gaps),
        (sql.INSERT_WISH, rows.wishes),
        (sql.INSERT_WANTED, rows.wanted),
        (sql.FILE_WANTED, [(row.case_no, row.blob) for row in rows.filed]),
        (sql.FILE_MEDIA, [(row.case_no, row.owner, row.blob, row.blob, row.case_no) for row in rows.filed]),
        (sql.INSERT_WAIT, rows.waits),
        (sql.UPDATE_HEARD, [(row.at, row.due_at, row.conversation) for row in rows.heard]),
        (sql.INSERT_DESK_EVENT, rows.desk),
        (sql.UPDATE_RATED, rows.rated),
        (sql.UPDATE_TURNED, rows.turned),
        (sql.UPDATE_WRITTEN, [(at, row) for row, at in rows.written]),
        (sql.UPDATE_RELEASED, [(at, row) for row, at in rows.released]),
        (sql.UPDATE_DOUBTED, [(until, row) for row, until in rows.doubted]),
        (sql.INSERT_FLIGHT, [rows.flight] if rows.flight is not None else []),
        (sql.DELETE_FLIGHT, [(flight,) for flight in rows.landed]),
    )


def _new_version(row: ConversationRow) -> tuple[Any, ...]:
    return (*row[1:], row.id, row.version - 1)


def _guarded(connection: sqlite3.Connection, statement: str, values: list[tuple[Any, ...]]) -> None:
    if connection.executemany(statement, values).rowcount != len(values):
        raise Conflict(statement)
