"""The pipeline: what arrived while the last batch was committing is the next batch; one commit for all of it.

Nobody is answered before that commit. A conversation has one message in flight at a time, which keeps it in order
without a lock and writes every message down exactly once. A store that has to be waited for takes a second batch,
of other conversations, meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from gateway.batch import Answer, Fate
from gateway.runtime import millis
from gateway.store.rows import Conflict, Rows
from normalizer.errors import Busy
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bots.contract import Moment
    from gateway.batch import Decider, Item
    from gateway.metrics import Metrics
    from gateway.store.store import Store

log = structlog.get_logger()

BATCH = 256
TRIES = 3
MARK_DELAY = 0.02
"""Seconds that marks of written replies wait for a batch to ride in before they are committed alone."""
FAILURE_PAUSE = 0.2
"""Seconds of rest after a batch that could not be written, so that a full disk is not asked in a tight circle."""
RETRY_GRACE_MS = 15_000
"""How long a reply nobody took waits for the provider's own retry before the outbox sends it (wechat.md 2.2)."""


class Pipeline:
    """Takes messages in, one batch at a time."""

    def __init__(
        self,
        *,
        store: Store,
        decider: Decider,
        metrics: Metrics,
        moment: Callable[[], Moment],
        now: Callable[[], datetime],
        queued: Callable[[], None],
        handed: Callable[[], None],
        wanted: Callable[[], None],
        pending: int,
    ) -> None:
        self._store = store
        self._decider = decider
        self._metrics = metrics
        self._moment = moment
        self._now = now
        self._queued = queued
        self._handed = handed
        self._wanted = wanted
        self._limit = pending
        self._pending: deque[Item] = deque()
        self._under_way: dict[tuple[bytes, str], Item] = {}
        self._talking: set[bytes] = set()
        self._written: list[tuple[bytes, int]] = []
        self._released: list[tuple[bytes, int]] = []
        self._wake = asyncio.Event()
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
        if not self._written:
            asyncio.get_running_loop().call_later(MARK_DELAY, self._wake.set)
        self._written.append((row, millis(self._now())))

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
            items = self._take()
            if items or self._written or self._released:
                await self._batch(items)
            else:
                self._wake.clear()
                await self._wake.wait()
        self._wake.set()

    def stop(self) -> None:
        """Take nothing more in, and end once the line is empty."""
        self._stopping = True
        self._wake.set()

    def _work_left(self) -> bool:
        return bool(self._pending or self._written or self._released)

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
        rows = Rows(written=self._written, released=self._released)
        self._written, self._released = [], []
        try:
            fates = await self._commit(items, rows)
        except Exception:
            log.exception("batch.failed", messages=len(items))
            self._written = rows.written + self._written
            self._released = rows.released + self._released
            self._drop(items)
            await asyncio.sleep(FAILURE_PAUSE)
            return
        finally:
            self._talking.difference_update([item.conversation for item in items])
            self._wake.set()
        self._settle(fates)
        self._metrics.batch(len(items), time.perf_counter() - started)

    async def _commit(self, items: Sequence[Item], rows: Rows) -> dict[Item, Fate]:
        for _ in range(TRIES):
            try:
                return await self._once(items, rows)
            except Conflict as conflict:
                again = conflict
                rows.forget_turns()
        raise again

    async def _once(self, items: Sequence[Item], rows: Rows) -> dict[Item, Fate]:
        clock = asyncio.get_running_loop().time()
        async with self._store.batch() as batch:
            fates = await self._decider.decide(batch, items, rows, self._moment(), clock)
            won = await batch.write(rows)
        if any(row.state == OutState.QUEUED for row in rows.outgoing):
            self._queued()
        if rows.wanted:
            self._wanted()
        for rated in rows.rated:
            self._metrics.rated(rated.score)
        for item, fate in fates.items():
            if fate.claim is not None and fate.claim not in won:
                fates[item] = fate._replace(answer=Answer(repeat=True))
        return fates

    def _settle(self, fates: dict[Item, Fate]) -> None:
        clock = asyncio.get_running_loop().time()
        for item, fate in fates.items():
            del self._under_way[item.key]
            answer = fate.answer
            self._metrics.received(item.message.account, fate.outcome)
            self._metrics.acknowledged(clock - item.arrived)
            taken = [waiter for waiter in item.waiters if not waiter.done()]
            for waiter in taken:
                waiter.set_result(answer)
            if answer.reply is not None and not taken:
                self._released.append((answer.reply, millis(self._now()) + RETRY_GRACE_MS))

    def _drop(self, items: Sequence[Item]) -> None:
        for item in items:
            del self._under_way[item.key]
            _refuse(item)


def _refuse(item: Item) -> None:
    for waiter in item.waiters:
        if not waiter.done():
            waiter.set_exception(Busy("not written down in time"))
