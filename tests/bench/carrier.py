"""The other end of ``tests.bench.sms``, in a process of its own: a carrier with a clock, and the echo that is the floor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from gateway.sandbox.ismg import cmpp
from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings, Delivery
from gateway.sandbox.ismg.cmpp_server import CmppLink
from gateway.sandbox.ismg.link import listening
from tests.bench import apart

WINDOW = 16
PATIENCE = 120.0
"""Seconds after which what has not come is counted as missing."""
SP_ID, SECRET, NUMBER = "906888", "bench", "1069012345"
MATTER = "人民路与建设路交叉口东北角的路灯坏了三天"
HEADER = 12
FIRST = 13_800_000_000


class TimedCarrier(Carrier):
    """A carrier that keeps when each text was written to the service and when the service took it."""

    def __init__(self, settings: CarrierSettings) -> None:
        super().__init__(settings)
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        self.sizes = {cmpp.SUBMIT: 0, cmpp.DELIVER: 0}


class TimedLink(CmppLink):
    """A connection that notes those times; the frame is written in the same step in which its body is made."""

    carrier: TimedCarrier

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer a request, and note how long a SUBMIT is."""
        if command == cmpp.SUBMIT:
            self.carrier.sizes[command] = HEADER + len(body)
        await super().received(command, sequence, body)

    def delivery(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return a DELIVER, and note when."""
        command, body = super().delivery(delivery)
        if delivery.receipt is None:
            self.carrier.sizes[command] = HEADER + len(body)
            self.carrier.began.setdefault(delivery.number, time.perf_counter())
        return command, body

    def result(self, delivery: Delivery, body: bytes) -> int:
        """Return the Result, and note when."""
        code = super().result(delivery, body)
        if delivery.receipt is None and code == 0:
            self.carrier.ended.setdefault(delivery.number, time.perf_counter())
        return code


def carry(pipe: Connection, receipts: str, count: int) -> None:
    """Be the carrier until the pipe closes: tell the ports; for "say" say ``count`` texts, for "seen" tell what came."""
    apart.quiet()
    with suppress(EOFError):
        asyncio.run(_carry(pipe, receipts, count))


async def _carry(pipe: Connection, receipts: str, count: int) -> None:
    carrier = TimedCarrier(CarrierSettings(SP_ID, SECRET, NUMBER, receipts=receipts, window=WINDOW))
    echo = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with listening(carrier, TimedLink) as server, echo:
        pipe.send((server.port, echo.sockets[0].getsockname()[1]))
        while word := await asyncio.to_thread(pipe.recv):
            pipe.send(await _say(carrier, count) if word == "say" else _seen(carrier))


async def _say(carrier: TimedCarrier, count: int) -> dict[str, Any]:
    for number in range(count):
        carrier.say(str(FIRST + number), f"{number % 100:02}号：{MATTER}")
    await _until(lambda: len(carrier.ended) >= count)
    taken = [carrier.ended[number] - carrier.began[number] for number in carrier.ended]
    seconds = max(carrier.ended.values(), default=1.0) - min(carrier.began.values(), default=0.0)
    await _until(lambda: _answered(carrier) >= count)
    until_all = time.perf_counter() - min(carrier.began.values(), default=0.0)
    return {
        "rate": len(taken) / seconds, **apart.spread(taken), "frame_bytes": carrier.sizes[cmpp.DELIVER],
        "taken": len(taken), "answered": _answered(carrier), "answered_rate": _answered(carrier) / until_all,
        "resent": carrier.counts["resent"],
    }  # fmt: skip


def _seen(carrier: TimedCarrier) -> dict[str, Any]:
    return {"frame_bytes": carrier.sizes[cmpp.SUBMIT], "came": carrier.counts["submits"]}


def _answered(carrier: Carrier) -> int:
    return sum(any(line.who == "service" for line in phone.lines) for phone in carrier.phones.values())


async def _until(done: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not done():
                await asyncio.sleep(0.02)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readexactly(4)
            writer.write(head + await reader.readexactly(int.from_bytes(head) - 4))
    writer.close()
