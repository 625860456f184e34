"""Sends what is owed: claim as many as can be sent at once, send them, write down what became of each.

A row is claimed only when a place is free for it, so that the time between the claim and the network is as short
as it can be; a kill in that time leaves a row that is written off as unknown, never one that is sent twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from channels.contract import SendError, SendReason
from normalizer.message import Address, OutboundMessage
from outbox import queue, retry, route
from outbox.queue import Claimed, Settled
from outbox.route import CUSTOM, Drop, HoldUntil, NoRoute, SendBy, Standing
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from channels.contract import Channel
    from outbox.route import Quiet

log = structlog.get_logger()
T = TypeVar("T")

PLACES = 32
PER_ACCOUNT = 24
"""Places one account may hold, so that one provider that hangs leaves places for the others."""
LEASE_MS = 60_000
SEND_SECONDS = 20.0
SWEEP_SECONDS = 2.0
PAUSE = 0.5


class Store(Protocol):
    """Where the queue is."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work and commit it."""
        ...


class Meter(Protocol):
    """Counts what was sent."""

    def sent(self, account: str, outcome: str) -> None:
        """Count one outcome."""
        ...


class Wake(Protocol):
    """Tells that something was queued."""

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when something was queued, or after so many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    row: Claimed
    task: asyncio.Task[Settled]


