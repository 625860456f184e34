"""How fast does CMPP 3.0 go over one connection? Beside a bare echo of the same run (``script/bench sms``).

The carrier stands in another process. "submit" is the channel's own ``send`` with so many at once, receipts off;
"deliver" are texts of different people to a whole gateway whose bot answers each: the latency is from DELIVER written
to DELIVER_RESP read, and a text is acknowledged only once it is written down. The floor echoes as many frames of the
same size, as many of them unanswered as CMPP's window allows. Rows and answers are counted.
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

import uvloop
from sqlalchemy import Connection as Database
from sqlalchemy import distinct, func, select

from channels.sms.carrier import Carrier as Channel
from gateway import app as gateway
from gateway.doctor import sync_seconds
from gateway.settings import Settings, load
from gateway.store.tables import INBOX
from gateway.whole import Gateway
from normalizer.message import Address, OutboundMessage
from tests.bench import apart
from tests.bench.carrier import FIRST, MATTER, NUMBER, PATIENCE, SECRET, SP_ID, WINDOW, carry

ROUNDS = 3
TEXTS = 2000
AT_ONCE = 24
RATE = 10_000
"""Messages a second that the account is set to: more than it can do, so that the setting holds nothing back."""
COUNTED = ("came", "taken", "answered", "rows", "distinct", "resent")
"""Figures of which every round is shown when they differ: a median could hide a lost text."""


async def echoed(port: int, count: int, size: int) -> dict[str, Any]:
    """Return how fast frames of ``size`` bytes come back when nothing is done with them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    window, taken = asyncio.Semaphore(WINDOW), list[float]()
    written: asyncio.Queue[float] = asyncio.Queue()

    async def back() -> None:
        for _ in range(count):
            await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
            taken.append(time.perf_counter() - written.get_nowait())
            window.release()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(back())
        for _ in range(count):
            await window.acquire()
            written.put_nowait(time.perf_counter())
            writer.write(size.to_bytes(4) + bytes(size - 4))
    seconds = time.perf_counter() - began
    writer.close()
    return {"rate": count / seconds, **apart.spread(taken)}


def account(port: int) -> dict[str, Any]:
    """Return the settings of the account with the carrier."""
    return {
        "kind": "cmpp", "host": "127.0.0.1", "port": port, "sp_id": SP_ID, "secret": SECRET, "version": 3,
        "src_id": NUMBER, "signature": "泰安12345", "rate": RATE, "window": WINDOW,
    }  # fmt: skip


def submitting(pipe: Connection, folder: str, count: int) -> dict[str, Any]:
    """Return how fast the channel sends, beside the echo."""
    apart.quiet()
    port, echo = pipe.recv()
    return uvloop.run(_submitting(pipe, port, echo, folder, count))


async def _submitting(pipe: Connection, port: int, echo: int, folder: str, count: int) -> dict[str, Any]:
    async with gateway.running(_settings(port, folder)) as running:
        channel = await _linked(running)
        left, taken = iter(range(count)), list[float]()

        async def send() -> None:
            for number in left:
                began = time.perf_counter()
                to = Address("sms", str(FIRST + number))
                await channel.send(OutboundMessage(str(number), to, f"{number % 100:02}号：{MATTER}"))
                taken.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
        rate = len(taken) / (time.perf_counter() - began)
    seen = await _told(pipe, "seen")
    return await _beside_echo({"rate": rate, **apart.spread(taken), **seen}, echo, count)


def delivering(pipe: Connection, folder: str, count: int) -> dict[str, Any]:
    """Return how fast a whole gateway takes texts in and answers them, beside the echo."""
    apart.quiet()
    port, echo = pipe.recv()
    return uvloop.run(_delivering(pipe, port, echo, folder, count))


async def _delivering(pipe: Connection, port: int, echo: int, folder: str, count: int) -> dict[str, Any]:
    async with gateway.running(_settings(port, folder)) as running:
        await _linked(running)
        said = await _told(pipe, "say")
        rows, different = await running.books.store.read(_counts)
        said |= {"rows": rows, "distinct": different, "memory_mb": apart.peak_mb()}
    return await _beside_echo(said, echo, count)


async def _beside_echo(found: dict[str, Any], echo: int, count: int) -> dict[str, Any]:
    floor = await echoed(echo, count, found["frame_bytes"])
    return (
        {"of_echo": found["rate"] / floor["rate"]}
        | found
        | {f"echo_{name}": each for name, each in floor.items()}
    )


async def _linked(running: Gateway) -> Channel:
    channel = running.channels["sms"]
    assert isinstance(channel, Channel)
    async with asyncio.timeout(PATIENCE):
        await channel.link.up()
    return channel


async def _told(pipe: Connection, word: str) -> dict[str, Any]:
    pipe.send(word)
    told: dict[str, Any] = await asyncio.to_thread(pipe.recv)
    return told


def _settings(port: int, folder: str) -> Settings:
    return load(None, {}, database=f"sqlite:///{folder}/bench.sqlite3", channels={"sms": account(port)})


def _counts(database: Database) -> tuple[int, int]:
    columns = func.count(), func.count(distinct(INBOX.c.conversation))
    inbox, different = database.execute(select(*columns).select_from(INBOX)).one()
    return inbox, different


def measure(count: int) -> dict[str, dict[str, Any]]:
    """Measure both ways once."""
    found = {}
    for name, work, receipts in (("submit", submitting, "never"), ("deliver", delivering, "after")):
        with (
            tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder,
            apart.beside(carry, receipts, count) as pipe,
        ):
            found[name] = apart.alone(work, pipe, folder, count)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench sms", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--texts", type=int, default=TEXTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
        sync = sync_seconds(Path(folder))
    rounds = [measure(given.texts) for _ in range(given.rounds)]
    ways = {way: apart.middle([each[way] for each in rounds], exact=COUNTED) for way in rounds[0]}
    report = {"fsync_p50_ms": round(sync * 1000, 3), "texts": given.texts, **ways}
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


if __name__ == "__main__":
    main()
