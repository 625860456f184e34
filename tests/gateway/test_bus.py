import asyncio
import time

import pytest

from gateway.bus import MemoryBus, RedisBus


@pytest.fixture(params=["memory", "redis"])
async def bus(request):
    if request.param == "memory":
        yield MemoryBus()
        return
    _, url = request.getfixturevalue("redis_server")
    opened = await RedisBus.open(url)
    while not await opened.ping():
        await asyncio.sleep(0.02)
    yield opened
    await opened.close()


async def test_a_value_is_kept_for_its_time(bus):
    await bus.set("a", "值", 60)
    await bus.set("b", "x", 0.01)
    await asyncio.sleep(0.03)
    assert (await bus.get("a"), await bus.get("b"), await bus.get("c")) == ("值", None, None)
    await bus.delete("a")
    assert await bus.get("a") is None


async def test_a_lock_is_held_by_one_and_waited_for(bus):
    held = []

    async def work(name):
        async with bus.lock("job", 5.0, 5.0) as mine:
            assert mine
            held.append(name)
            await asyncio.sleep(0.05)
            held.append(name)

    await asyncio.gather(work("a"), work("b"))
    assert held[0] == held[1]
    async with bus.lock("job", 5.0, 1.0), bus.lock("job", 5.0, 0.1) as second:
        assert second is False


async def test_a_wake_up_ends_the_wait(bus):
    started = time.monotonic()
    waiting = asyncio.create_task(bus.wait("outbox", 10))
    await asyncio.sleep(0.05)
    bus.wake("outbox")
    await waiting
    assert time.monotonic() - started < 5


async def test_a_wake_up_reaches_the_other_process(redis_server):
    _, url = redis_server
    one, two = await RedisBus.open(url), await RedisBus.open(url)
    while not (await one.ping() and await two.ping()):
        await asyncio.sleep(0.02)
    waiting = asyncio.create_task(two.wait("outbox", 30))
    while not waiting.done():
        one.wake("outbox")
        await asyncio.sleep(0.05)
    await one.close()
    await two.close()


async def test_without_redis_everything_goes_on_in_this_process(redis_server):
    process, url = redis_server
    bus = await RedisBus.open(url)
    while not await bus.ping():
        await asyncio.sleep(0.02)
    await bus.set("a", "1", 60)
    process.kill()
    process.wait()
    assert await bus.get("a") == "1"
    async with bus.lock("job", 1.0, 0.2):
        bus.wake("outbox")
    await bus.wait("outbox", 1)
    assert not await bus.ping()
    await bus.close()
