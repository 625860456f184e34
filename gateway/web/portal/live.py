"""What is said in open talks, told at once: one look at the store for all streams of a process, not one for each.

A line's id begins with its millisecond (UUIDv7), but lines are committed in another order than their ids are made.
So a look always goes a little way back, and what was told already is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.runtime import millis
from gateway.store import transcript

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import datetime

    from gateway.store.store import Store

log = structlog.get_logger()

LOOK = 1.0
"""Seconds between two looks when nobody tells that there is something."""
REST = 0.1
"""Seconds between two looks at the least."""
BACK = 15_000
"""Milliseconds that a look goes back: longer than a commit takes."""
PER_SESSION, PER_ADDRESS, PER_PROCESS = 3, 30, 1000
"""Streams that may be open at once; an office is one address."""


@dataclass(eq=False, slots=True)
class Stream:
    """One open page: whose talk it shows, where it asks from, and whether there is something new."""

    conversation: bytes
    address: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: str = ""
    """Why the page is to go: another one took its place (``moved``), or the process ends (``ending``)."""

    def close(self, why: str) -> None:
        """Have the page go."""
        self.closed = why
        self.changed.set()


class Hub:
    """The open pages of a process."""

    def __init__(
        self,
        *,
        store: Store,
        now: Callable[[], datetime],
        woken: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._now = now
        self._woken = woken
        self._streams: dict[bytes, list[Stream]] = defaultdict(list)
        self._some = asyncio.Event()
        self._ending = False

    @contextlib.contextmanager
    def open(self, conversation: bytes, address: str) -> Iterator[Stream | None]:
        """Open a stream inside the block, None where there are too many; a session's oldest makes room."""
        everything = [each for streams in self._streams.values() for each in streams]
        here = sum(1 for each in everything if each.address == address)
        if self._ending or len(everything) >= PER_PROCESS or here >= PER_ADDRESS:
            yield None
            return
        own, stream = self._streams[conversation], Stream(conversation, address)
        for old in own[: max(0, len(own) - PER_SESSION + 1)]:
            old.close("moved")
        own.append(stream)
        self._some.set()
        try:
            yield stream
        finally:
            own.remove(stream)
            if not own:
                self._streams.pop(conversation, None)

    def told(self, conversation: bytes) -> None:
        """Have the pages of a talk look now."""
        for stream in self._streams.get(conversation, ()):
            stream.changed.set()

    def close(self) -> None:
        """Have all pages go, so that a stop waits for none of them."""
        self._ending = True
        for streams in tuple(self._streams.values()):
            for stream in streams:
                stream.close("ending")

    async def run(self) -> None:
        """Look, while any page is open, until cancelled."""
        seen: frozenset[bytes] = frozenset()
        while True:
            if not self._streams:
                self._some.clear()
                await self._some.wait()
            try:
                seen = await self._look(seen)
            except Exception:
                log.exception("talk.look_failed")
            await asyncio.sleep(REST)
            await self._woken(LOOK)

    async def _look(self, seen: frozenset[bytes]) -> frozenset[bytes]:
        after = floor(millis(self._now()) - BACK)
        open_now = tuple(self._streams)
        found = await self._store.read(partial(transcript.fresh, conversations=open_now, after=after))
        for line, conversation in found:
            if line not in seen:
                self.told(conversation)
        return frozenset(line for line, _ in found)


def floor(ms: int) -> bytes:
    """Return the least id of a millisecond since the epoch (RFC 9562, 5.7)."""
    return max(ms, 0).to_bytes(6) + bytes(10)


def back(line: bytes) -> bytes:
    """Return the id from which to look again for what was committed after a line though its id is less."""
    return floor(int.from_bytes(line[:6]) - BACK)
