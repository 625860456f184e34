"""The pages of the desk that stand open: one reader in a process follows the events, for all of them together.

An event is read once, made into rows and lines once, and written to every page that may see it. A page that comes
back names the last event it saw and is told all that came after (Server-Sent Events, HTML 9.2).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.store import desk as talks
from gateway.web.desk.news import News, Reporter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from gateway.desk.accounts import Account
    from gateway.store.store import Store
    from gateway.web.desk.reading import Reading

log = structlog.get_logger()

LOOK = 1.0
"""Seconds after which the reader looks though nobody woke it: another process may have written."""
REST = 0.02
"""Seconds between two looks, so that a crowd of events is one reading."""
READ = 500
HELD = 2_000
"""Messages that may wait for one page; one that takes none of them is let go and comes back by itself."""
PER_PROCESS, PER_AGENT = 2_000, 12


@dataclass(eq=False, slots=True)
class Stream:
    """One open page; ``closed`` says why it is to go."""

    account: Account
    waiting: asyncio.Queue[News] = field(default_factory=lambda: asyncio.Queue(HELD))
    closed: str = ""

    def tell(self, news: News) -> None:
        """Have the page told, if it may see it."""
        if not news.may_see(self.account) or self.closed:
            return
        try:
            self.waiting.put_nowait(news)
        except asyncio.QueueFull:
            self.close("slow")

    def close(self, why: str) -> None:
        """Have the page go; what waits for it is dropped, for it comes back and asks for it."""
        self.closed = why
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(News(None, "bye", "{}"))


class Hub:
    """The open pages of a process; one that missed more than ``replayed`` events begins anew."""

    def __init__(
        self,
        *,
        store: Store,
        reading: Reading,
        now: Callable[[], datetime],
        woken: Callable[[float], Awaitable[None]],
        replayed: int,
    ) -> None:
        self._store = store
        self._reporter = Reporter(reading, now)
        self._woken = woken
        self._replayed = replayed
        self._streams: set[Stream] = set()
        self._some = asyncio.Event()
        self._ending = False
        self._at = -1
        self._placed = asyncio.Event()
        self._looked: set[bytes] = set()

    @contextlib.contextmanager
    def open(self, account: Account) -> Iterator[Stream | None]:
        """Open a stream inside the block, None where there are too many; an agent's oldest makes room."""
        if self._ending or len(self._streams) >= PER_PROCESS:
            yield None
            return
        own = [each for each in self._streams if each.account.id == account.id]
        for old in own[: max(0, len(own) - PER_AGENT + 1)]:
            old.close("moved")
        stream = Stream(account)
        self._streams.add(stream)
        self._some.set()
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def looked(self, conversation: bytes) -> None:
        """Have the pages told who looks at a talk now."""
        self._looked.add(conversation)

    def close(self) -> None:
        """Have all pages go, so that a stop waits for none of them."""
        self._ending = True
        for stream in tuple(self._streams):
            stream.close("ending")

    async def missed(self, account: Account, after: int, last: int) -> list[News] | None:
        """Return what somebody was not told of the events up to ``last``, None when that is too much."""
        if after > last or last - after > self._replayed:
            return None
        told: list[News] = []
        while after < last:
            events = await self._store.read(partial(talks.events, after=after, limit=min(READ, last - after)))
            told += await self._store.read(partial(self._reporter.told, events=events))
            after = events[-1].id
        return [news for news in told if news.may_see(account)]

    async def last(self) -> int:
        """Return the number of the newest event; the reader tells an open page all that comes after it."""
        await self._placed.wait()
        return await self._store.read(talks.last_event)

    async def run(self) -> None:
        """Follow the events, while any page is open, until cancelled."""
        while True:
            if not self._streams:
                self._at = -1
                self._placed.clear()
                self._some.clear()
                await self._some.wait()
            try:
                await self._look()
            except Exception:
                log.exception("desk.look_failed")
            await asyncio.sleep(REST)
            await self._woken(LOOK)

    async def _look(self) -> None:
        if self._at < 0:
            # Pages read from their own cursor when they open; what comes after this is told by the reader.
            self._at = await self._store.read(talks.last_event)
            self._placed.set()
            return
        looked, self._looked = self._looked, set()
        while events := await self._store.read(partial(talks.events, after=self._at, limit=READ)):
            self._tell(await self._store.read(partial(self._reporter.told, events=events)))
            self._at = events[-1].id
        if looked:
            self._tell(await self._store.read(partial(self._reporter.viewing, conversations=tuple(looked))))
        if self._reporter.watched:
            self._tell(await self._store.read(self._reporter.sent))

    def _tell(self, told: Sequence[News]) -> None:
        for news in told:
            for stream in tuple(self._streams):
                stream.tell(news)
