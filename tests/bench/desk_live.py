"""The open pages of the desk under ``script/bench desk``: how soon they are told, what they missed, what they weigh.

``jiesu serve`` runs on a SQLite file with accounts and logins already in it. Another process holds the streams and
reads them, and says when the last of them was told; the clock is the machine's own, the same in every process.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector

from gateway.app import open_books
from gateway.desk.accounts import Accounts
from gateway.runtime import Ids, now
from gateway.settings import load
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow, Rows, new_conversation
from gateway.web.desk.session import COOKIE, Sessions
from tests.bench import apart
from tests.kit.desk import Floor
from tests.kit.process import configure, served

TALKS = 20
TIMES = 5
"""How often the same events are asked for again."""
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """What an agent's browser keeps."""

    token: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Hall:
    """What stands in the database before the gateway starts; ``read_ms`` is the floor of the replay."""

    logins: tuple[Login, ...]
    talks: tuple[bytes, ...]
    last: int
    read_ms: float


def measure(folder: Path, *, pages: int, events: int, notes: int) -> dict[str, dict[str, float]]:
    """Return the figures of one round; ``folder`` is empty."""
    config = configure(folder, f"sqlite:///{folder}/live.sqlite3")
    hall = asyncio.run(_furnished(config, pages, events))
    with served(config) as (process, site):
        asyncio.run(_replay(site, hall, 0))  # What the first page alone brings into memory is not one page's.
        before = _resident_kb(process)
        with apart.beside(hold, site, [each.token for each in hall.logins]) as pipe:
            _heard(pipe)
            memory = {"kb": round((_resident_kb(process) - before) / pages, 1)}
            told = asyncio.run(_told(site, hall, pipe, notes))
        replay = asyncio.run(_replay(site, replace(hall, last=hall.last + notes), events))
    return {"floor_read": {"ms": hall.read_ms}, "replay": replay, "open_page": memory, **told}


async def _furnished(config: Path, pages: int, events: int) -> Hall:
    """Write agents who are logged in, talks, and notes that a page can have missed."""
    async with open_books(load(config, {})) as books:
        floor = Floor(books.store)
        sessions = Sessions(store=books.store, sealer=books.sealer, now=now, secure=False)
        accounts = Accounts(store=books.store, sealer=books.sealer, ids=Ids(), now=now)
        talks = tuple(f"t{n}".encode().ljust(16, b".") for n in range(TALKS))
        sealed = partial(books.sealer.seal, b"{}")
        rows = Rows(new_conversations=[new_conversation(each, "wx", sealed(), sealed()) for each in talks])
        async with books.store.batch() as batch:
            await batch.write(rows)
        logins = []
        for n in range(pages):
            agent = await floor.agent(f"a{n}", here=False)
            account = await accounts.of(agent)
            assert account is not None
            token = await sessions.begin(account)
            logins.append(Login(token, sessions.csrf(sessions.name(token))))
        note = books.sealer.seal("市民说明天上午在家，请先打电话".encode())
        missed = [
            DeskEventRow(floor.now, talks[n % TALKS], "note", "bot", 0, None, agent, "", note)
            for n in range(events)
        ]
        last = await books.store.write(partial(sql.append, events=missed))
        began = time.perf_counter()
        read = await books.store.read(partial(sql.events, after=last - events, limit=events))
        assert len(read) == events
        return Hall(tuple(logins), talks, last, round((time.perf_counter() - began) * 1000, 2))


@asynccontextmanager
async def _streams(site: str) -> AsyncIterator[ClientSession]:
    connector = TCPConnector(limit=0)
    async with ClientSession(site, connector=connector, timeout=ClientTimeout(total=None)) as http:
        yield http


def _cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={token}"}


async def _replay(site: str, hall: Hall, events: int) -> dict[str, float]:
    """Come back as a page that has missed so many events, and return how long it is until it knows them all."""
    times = []
    async with _streams(site) as http:
        for _ in range(TIMES):
            began = time.perf_counter()
            headers = _cookie(hall.logins[0].token) | {"Last-Event-ID": str(hall.last - events)}
            async with asyncio.timeout(PATIENCE), http.get("/desk/live", headers=headers) as page:
                lines = 0
                async for name, _ in _news(page):
                    lines += name == "line"
                    if name == "ready":
                        break
            times.append(time.perf_counter() - began)
            assert lines == events, lines
    middle = statistics.median(times)
    return {"ms": round(middle * 1000, 1), "events_per_second": round(events / middle)}


async def _news(page: ClientResponse) -> AsyncIterator[tuple[str, int]]:
    """Yield the kind and the number (0 for none) of what a page is told."""
    assert page.status == 200, page.status
    number = 0
    async for raw in page.content:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = int(value)
        elif name == "event":
            yield value, number
        elif not name:
            number = 0


async def _told(site: str, hall: Hall, pipe: Connection, notes: int) -> dict[str, dict[str, float]]:
    """Write notes one by one, and return the time from the asking to each page, and to the answer beside it."""
    asked, pages = [], []
    async with ClientSession(site) as http:
        for n in range(notes):
            login = hall.logins[n % len(hall.logins)]
            path = f"/desk/api/talks/{hall.talks[n % TALKS].hex()}/note"
            began = time.monotonic()
            headers = _cookie(login.token) | {"X-CSRF": login.csrf}
            async with http.post(path, json={"text": "已电话核实"}, headers=headers) as answer:
                assert answer.status == 201, (answer.status, await answer.text())
                written = await answer.json()
                asked.append(time.monotonic() - began)
            number, times = await asyncio.to_thread(_heard, pipe)
            assert written["id"] == f"e{number}"
            pages += [each - began for each in times]
    return {"floor_note_answered": _spread(asked), "note_to_page": _spread(pages)}


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    late = ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
    return {"p50_ms": round(statistics.median(ordered) * 1000, 2), "p95_ms": round(late * 1000, 2)}


def _heard(pipe: Connection) -> Any:
    """Return what the process of the pages says next; raises TimeoutError."""
    if not pipe.poll(PATIENCE):
        raise TimeoutError("the pages say nothing")
    return pipe.recv()


def hold(pipe: Connection, site: str, tokens: list[str]) -> None:
    """Keep a page open for each login until the pipe closes; say when all are, and when all were told of an event."""
    asyncio.run(_held(pipe, site, tokens))


async def _held(pipe: Connection, site: str, tokens: list[str]) -> None:
    told: dict[int, list[float]] = {}
    ready = 0

    async def read(http: ClientSession, token: str) -> None:
        nonlocal ready
        async with http.get("/desk/live", headers=_cookie(token)) as page:
            async for name, number in _news(page):
                if name == "ready":
                    ready += 1
                    if ready == len(tokens):
                        pipe.send("open")
                if name == "line":
                    times = told.setdefault(number, [])
                    times.append(time.monotonic())
                    if len(times) == len(tokens):
                        pipe.send((number, told.pop(number)))

    async with _streams(site) as http:
        readers = [asyncio.create_task(read(http, token)) for token in tokens]
        await asyncio.to_thread(_closed, pipe)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


def _closed(pipe: Connection) -> None:
    try:
        pipe.recv()
    except EOFError:
        return


def _resident_kb(process: subprocess.Popen[str]) -> int:
    """Return what a process has resident now, in KB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0
