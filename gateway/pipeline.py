"""The pipeline: what arrived while the last batch was committing is the next batch; one commit for all of it.

Nobody is answered before that commit. A conversation has one message in flight at a time, which keeps it in order
without a lock and writes every message down exactly once. A store that has to be waited for takes a second batch,
of other conversations, meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.batch import Answer, Fate
from gateway.runtime import millis
from gateway.store.rows import Conflict, Rows, Unsure
from gateway.turns import PASSIVE_LEASE_MS
from normalizer.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bots.contract import Moment
    from channels.contract import Shape
    from gateway.batch import Decider, Item
    from gateway.metrics import Metrics
    from gateway.store.store import Batch, Store

log = structlog.get_logger()

BATCH = 256
TRIES = 3
STILL = 24
"""Turns of the loop that bring no message, after which a batch begins: some hundredths of a millisecond."""
LOOKS = 30.0
"""Seconds in which each message and its conversation is looked for first, after one proved to be a repeat or overtaken.

In calm times none is: the first repeat is refused by its key when it is written, what another process did to a
conversation by its version, and the batch decided anew.
"""
SECOND = 24
"""Messages that are worth a batch beside another: each costs the round trips of a transaction, however few they are."""
MARK_DELAY = 0.02
"""Seconds that marks of written replies wait for a batch to ride in before they are committed alone."""
LANDING = 1.0
"""Seconds after which replies that were not seen to reach the network are doubted."""
FAILURE_PAUSE = 0.2
"""Seconds of rest after a batch that could not be written, so that a full disk is not asked in a tight circle."""
RETRY_GRACE_MS = 15_000
"""How long a reply nobody took waits for the provider's own retry before the outbox sends it (wechat.md 2.2)."""


@dataclass(slots=True, eq=False)
class Flight:
    """The passive replies of one batch that were not seen yet to reach the network."""

    id: bytes
    rows: set[bytes]


