"""How fast is the desk? Each figure beside a floor of the same run (``script/bench desk``).

Agents take talks out of a long queue, one after the other and all at once, and the router gives out more of them. The
floor is one bare update of one row through the same store, as often and in the same way. Then every agent has a page open:
how soon it is told, what a page that comes back has to wait, what one costs in memory. What a first visit to ``/desk``
weighs is counted as it comes over the wire.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import os
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession
from sqlalchemy import Connection, update

from gateway.doctor import sync_seconds
from gateway.store.desk_tables import AGENT
from gateway.store.migrate import upgrade
from gateway.store.rows import DeskEventRow, Rows, WaitRow, new_conversation
from gateway.store.store import open_store
from tests.bench import apart, desk_live
from tests.bench.intake import databases
from tests.kit.desk import Floor
from tests.kit.process import configure, served

ROUNDS = 3
ROOM = 3
"""What an agent may hold: one taken alone, one taken in the crowd, one given by the router."""
WRITTEN = 500
PACKED = {"Accept-Encoding": "gzip"}
_ASKED = re.compile(r'(?:href|src|data-english|data-beat)="(/static/[^"]+)"')
_IMPORTED = re.compile(r"""^\s*(?:import|export)\b[^;]*?from\s*['"]([^'"]+)['"]""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many agents there are, and how many talks wait."""

    agents: int
    talks: int


async def claims(database: str, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Return how long claims take on an empty database of an address, and the floor beside them."""
    store = await open_store(database)
    try:
        await store.write(upgrade)
        floor = Floor(store)
        agents = [await floor.agent(f"a{n}", capacity=ROOM) for n in range(sizes.agents)]
        line = await _queued(floor, sizes.talks)
        alone = [partial(floor.desk.take, agent, line.pop(), 1) for agent in agents]
        crowd = [partial(floor.desk.take, agent, line.pop(), 1) for agent in agents]
        bare = [partial(store.write, partial(_touch, agent=agent)) for agent in agents]
        return {
            "floor": await _counted(bare),
            "take": await _counted(alone),
            "floor_crowd": apart.spread(await _at_once(bare)),
            "take_crowd": apart.spread(await _at_once(crowd)),
            "route": apart.spread(await _routed(floor, sizes.agents)),
        }
    finally:
        await store.close()


async def _queued(floor: Floor, count: int) -> list[bytes]:
    """Put many in the queue as the pipeline does, and return them, first come last."""
    made = [f"t{n}".encode().ljust(16, b".") for n in range(count)]
    state = floor.sealer.seal(b"{}")
    for at in range(0, count, WRITTEN):
        rows = Rows()
        for talk in made[at : at + WRITTEN]:
            row = new_conversation(talk, "wx", b"", state)
            rows.new_conversations.append(
                row._replace(owner="queued", epoch=1, version=1, enqueued_at=floor.now)
            )
            rows.waits.append(WaitRow(talk, floor.now, 5, floor.now))
            rows.desk.append(DeskEventRow(floor.now, talk, "queued", "queued", 1))
        async with floor.store.batch() as batch:
            await batch.write(rows)
        floor.clock.wait(milliseconds=1)
    return made[::-1]


def _touch(connection: Connection, agent: bytes) -> None:
    connection.execute(update(AGENT).where(AGENT.c.id == agent).values(assigned_at=1))


async def _counted(works: Sequence[Callable[[], Awaitable[Any]]]) -> dict[str, float]:
    """Do one after the other, and return the spread, and what each cost this process's processor, whoever else is busy."""
    began = time.process_time()
    times = [await _timed(work) for work in works]
    cpu = (time.process_time() - began) / len(works)
    return {**apart.spread(times), "cpu_ms": round(cpu * 1000, 2)}


async def _at_once(works: Sequence[Callable[[], Awaitable[Any]]]) -> list[float]:
    return list(await asyncio.gather(*(_timed(work) for work in works)))


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _routed(floor: Floor, expected: int) -> list[float]:
    """Let the router fill all room, and return the seconds from one commit of its to the next; the first has matched."""
    commits = [time.perf_counter()]
    floor.desk.changed = lambda: commits.append(time.perf_counter())
    given = await floor.desk.route()
    assert given == expected, given
    return [after - before for before, after in itertools.pairwise(commits)]


async def first_load(address: str) -> dict[str, Any]:
    """Return KB over the wire of a first visit, by kind of file, and how many files they are."""
    sizes: dict[str, int] = {}
    async with ClientSession(address, auto_decompress=False) as http:
        html = await _fetched(http, "/desk", sizes)
        asked = _ASKED.findall(html)
        while asked:
            path = asked.pop()
            if path not in sizes and path.partition("?")[0].endswith((".js", ".css", ".json")):
                text = await _fetched(http, path, sizes)
                asked += [urljoin(path, each) for each in _IMPORTED.findall(text) if path.find(".js") > 0]
    kinds: dict[str, float] = {}
    for path, size in sizes.items():
        kind = PurePosixPath(urlsplit(path).path).suffix.lstrip(".") or "html"
        kinds[kind] = kinds.get(kind, 0) + size
    found: dict[str, Any] = {f"{kind}_kb": round(size / 1000, 2) for kind, size in sorted(kinds.items())}
    return found | {"all_kb": round(sum(sizes.values()) / 1000, 2), "files": len(sizes)}


async def _fetched(http: ClientSession, path: str, sizes: dict[str, int]) -> str:
    """Fetch a file, and note how many bytes of it came over the wire."""
    async with http.get(path, headers=PACKED) as answer:
        assert answer.status == 200, (path, answer.status)
        body = await answer.read()
        sizes[path] = len(body)
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(body) if packed else body).decode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench desk", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--stores", default="sqlite", help="sqlite, postgres or both")
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--talks", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=1_000, help="what a page that comes back has missed")
    parser.add_argument("--notes", type=int, default=100, help="what open pages are told")
    given = parser.parse_args()
    apart.quiet()
    sizes = Sizes(given.agents, given.talks)
    stores = [store for store in given.stores.split(",") if store]
    report: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    with (
        tempfile.TemporaryDirectory(prefix="jiesu-bench-") as name,
        databases(wanted="postgres" in stores) as fresh,
    ):
        folder = Path(name)
        report["fsync_p50_ms"] = round(sync_seconds(folder) * 1000, 3)
        for store in stores:
            rounds = []
            for turn in range(given.rounds):
                address = fresh() if store == "postgres" else f"sqlite:///{folder}/claims{turn}.sqlite3"
                rounds.append(asyncio.run(claims(address, sizes)))
            for kind in rounds[0]:
                report[f"{store} {kind}"] = apart.middle([each[kind] for each in rounds])
        lives = []
        for turn in range(given.rounds):
            place = folder / f"live{turn}"
            place.mkdir()
            lives.append(desk_live.measure(place, pages=given.agents, events=given.events, notes=given.notes))
        for kind in lives[0]:
            report[kind] = apart.middle([each[kind] for each in lives])
        with served(configure(folder, f"sqlite:///{folder}/jiesu.sqlite3")) as (_, site):
            report["first_load"] = asyncio.run(first_load(site))
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


if __name__ == "__main__":
    main()
