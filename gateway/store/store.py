"""What every store can do, and how one is opened from its address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from gateway.store import kept, migrate
from gateway.store.sqlite import SqliteStore
from normalizer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy import Connection

    from gateway.store.rows import CaseRow, ConversationRow, Known, Rows

T = TypeVar("T")


class Batch(Protocol):
    """One batch of the pipeline: read, then write everything in one commit when the block ends."""

    async def load(
        self,
        ids: Sequence[bytes],
        keys: Sequence[tuple[bytes, str]],
    ) -> tuple[dict[bytes, ConversationRow], dict[tuple[bytes, str], Known]]:
        """Return the conversations that exist, and the messages among ``keys`` that were seen before."""
        ...

    async def own(self, ids: Sequence[bytes], limit: int) -> dict[bytes, list[CaseRow]]:
        """Return the newest cases of each conversation."""
        ...

    async def cases(self, numbers: Sequence[str]) -> dict[str, CaseRow]:
        """Return the cases with these numbers that exist."""
        ...

    async def ahead(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return for each conversation how many stand in the handoff queue before it (all, if it is not in it)."""
        ...

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run a small unit of work of its own, committed before the batch is."""
        ...

    async def write(self, rows: Rows) -> frozenset[bytes]:
        """Write everything and return the claims that were won; raises Conflict."""
        ...


class Store(Protocol):
    """A database; times and tables are those of ``gateway.store.tables``.

    ``batches`` is how many batches of the pipeline, of different conversations, may be in flight at once.
    """

    dialect: str
    batches: int

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of reading."""
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work and commit it; an exception rolls it back."""
        ...

    def batch(self) -> AbstractAsyncContextManager[Batch]:
        """Begin one batch of the pipeline; never more than ``batches``. Raises Conflict when rows changed meanwhile."""
        ...

    async def close(self) -> None:
        """Finish what is in hand and close."""
        ...


def sqlite_path(url: str) -> Path | None:
    """Return the file of a ``sqlite:///`` address, None for another kind of address."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


async def open_store(url: str) -> Store:
    """Open the database of an address; raises Misconfigured."""
    if (path := sqlite_path(url)) is not None:
        return await _open_sqlite(path)
    if url.startswith("postgresql://"):
        return await _open_postgres(url)
    raise Misconfigured("database", "write sqlite:///path/to/file or postgresql://user:password@host/name")


async def make_ready(store: Store, mark: str, *, migrates: bool) -> None:
    """Bring the tables up to date (or see that they are), and see that the key is the one they were sealed with."""
    if migrates:
        await store.write(migrate.upgrade)
    elif await store.read(migrate.current) != migrate.head():
        raise Misconfigured("migrate", "the tables are not up to date; run: jiesu migrate")
    if await store.write(lambda connection: kept.keep(connection, "key_mark", mark)) != mark:
        raise Misconfigured(
            "key_file", "this is not the key the database was sealed with; restore the old key file"
        )


async def _open_sqlite(path: Path) -> Store:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return await SqliteStore.open(path)
    except OSError as error:
        raise Misconfigured("database", f"cannot open {path.name}: {error}") from error


async def _open_postgres(url: str) -> Store:
    try:
        from gateway.store.postgres import PostgresStore  # noqa: PLC0415 - an extra of the distribution
    except ImportError as error:
        raise Misconfigured("database", "PostgreSQL needs: pip install 'jiesu[postgres]'") from error
    try:
        return await PostgresStore.open(url)
    except (OSError, ValueError) as error:
        raise Misconfigured("database", f"PostgreSQL does not answer: {error}") from error
