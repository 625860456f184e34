"""Sends what is owed: claim as many as can be sent at once, send them, write down what became of each.

One commit writes down what has ended and claims what takes its place. A row is claimed only when a place is free for
it, so that the time between the claim and the network is as short as it can be; a kill in that time leaves a row that
is written off as unknown, never one that is sent twice.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from channels.contract import SendError, SendReason
from normalizer.errors import InvalidInput
from normalizer.message import Address, OutboundMessage
from outbox import enclosed, queue, retry, route
from outbox.queue import HELD, Claimed, Settled
from outbox.render import DISCREET
from outbox.route import CUSTOM, SUBSCRIBE, Drop, HoldUntil, NoRoute, SendBy, Standing
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sqlalchemy import Connection

    from channels.contract import Channel
    from outbox.route import Quiet

log = structlog.get_logger()
T = TypeVar("T")

PLACES = 24
"""How many messages of one account are sent at once; each account has its own, so one that hangs starves none."""
LEASE_MS = 60_000
SEND_SECONDS = 15.0
"""Shorter than a stop waits, so that a stop leaves nothing unknown that could still be known."""
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


class Sender:
    """Works off the queue until stopped."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[str, Channel],
        unseal: Callable[[bytes], bytes],
        quiet: Quiet,
        elsewhere: Callable[[Connection, Claimed], str],
        wake: Wake,
        meter: Meter,
        now: Callable[[], datetime],
        random: Callable[[], float],
        patience: float = SEND_SECONDS,
    ) -> None:
        self._store = store
        self._channels = channels
        self._unseal = unseal
        self._quiet = quiet
        self._elsewhere = elsewhere
        self._wake = wake
        self._meter = meter
        self._now = now
        self._random = random
        self._patience = patience
        self._jobs: dict[asyncio.Task[Settled], Claimed] = {}
        self._woken: asyncio.Task[None] | None = None
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; what is being sent is finished."""
        self._stopping = True
        if self._woken is not None:
            self._woken.cancel()

    async def run(self) -> None:
        """Send until stopped."""
        try:
            while not self._stopping or self._jobs:
                if not await self._guarded(self._step()):
                    await self._rest()
        finally:
            for task in self._jobs:
                task.cancel()
            if self._woken is not None:
                self._woken.cancel()

    async def once(self) -> int:
        """Send what is due now, wait for its end, and return how many rows were taken up."""
        taken = await self._step()
        if self._jobs:
            await asyncio.wait(self._jobs)
            await self._write_down()
        return taken

    async def _guarded(self, step: Awaitable[int]) -> int:
        try:
            return await step
        except Exception:
            log.exception("outbox.failed")
            await asyncio.sleep(PAUSE)
            return 0

    async def _rest(self) -> None:
        """Wait until something was queued, something ended, or it is time to sweep."""
        if not self._stopping and (self._woken is None or self._woken.done()):
            self._woken = asyncio.create_task(self._wake.wait("outbox", SWEEP_SECONDS))
        woken = () if self._stopping or self._woken is None else (self._woken,)
        if waited := {*woken, *self._jobs}:
            await asyncio.wait(waited, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    async def _step(self) -> int:
        """Write down what has ended, and begin what is due; return how many were begun."""
        if self._stopping:
            await self._write_down()
            return 0
        ended = self._ended()
        lost, rows = await self._store.write(partial(self._turn_over, ended=list(ended.values())))
        self._forget(ended)
        if lost:
            log.warning("outbox.written_off", rows=lost)
        for row in rows:
            self._jobs[asyncio.create_task(self._send(row))] = row
        return len(rows)

    async def _write_down(self) -> None:
        if ended := self._ended():
            await self._store.write(partial(self._settle, ended=list(ended.values())))
            self._forget(ended)

    def _ended(self) -> dict[asyncio.Task[Settled], Settled]:
        return {task: task.result() for task in self._jobs if task.done()}

    def _forget(self, ended: Mapping[asyncio.Task[Settled], Settled]) -> None:
        for task, settled in ended.items():
            del self._jobs[task]
            self._meter.sent(settled.row.account, settled.state.value)

    def _settle(self, connection: Connection, ended: list[Settled]) -> None:
        """Write down what became of rows; what found no way of its own account is told by another address."""
        undelivered = queue.settle(connection, ended)
        for one in (*undelivered, *(one for one in ended if one.astray)):
            if way := self._elsewhere(connection, one.row):
                queue.moved(connection, one.row.id, f"{one.outcome or 'not delivered'}; told by {way}")

    def _turn_over(self, connection: Connection, ended: list[Settled]) -> tuple[int, list[Claimed]]:
        # Our own word first: what has ended here is not to be written off.
        self._settle(connection, ended)
        now = _ms(self._now())
        lost = queue.expire(connection, now)
        held = Counter(row.account for row in self._jobs.values()) - Counter(one.row.account for one in ended)
        busy = [account for account, count in held.items() if count >= PLACES]
        most = max((count for account, count in held.items() if account not in busy), default=0)
        elsewhere = [account for account, channel in self._channels.items() if not channel.sends_here]
        return lost, queue.claim(connection, now, PLACES - most, now + LEASE_MS, [*busy, *elsewhere])

    async def _send(self, row: Claimed) -> Settled:
        """Send one row by the way that is open, and say what became of it. Never raises."""
        try:
            return await self._sent(row)
        except Exception as error:
            log.exception("outbox.row_broke", account=row.account, row=row.id.hex())
            return self._settled(row, OutState.UNKNOWN, type(error).__name__)

    async def _sent(self, row: Claimed) -> Settled:
        channel = self._channels.get(row.account)
        if channel is None:
            return self._settled(row, OutState.DEAD, "no such account any more")
        match self._way(row, channel):
            case SendBy() as way:
                return await self._by(way, row, channel)
            case HoldUntil(at):
                return self._settled(row, OutState.QUEUED, HELD, next_at=_ms(at))
            case Drop(reason):
                return self._settled(row, OutState.BURIED, reason)
            case NoRoute(reason):
                return replace(self._settled(row, OutState.DEAD, reason), astray=True)

    def _way(self, row: Claimed, channel: Channel) -> SendBy | HoldUntil | Drop | NoRoute:
        tried = route.refused(row.route)
        standing = Standing(_at(row.window_until), row.window_left, bool(row.opted_out), tried, row.consents)
        return route.choose(row.notice, standing, channel.capabilities, self._quiet, self._now())

    async def _by(self, way: SendBy, row: Claimed, channel: Channel) -> Settled:
        try:
            message = self._message(way, row)
        except (InvalidInput, ValueError) as error:
            log.exception("outbox.unreadable", account=row.account, row=row.id.hex())
            return self._settled(row, OutState.DEAD, f"cannot be read: {type(error).__name__}")
        try:
            async with asyncio.timeout(self._patience):
                result = await channel.send(message)
        except SendError as error:
            return self._failed(way, row, error)
        except TimeoutError:
            return self._failed(way, row, SendError(SendReason.TIMEOUT, f"no answer in {self._patience:g} s"))
        except Exception as error:
            log.exception("outbox.adapter_broke", account=row.account, row=row.id.hex())
            return self._tried(way, row, OutState.UNKNOWN, type(error).__name__)
        why = "; ".join(filter(None, (way.why, result.instead)))
        return self._tried(way, row, OutState.SENT, why, names=result.names)

    def _message(self, way: SendBy, row: Claimed) -> OutboundMessage:
        text = self._unseal(row.body).decode()
        address = Address(row.account, self._unseal(row.address).decode())
        fields: dict[str, str] = {}
        brings = enclosed.NOTHING
        if way.template:
            fields = self._fields(row, text)
        elif row.fields is not None:
            brings = enclosed.load(json.loads(self._unseal(row.fields)))
        thread = self._unseal(row.thread).decode() if row.thread else ""
        return OutboundMessage(
            id=row.id.hex(),
            address=address,
            text=text,
            template=way.template,
            consented=way.route == SUBSCRIBE,
            fields=fields,
            notice=row.notice,
            case_no=row.case_no,
            thread=thread,
            part=brings.part,
            menu=brings.menu,
            card=brings.card,
        )

    def _fields(self, row: Claimed, text: str) -> dict[str, str]:
        """Return the values for a template; of a confidential case only that there is news."""
        made_of = json.loads(self._unseal(row.fields)) if row.fields else {}
        named = {"case_no": row.case_no, "tail": row.case_no[-7:]}
        if told := made_of.get(DISCREET):
            return {**named, "text": told}
        return {**made_of, **named, "text": text}

    def _failed(self, way: SendBy, row: Claimed, error: SendError) -> Settled:
        now = _ms(self._now())
        log.warning(
            "outbox.not_sent", account=row.account, row=row.id.hex(), reason=error.reason, detail=error.detail
        )
        age = (now - row.created_at) / 1000
        match retry.decide(error, row.attempts, age, self._random()):
            case retry.Again(delay):
                return self._again(way, row, error, row.route, next_at=now + int(delay * 1000))
            case retry.OtherWay():
                closed = way.route == CUSTOM and error.reason is SendReason.WINDOW
                again = self._again(
                    way, row, error, route.without(row.route, way.route), window_closed=closed
                )
                refused = way.route == SUBSCRIBE and error.reason is SendReason.REFUSED
                return replace(again, template=way.template, refused=refused)
            case retry.Unknown():
                return self._tried(way, row, OutState.UNKNOWN, str(error))
            case retry.GiveUp():
                return self._tried(way, row, OutState.DEAD, str(error))

    def _again(
        self,
        way: SendBy,
        row: Claimed,
        error: SendError,
        kept: str,
        *,
        next_at: int = 0,
        window_closed: bool = False,
    ) -> Settled:
        return Settled(
            row=row,
            state=OutState.QUEUED,
            at=_ms(self._now()),
            outcome=str(error),
            tried=way.route,
            route=kept,
            next_at=next_at,
            window_closed=window_closed,
        )

    def _tried(
        self, way: SendBy, row: Claimed, state: OutState, outcome: str = "", names: tuple[str, ...] = ()
    ) -> Settled:
        at = _ms(self._now())
        return Settled(
            row=row,
            state=state,
            at=at,
            outcome=outcome,
            tried=way.route,
            route=way.route,
            names=names,
            template=way.template,
        )

    def _settled(self, row: Claimed, state: OutState, outcome: str, *, next_at: int = 0) -> Settled:
        at = _ms(self._now())
        return Settled(row=row, state=state, at=at, outcome=outcome, route=row.route, next_at=next_at)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
