"""What the open pages of the desk cost: one reader for all of them."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.desk.accounts import Account
from gateway.desk.rights import Role
from gateway.web.desk.live import HELD, Hub, Stream
from gateway.web.desk.news import News
from gateway.web.desk.reading import Reading
from tests.kit.desk import Floor


class Counting:
    """A store that counts how often it is read."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.reads = 0

    async def read(self, work: Any) -> Any:
        self.reads += 1
        return await self.store.read(work)


@pytest.mark.parametrize("pages", [1, 200])
async def test_an_event_is_read_once_however_many_pages_are_open(store, pages):
    floor, counting, woken = Floor(store), Counting(store), asyncio.Event()

    async def wait(_: float) -> None:
        await woken.wait()
        woken.clear()

    links: Any = SimpleNamespace()
    reading = Reading(store, floor.sealer, {}, links, floor.desk.rules, floor.clock)
    hub = Hub(store=counting, reading=reading, now=floor.clock, woken=wait, replayed=100)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(hub.open(_account(number))) for number in range(pages)]
        reader = asyncio.create_task(hub.run())
        await hub.last()
        before = counting.reads
        await floor.waits("li")
        woken.set()
        async with asyncio.timeout(10):
            told = [await stream.waiting.get() for stream in streams if stream]
        assert {news.kind for news in told} == {"line"}
        # The events, what they mean, and that there are no more.
        assert counting.reads - before <= 3
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


def test_a_page_that_takes_nothing_is_let_go_and_the_others_are_not_kept_waiting():
    slow = Stream(_account(1))
    for number in range(HELD + 1):
        slow.tell(News(number, "talk", "{}"))
    assert slow.closed == "slow"
    assert slow.waiting.qsize() == 1


def _account(number: int) -> Account:
    nothing: frozenset[str] = frozenset()
    name = f"a{number}"
    return Account(number.to_bytes(16), name, name, Role.AGENT, nothing, nothing, 3, False, False, False, 0)
