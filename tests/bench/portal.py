"""How fast are the citizens' pages? Each figure beside a floor of the same run (``script/bench portal``).

``jiesu serve`` runs on an empty SQLite file; one process asks for pages over a few connections, as one visitor after
the other. The floor is a bare aiohttp handler in another process that answers with the home page's own bytes. What goes
over the wire is counted as it comes, packed and not. The first paint is Chromium's own measure on a slow line and a
slow processor: the first visit, and a second page with style and script at hand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from tests.bench import apart
from tests.kit.chromium import chromium
from tests.kit.process import configure, served

ROUNDS = 3
SECONDS = 3.0
LINES = 8
PAGES = {"home": "/", "report": "/report/what", "cases": "/cases", "chat": "/chat", "scope": "/scope"}
RTT_MS, DOWN, UP = 150, 1_600_000 / 8, 750_000 / 8
"""A slow mobile line: 150 ms there and back, 1.6 Mbit/s down, 0.75 up; bytes per second."""
SLOWER = 4
"""How many times slower the telephone's processor is than this one."""
PACKED, PLAIN = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}


def measure(address: str) -> dict[str, Any]:
    """Return the figures of one round."""
    body = asyncio.run(_wire(address, PAGES["home"], PLAIN))
    with apart.beside(floor, body) as pipe:
        bare = asyncio.run(_rate(pipe.recv(), "/"))
    rates = {name: asyncio.run(_rate(address, path)) for name, path in PAGES.items()}
    return {"floor_per_second": bare} | {f"{name}_per_second": rate for name, rate in rates.items()}


def weights(address: str) -> dict[str, float]:
    """Return KB over the wire: each page packed and plain, and a first visit with its style and script."""
    found = {}
    for name, path in PAGES.items():
        found[f"{name}_kb"] = _kb(asyncio.run(_wire(address, path, PACKED)))
        found[f"{name}_plain_kb"] = _kb(asyncio.run(_wire(address, path, PLAIN)))
    files = ("/static/portal.css", "/static/portal.js")
    parts = [_kb(asyncio.run(_wire(address, path, PACKED))) for path in files]
    found["first_visit_kb"] = round(found["home_kb"] + sum(parts), 2)
    return found


def paint(address: str, rounds: int) -> dict[str, float]:
    """Return milliseconds to Chromium's first contentful paint on a slow line: a first visit, and the next page."""
    first, following = [], []
    with chromium() as browser:
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 360, "height": 640})
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            line = {"offline": False, "latency": RTT_MS, "downloadThroughput": DOWN, "uploadThroughput": UP}
            session.send("Network.emulateNetworkConditions", line)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            first.append(_painted(page, address + "/"))
            following.append(_painted(page, address + "/report/what"))
            context.close()
    return {
        "first_visit_paint_ms": apart.middle([{"ms": ms} for ms in first])["ms"],
        "next_page_paint_ms": apart.middle([{"ms": ms} for ms in following])["ms"],
    }


def _painted(page: Any, url: str) -> float:
    page.goto(url)
    script = """() => new Promise((resolve) => new PerformanceObserver((list) => {
        const seen = list.getEntriesByName('first-contentful-paint');
        if (seen.length) resolve(seen[0].startTime);
    }).observe({ type: 'paint', buffered: true }))"""
    return round(float(page.evaluate(script)), 1)


def floor(pipe: Connection, body: bytes) -> None:
    """Answer with these bytes until the pipe closes."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await asyncio.to_thread(_closed, pipe)
        await runner.cleanup()

    asyncio.run(run())


def _closed(pipe: Connection) -> None:
    try:
        pipe.recv()
    except EOFError:
        return


async def _rate(address: str, path: str) -> int:
    """Return pages a second over a few connections that ask as fast as they are answered."""
    async with ClientSession(
        address, connector=TCPConnector(limit=LINES), headers=PACKED, auto_decompress=False
    ) as http:
        await _ask(http, path)
        end = time.perf_counter() + SECONDS
        counts = await asyncio.gather(*(_until(http, path, end) for _ in range(LINES)))
    return round(sum(counts) / SECONDS)


async def _until(http: ClientSession, path: str, end: float) -> int:
    asked = 0
    while time.perf_counter() < end:
        await _ask(http, path)
        asked += 1
    return asked


async def _ask(http: ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        assert answer.status == 200, answer.status
        await answer.read()


async def _wire(address: str, path: str, headers: dict[str, str]) -> bytes:
    async with (
        ClientSession(address, auto_decompress=False) as http,
        http.get(path, headers=headers) as answer,
    ):
        return await answer.read()


def _kb(body: bytes) -> float:
    return round(len(body) / 1000, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench portal", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
        config = configure(Path(folder), f"sqlite:///{folder}/jiesu.sqlite3")
        with config.open("a") as more:
            # One address asks for all citizens here.
            more.write("[portal]\n" + "".join(f"{name} = 1e9\n" for name in _LIMITS))
        with served(config) as (_, address):
            report = apart.middle([measure(address) for _ in range(given.rounds)])
            report |= weights(address) | paint(address, given.rounds)
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


_LIMITS = ("address_per_second", "address_burst", "session_per_second", "session_burst")

if __name__ == "__main__":
    main()