class Pipeline:
    """Takes messages in, one batch at a time."""

    def __init__(
        self,
        *,
        ids: Callable[[], bytes],
        store: Store,
        decider: Decider,
        metrics: Metrics,
        moment: Callable[[], Moment],
        now: Callable[[], datetime],
        queued: Callable[[], None],
        handed: Callable[[], None],
        wanted: Callable[[], None],
        joined: Callable[[], None],
        pending: int,
    ) -> None:
        self._ids = ids
        self._store = store
        self._decider = decider
        self._metrics = metrics
        self._moment = moment
        self._now = now
        self._queued = queued
        self._handed = handed
        self._wanted = wanted
        self._joined = joined
        self._limit = pending
        self._pending: deque[Item] = deque()
        self._under_way: dict[tuple[bytes, str], Item] = {}
        self._talking: set[bytes] = set()
        self._written: list[tuple[bytes, int]] = []
        self._released: list[tuple[bytes, int]] = []
        self._flying: dict[bytes, Flight] = {}
        self._landed: list[bytes] = []
        self._doubted: list[tuple[bytes, int]] = []
        self._wake = asyncio.Event()
        self._waking: asyncio.TimerHandle | None = None
        self._batches = 0
        self._look_until = 0.0
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether nothing more is taken in."""
        return self._stopping

    @property
    def depth(self) -> int:
        """How many messages wait for a batch."""
        return len(self._pending)

    def submit(self, item: Item) -> None:
        """Put a message in line, or join the same message already there; raises Busy when the line is full."""
        if (same := self._under_way.get(item.key)) is not None:
            same.waiters += item.waiters
            same.asked = item.arrived
            return
        if self._stopping or len(self._pending) >= self._limit:
            raise Busy
        self._under_way[item.key] = item
        self._pending.append(item)
        self._wake.set()

    def written(self, row: bytes) -> None:
        """Note that a passive reply reached the network; the mark rides in the next commit."""
        flight = self._flying.pop(row, None)
        if flight is None:
            # It was claimed, or told again: of these each is marked for itself.
            self._written.append((row, millis(self._now())))
            self._wake_later()
        else:
            self._off(flight, row)

    def _off(self, flight: Flight, row: bytes) -> None:
        flight.rows.discard(row)
        if not flight.rows:
            self._landed.append(flight.id)
            self._wake_later()

    def _doubt(self, flight: Flight) -> None:
        """End a flight of which some replies were not seen to reach the network; these have a lease of their own."""
        if not flight.rows:
            return
        until = millis(self._now()) + PASSIVE_LEASE_MS
        self._doubted += [(row, until) for row in flight.rows]
        for row in flight.rows:
            self._flying.pop(row, None)
        self._landed.append(flight.id)
        self._wake.set()

    def _wake_later(self) -> None:
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(MARK_DELAY, self._wake_now)

    def _wake_now(self) -> None:
        self._waking = None
        self._wake.set()

    def expire(self, before: float) -> None:
        """Answer Busy to all whose message was brought last before ``before`` (loop time) and waits for a commit."""
        for item in self._under_way.values():
            if item.asked < before:
                _refuse(item)

    async def run(self) -> None:
        """Work until stopped; what is in line then is finished first."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self._store.batches):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopping or self._work_left():
            await self._gather()
            items = self._take() if self._worth_a_batch() else []
            if items or (self._marks_left() and not self._batches):
                await self._batch(items)
            else:
                self._wake.clear()
                await self._wake.wait()
        self._wake.set()

    async def _gather(self) -> None:
        """Let come what is about to come anyway: a greater batch costs each of its messages less.

        It waits for no timer, only for turns of the loop, and no longer than they bring something.
        """
        still = 0
        while 0 < len(self._pending) < BATCH and still < STILL:
            before = len(self._pending)
            await asyncio.sleep(0)
            still = still + 1 if len(self._pending) == before else 0

    def _worth_a_batch(self) -> bool:
        """Return whether what is in line need not wait for the batch that is being written."""
        return not self._batches or len(self._pending) >= SECOND

    def stop(self) -> None:
        """Take nothing more in, and end once the line is empty."""
        self._stopping = True
        self._wake.set()

    def _work_left(self) -> bool:
        return bool(self._pending) or self._marks_left()

    def _marks_left(self) -> bool:
        return bool(self._written or self._released or self._landed)

    def _take(self) -> list[Item]:
        taken: list[Item] = []
        left: list[Item] = []
        while self._pending and len(taken) < BATCH:
            item = self._pending.popleft()
            if item.conversation in self._talking:
                left.append(item)
            else:
                self._talking.add(item.conversation)
                taken.append(item)
        self._pending.extendleft(reversed(left))
        return taken

    async def _batch(self, items: list[Item]) -> None:
        started = time.perf_counter()
        self._batches += 1
        rows = Rows(
            written=self._written, released=self._released, landed=self._landed, doubted=self._doubted
        )
        self._written, self._released, self._landed, self._doubted = [], [], [], []
        try:
            fates = await self._commit(items, rows)
        except Exception:
            log.exception("batch.failed", messages=len(items))
            self._decider.forget(items)
            self._written = rows.written + self._written
            self._released = rows.released + self._released
            self._landed = rows.landed + self._landed
            self._doubted = rows.doubted + self._doubted
            self._drop(items)
            await asyncio.sleep(FAILURE_PAUSE)
            return
        finally:
            self._batches -= 1
            self._talking.difference_update([item.conversation for item in items])
            self._wake.set()
        self._take_off(rows)
        self._settle(fates)
        self._metrics.batch(len(items), time.perf_counter() - started)

    async def _commit(self, items: Sequence[Item], rows: Rows) -> dict[Item, Fate]:
        clock = asyncio.get_running_loop().time
        looks = clock() < self._look_until
        for _ in range(TRIES):
            try:
                return await self._once(items, rows, looks=looks)
            except Conflict as conflict:
                again, looks = conflict, True
                rows.forget_turns()
                self._decider.forget(items)
                if not isinstance(conflict, Unsure):
                    self._look_until = clock() + LOOKS
        raise again

    async def _once(self, items: Sequence[Item], rows: Rows, *, looks: bool) -> dict[Item, Fate]:
        clock = asyncio.get_running_loop().time()
        async with self._store.batch() as batch:
            fates = await self._decider.decide(batch, items, rows, self._moment(), clock, looks=looks)
            until = millis(self._now()) + PASSIVE_LEASE_MS
            members = b"".join([row.conversation + row.id for row in rows.replies])
            rows.flight = (self._ids(), until, members) if members else None
            won = await self._written_down(batch, rows, fates)
        self._decider.wrote(rows)
        self._tell(rows)
        if looks and any(fate.outcome == "repeat" for fate in fates.values()):
            self._look_until = clock + LOOKS
        for item, fate in fates.items():
            if fate.claim is not None and fate.claim not in won:
                fates[item] = fate._replace(answer=Answer(repeat=True))
        return fates

    def _tell(self, rows: Rows) -> None:
        """Wake whoever has to do with what was written."""
        if rows.outgoing:
            self._queued()
        if rows.wanted:
            self._wanted()
        if rows.desk or rows.waits:
            self._handed()
        if rows.bindings:
            self._joined()
        for rated in rows.rated:
            self._metrics.rated(rated.score)

    async def _written_down(self, batch: Batch, rows: Rows, fates: dict[Item, Fate]) -> frozenset[bytes]:
        """Write a batch, and give its replies their shape while the disk is waited for."""
        shapes = [
            (item, shape, text)
            for item, fate in fates.items()
            if (shape := item.shape) is not None and (text := fate.answer.text) is not None
        ]
        if not shapes:
            return await batch.write(rows)
        writing = asyncio.ensure_future(batch.write(rows))
        try:
            # It begins now, and runs until it waits.
            await asyncio.sleep(0)
            for item, shape, text in shapes:
                item.shaped = _shaped(shape, text)
        finally:
            # Whatever happens here, nothing else may be written before it ends.
            won = await writing
        return won

    def _take_off(self, rows: Rows) -> None:
        if rows.flight is None:
            return
        flight = Flight(rows.flight[0], {row.id for row in rows.replies})
        self._flying |= dict.fromkeys(flight.rows, flight)
        asyncio.get_running_loop().call_later(LANDING, self._doubt, flight)

    def _settle(self, fates: dict[Item, Fate]) -> None:
        clock = asyncio.get_running_loop().time()
        for item, fate in fates.items():
            del self._under_way[item.key]
            answer = fate.answer
            self._metrics.received(item.message.account, fate.outcome)
            self._metrics.acknowledged(clock - item.arrived)
            taken = [waiter for waiter in item.waiters if not waiter.done()]
            for waiter in taken:
                waiter.set_result((answer, item.shaped))
            if answer.reply is not None and not taken:
                self._released.append((answer.reply, millis(self._now()) + RETRY_GRACE_MS))
                if (flight := self._flying.pop(answer.reply, None)) is not None:
                    self._off(flight, answer.reply)

    def _drop(self, items: Sequence[Item]) -> None:
        for item in items:
            del self._under_way[item.key]
            _refuse(item)


def _shaped(shape: Shape, text: str) -> bytes | None:
    try:
        return shape(text)
    except Exception:
        # It fails again for the one who brought the message; the batch is everybody's.
        log.exception("shape.failed")
        return None


def _refuse(item: Item) -> None:
    for waiter in item.waiters:
        if not waiter.done():
            waiter.set_exception(Busy("not written down in time"))
