import asyncio
import contextlib

import pytest

from channels.lease import Lease
from gateway.bus import MemoryBus

NAME = "sms:line"


class Shared(MemoryBus):
    """Values that all share, which can be out of reach, by a clock in the test's hand; counts what is stored."""

    def __init__(self):
        self.now = 0.0
        super().__init__(lambda: self.now)
        self.away = False
        self.stored = 0

    async def set(self, key, value, ttl):
        self.stored += 1
        await super().set(key, value, ttl)

    def lock(self, key, ttl, wait):
        return contextlib.nullcontext(enter_result=False) if self.away else super().lock(key, ttl, wait)


class Work:
    """Says when it is at it."""

    def __init__(self):
        self.begun = self.ended = 0
        self.at_it = False

    async def __call__(self):
        self.begun += 1
        self.at_it = True
        try:
            await asyncio.Event().wait()
        finally:
            self.at_it = False
            self.ended += 1


async def test_one_process_alone_begins_at_once():
    work, lease = Work(), Lease(Shared(), NAME)
    assert not lease.ours
    async with kept(lease, work):
        for _ in range(10):
            await asyncio.sleep(0)
        assert work.at_it
        assert lease.ours
    assert not lease.ours


async def test_two_are_never_at_it_together_and_the_second_takes_over():
    keys, first, second = Shared(), Work(), Work()
    holding = asyncio.create_task(Lease(keys, NAME).keep(first))
    await until(lambda: first.at_it)
    async with kept(Lease(keys, NAME, 0.06), second):
        await asyncio.sleep(0.05)  # some looks of the second
        assert not second.at_it
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        assert not first.at_it
        await until(lambda: second.at_it)


async def test_the_lease_of_a_process_that_died_ends_by_itself():
    keys, work = Shared(), Work()
    await keys.set(NAME, "a process that died", 30)
    async with kept(Lease(keys, NAME, 0.06), work):
        await asyncio.sleep(0.05)  # some looks
        assert not work.at_it
        keys.now = 30.0
        await until(lambda: work.at_it)


async def test_it_is_renewed_while_held():
    keys, work = Shared(), Work()
    async with kept(Lease(keys, NAME, 0.06), work):
        await until(lambda: keys.stored >= 4)
        assert (work.begun, work.ended) == (1, 0)


async def test_the_work_is_stopped_when_another_has_the_lease_and_begun_again_after_it():
    keys, work = Shared(), Work()
    async with kept(Lease(keys, NAME, 0.06), work):
        await until(lambda: work.at_it)
        await keys.set(NAME, "another", 60)
        await until(lambda: work.ended == 1)
        assert await keys.get(NAME) == "another"
        await keys.delete(NAME)
        await until(lambda: work.begun == 2)


async def test_who_holds_goes_on_while_the_shared_values_are_away_and_nobody_new_begins():
    keys, holder, other = Shared(), Work(), Work()
    async with kept(Lease(keys, NAME, 0.06), holder):
        await until(lambda: holder.at_it)
        keys.away = True
        before = keys.stored
        await until(lambda: keys.stored >= before + 3)
        await keys.delete(NAME)
        await asyncio.sleep(
            0.05
        )  # some renewals that find neither lock nor value, as when the others come back
        keys.away = False
        before = keys.stored
        await until(lambda: keys.stored > before)
        assert (holder.begun, holder.ended) == (1, 0)
        keys.away = True
    await keys.delete(NAME)
    async with kept(Lease(keys, NAME, 0.06), other):
        await asyncio.sleep(0.05)  # some looks
        assert not other.at_it
        keys.away = False
        await until(lambda: other.at_it)


async def test_leaving_frees_it_for_the_next_at_once():
    keys = Shared()
    async with Lease(keys, NAME).held():
        assert await keys.get(NAME) is not None
    assert await keys.get(NAME) is None


async def test_work_that_breaks_is_not_hidden():
    async def broken():
        raise OSError("a fault")

    with pytest.raises(OSError, match="a fault"):
        await Lease(Shared(), NAME).keep(broken)


@contextlib.asynccontextmanager
async def kept(lease, work):
    task = asyncio.create_task(lease.keep(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(reached):
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.sleep(0.002)