class Sender:
    """Works off the queue until stopped."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[str, Channel],
        unseal: Callable[[bytes], bytes],
        quiet: Quiet,
        wake: Wake,
        meter: Meter,
        now: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._store = store
        self._channels = channels
        self._unseal = unseal
        self._quiet = quiet
        self._wake = wake
        self._meter = meter
        self._now = now
        self._random = random
        self._jobs: dict[asyncio.Task[Settled], Claimed] = {}
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more; what is being sent is finished."""
        self._stop.set()

    async def run(self) -> None:
        """Send until stopped."""
        woken = asyncio.create_task(self._wake.wait("outbox", SWEEP_SECONDS))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set() or self._jobs:
                started = 0 if self._stop.is_set() else await self._guarded(self._start())
                if not started or len(self._jobs) >= PLACES:
                    woken = await self._rest(woken, stopped)
                await self._guarded(self._finish())
        finally:
            woken.cancel()
            stopped.cancel()

    async def once(self) -> int:
        """Send what is due now, wait for its end, and return how many rows were taken up."""
        taken = await self._start()
        if self._jobs:
            await asyncio.wait(self._jobs)
        await self._finish()
        return taken

    async def _guarded(self, work: Callable[..., T] | object) -> int:
        try:
            return int(await work or 0)  # type: ignore[misc]
        except Exception:
            log.exception("outbox.failed")
            await asyncio.sleep(PAUSE)
            return 0

    async def _rest(self, woken: asyncio.Task[None], stopped: asyncio.Task[bool]) -> asyncio.Task[None]:
        """Wait until something was queued, something ended, or it is time to sweep."""
        until = {woken, *self._jobs} | ({stopped} if not stopped.done() else set())
        await asyncio.wait(until, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not woken.done():
            return woken
        return asyncio.create_task(self._wake.wait("outbox", SWEEP_SECONDS))

    async def _start(self) -> int:
        free = PLACES - len(self._jobs)
        if free <= 0:
            return 0
        now = _ms(self._now())
        rows = await self._store.write(partial(self._claim, now=now, free=free))
        for row in rows:
            task = asyncio.create_task(self._send(row))
            self._jobs[task] = row
        return len(rows)

    def _claim(self, connection: Connection, now: int, free: int) -> list[Claimed]:
        queue.expire(connection, now)
        held = Counter(row.account for row in self._jobs.values())
        busy = [account for account, count in held.items() if count >= PER_ACCOUNT]
        return queue.claim(connection, now, min(free, PER_ACCOUNT), now + LEASE_MS, busy)

    async def _finish(self) -> int:
        done = [task for task in self._jobs if task.done()]
        if not done:
            return 0
        settled = [task.result() for task in done]
        await self._store.write(partial(queue.settle, settled=settled))
        for task, result in zip(done, settled, strict=True):
            row = self._jobs.pop(task)
            self._meter.sent(row.account, result.state.value)
        return len(done)

    async def _send(self, row: Claimed) -> Settled:
        """Send one row by the way that is open, and say what became of it. Never raises."""
        channel = self._channels.get(row.account)
        if channel is None:
            return self._settled(row, OutState.DEAD, "no such account any more", tried=False)
        way = self._way(row, channel)
        match way:
            case SendBy():
                return await self._by(way, row, channel)
            case HoldUntil(at):
                return self._settled(row, OutState.QUEUED, "quiet hours", tried=False, next_at=_ms(at))
            case Drop(reason):
                return self._settled(row, OutState.BURIED, reason, tried=False)
            case NoRoute(reason):
                return self._settled(row, OutState.DEAD, reason, tried=False)

    def _way(self, row: Claimed, channel: Channel) -> SendBy | HoldUntil | Drop | NoRoute:
        tried = (
            frozenset(row.route.removeprefix("not ").split("+"))
            if row.route.startswith("not ")
            else frozenset()
        )
        standing = Standing(_at(row.window_until), row.window_left, bool(row.opted_out), tried)
        return route.choose(row.notice, standing, channel.capabilities, self._quiet, self._now())

    async def _by(self, way: SendBy, row: Claimed, channel: Channel) -> Settled:
        text = self._unseal(row.body).decode()
        address = Address(row.account, self._unseal(row.address).decode())
        fields = {"case_no": row.case_no, "text": text} if way.template else {}
        message = OutboundMessage(row.id.hex(), address, text, template=way.template, fields=fields)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await channel.send(message)
        except SendError as error:
            return self._failed(way, row, error)
        except TimeoutError:
            return self._failed(way, row, SendError(SendReason.TIMEOUT, f"no answer in {SEND_SECONDS:.0f} s"))
        except Exception as error:
            log.exception("outbox.adapter_broke", account=row.account, row=row.id.hex())
            return self._settled(row, OutState.UNKNOWN, type(error).__name__, route=way.route)
        return self._settled(row, OutState.SENT, "", route=way.route)

    def _failed(self, way: SendBy, row: Claimed, error: SendError) -> Settled:
        now = _ms(self._now())
        log.warning(
            "outbox.not_sent", account=row.account, row=row.id.hex(), reason=error.reason, detail=error.detail
        )
        age = (now - row.created_at) / 1000
        match retry.decide(error, row.attempts, age, self._random()):
            case retry.Again(delay):
                return self._settled(
                    row, OutState.QUEUED, str(error), route="", next_at=now + int(delay * 1000)
                )
            case retry.OtherWay():
                refused = f"{row.route}+{way.route}" if row.route.startswith("not ") else f"not {way.route}"
                closed = way.route == CUSTOM and error.reason is SendReason.WINDOW
                again = self._settled(row, OutState.QUEUED, str(error), route=refused)
                return replace(again, window_closed=closed)
            case retry.Unknown():
                return self._settled(row, OutState.UNKNOWN, str(error), route=way.route)
            case retry.GiveUp():
                return self._settled(row, OutState.DEAD, str(error), route=way.route)

    def _settled(
        self,
        row: Claimed,
        state: OutState,
        outcome: str,
        *,
        route: str | None = None,
        tried: bool = True,
        next_at: int = 0,
    ) -> Settled:
        return Settled(
            id=row.id,
            conversation=row.conversation,
            state=state,
            at=_ms(self._now()),
            route=row.route if route is None else route,
            attempts=row.attempts if tried else row.attempts - 1,
            outcome=outcome,
            tried=tried,
            next_at=next_at,
        )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
