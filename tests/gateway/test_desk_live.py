"""What the open pages of the desk cost: one reader for all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from gateway.desk.accounts import Account
from gateway.desk.rights import Role
from gateway.store import desk as sql
from gateway.web.desk.live import HELD, READ, Hub, Stream
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
    floor, counting = Floor(store), Counting(store)
    accounts = [_account(number.to_bytes(16)) for number in range(pages)]
    async with _followed(floor, counting) as (hub, woken):
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(hub.open(account)) for account in accounts]
            await hub.last()
            before = counting.reads
            await floor.waits("li")
            woken.set()
            async with asyncio.timeout(10):
                told = [await stream.waiting.get() for stream in streams if stream]
            assert {news.kind for news in told} == {"line"}
            # The events, what they mean, and that there are no more.
            assert counting.reads - before <= 3


async def test_what_was_missed_is_told_as_it_was_told_live_nothing_twice_and_to_whom_it_may(store):
    floor = Floor(store)
    one, two = await floor.agent("one", capacity=9), await floor.agent("two")
    boss = await floor.agent("boss", role="supervisor")
    pages = [_account(one), _account(two), _account(boss, Role.SUPERVISOR)]
    async with _followed(floor, store) as (hub, woken):
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(hub.open(page)) for page in pages]
            await hub.last()
            last = await _happens(floor, one, boss)
            assert last > READ
            woken.set()
            for page, stream in zip(pages, streams, strict=True):
                assert stream is not None
                live = await _told(stream, last)
                for after in (0, 1, last // 2, last - 1):
                    missed = await hub.missed(page, after, last) or []
                    assert _lines(missed) == [line for line in _lines(live) if line[0] > after]
                    assert len({(news.id, news.kind) for news in missed}) == len(missed)
                whispers = [news for news in live if "悄悄话" in news.data]
                assert len(whispers) == (0 if page.id == two else TIMES)


async def test_many_events_are_made_news_of_by_as_many_questions_as_few(store):
    floor = Floor(store)
    one, boss = await floor.agent("one", capacity=9), await floor.agent("boss", role="supervisor")
    last = await _happens(floor, one, boss)
    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    async with _followed(floor, store) as (hub, _):
        questions = []
        event.listen(Engine, "before_cursor_execute", count)
        try:
            for many in (READ, 60):
                asked.clear()
                assert await hub.missed(_account(boss, Role.SUPERVISOR), last - many, last)
                questions.append(len(asked))
        finally:
            event.remove(Engine, "before_cursor_execute", count)
    assert questions[0] == questions[1] > 0


def test_a_page_that_takes_nothing_is_let_go_and_the_others_are_not_kept_waiting():
    slow = Stream(_account(bytes(16)))
    for number in range(HELD + 1):
        slow.tell(News(number, "talk", "{}"))
    assert slow.closed == "slow"
    assert slow.waiting.qsize() == 1


TIMES = 40
TALKS = 4


async def _happens(floor: Floor, agent: bytes, boss: bytes) -> int:
    """Let much happen in some talks, of every kind that has a line of its own, and return the last event's number."""
    talks = [await floor.waits(f"c{n}") for n in range(TALKS)]
    held = [await floor.desk.take(agent, talk, 1) for talk in talks]
    for n in range(TIMES):
        await floor.chose(agent, "busy")
        for each in held:
            named = (agent, each.conversation, each.epoch)
            await floor.desk.note(agent, each.conversation, f"记录{n}")
            written = await floor.desk.reply(*named, f"您好{n}", f"{each.conversation!r}{n}")
            await floor.desk.hold(*named, held=True)
            if n % 2:
                await floor.desk.undo(*named, written.row)
        await floor.desk.note(boss, talks[0], f"悄悄话{n}", whisper=True)
    return await floor.store.read(sql.last_event)


async def _told(stream: Stream, last: int) -> list[News]:
    """Return what a page was told up to an event."""
    told: list[News] = []
    async with asyncio.timeout(30):
        while not told or (told[-1].id or 0) < last:
            told.append(await stream.waiting.get())
    return told


def _lines(told: Sequence[News]) -> list[tuple[int, str, str]]:
    """What an event says for itself; a talk is told as it stands, once for all that was read together."""
    return [(news.id, news.kind, news.data) for news in told if news.id and news.kind != "talk"]


@contextlib.asynccontextmanager
async def _followed(floor: Floor, store: Any) -> AsyncIterator[tuple[Hub, asyncio.Event]]:
    """Run a hub inside the block; it looks when the event is set."""
    woken = asyncio.Event()

    async def wait(_: float) -> None:
        await woken.wait()
        woken.clear()

    links: Any = SimpleNamespace()
    reading = Reading(floor.store, floor.sealer, {}, links, floor.desk.rules, floor.clock)
    hub = Hub(store=store, reading=reading, now=floor.clock, woken=wait, replayed=10 * READ)
    reader = asyncio.create_task(hub.run())
    yield hub, woken
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


def _account(agent: bytes, role: Role = Role.AGENT) -> Account:
    nothing: frozenset[str] = frozenset()
    return Account(agent, "a", "a", role, nothing, nothing, 3, False, False, False, 0)
