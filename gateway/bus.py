"""Wake-ups, small shared values and short locks: in memory for one process, in Redis for several.

Nothing here may be missed when it is lost. When Redis is away, values and locks fall back to this process and
waiting falls back to polling; it is said once in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any, Protocol, Self

import structlog
from redis import asyncio as redis
from redis.exceptions import RedisError

from channels.contract import KeyValue, Lock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger()

_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
_PREFIX = "jiesu:"
_SECONDS = 2.0
_STEP = 0.05


class Bus(KeyValue, Protocol):
    """What a process shares with the others."""

    def wake(self, topic: str) -> None:
        """Tell all processes that there is something to do."""
        ...

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when somebody woke this topic, or after so many seconds."""
        ...

    async def ping(self) -> bool:
        """Return whether the others can be reached."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class MemoryBus:
    """Everything in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._events: dict[str, asyncio.Event] = {}

    async def get(self, key: str) -> str | None:
        """Return the value, or None."""
        value, until = self._values.get(key, ("", 0.0))
        return value if until > self._clock() else None

    async def set(self, key: str, value: str, ttl: float) -> None:
        """Store a value for ``ttl`` seconds."""
        self._values[key] = (value, self._clock() + ttl)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        self._values.pop(key, None)

    def lock(self, key: str, ttl: float, wait: float) -> Lock:  # noqa: ARG002 - within a process the holder lets go
        """Return a lock that is waited for at most ``wait`` seconds."""
        return _MemoryLock(self._locks.setdefault(key, asyncio.Lock()), wait)

    def wake(self, topic: str) -> None:
        """Wake whoever waits for the topic."""
        self._event(topic).set()

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when somebody woke this topic, or after so many seconds."""
        event = self._event(topic)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        event.clear()

    async def ping(self) -> bool:
        """Return True: there is nobody else."""
        return True

    async def close(self) -> None:
        """Hold nothing."""

    def _event(self, topic: str) -> asyncio.Event:
        return self._events.setdefault(topic, asyncio.Event())


class _MemoryLock:
    def __init__(self, lock: asyncio.Lock, wait: float) -> None:
        self._lock = lock
        self._wait = wait
        self._held = False

    async def __aenter__(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait):
                self._held = await self._lock.acquire()
        return self._held

    async def __aexit__(self, *exc: object) -> None:
        if self._held:
            self._lock.release()
            self._held = False


class RedisBus:
    """Shared through Redis, with this process' own memory to fall back on."""

    def __init__(self, url: str) -> None:
        self._redis = redis.from_url(
            url, decode_responses=True, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        )
        self._memory = MemoryBus()
        self._away = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listener: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect, or begin without and try again."""
        bus = cls(url)
        bus._listener = asyncio.create_task(bus._listen(), name="bus")
        return bus

    async def get(self, key: str) -> str | None:
        """Return the value, or None."""
        found = await self._try(lambda: self._redis.get(_PREFIX + key))
        return await self._memory.get(key) if found is _AWAY else found

    async def set(self, key: str, value: str, ttl: float) -> None:
        """Store a value for ``ttl`` seconds."""
        await self._memory.set(key, value, ttl)
        await self._try(lambda: self._redis.set(_PREFIX + key, value, px=int(ttl * 1000)))

    async def delete(self, key: str) -> None:
        """Forget a value."""
        await self._memory.delete(key)
        await self._try(lambda: self._redis.delete(_PREFIX + key))

    def lock(self, key: str, ttl: float, wait: float) -> Lock:
        """Return a lock that is held at most ``ttl`` seconds and waited for at most ``wait``."""
        return _RedisLock(self, _PREFIX + key, ttl, wait)

    def wake(self, topic: str) -> None:
        """Wake this process at once, and the others through Redis."""
        self._memory.wake(topic)
        task = asyncio.ensure_future(self._try(lambda: self._redis.publish(f"{_PREFIX}wake", topic)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self, topic: str, seconds: float) -> None:
        """Return when somebody woke this topic, or after so many seconds."""
        await self._memory.wait(topic, seconds)

    async def ping(self) -> bool:
        """Return whether Redis answers."""
        return await self._try(self._redis.ping) is not _AWAY

    async def close(self) -> None:
        """Stop listening and close the connections."""
        if self._listener is not None:
            # The client may swallow a cancellation that comes while it connects.
            while not self._listener.done():
                self._listener.cancel()
                await asyncio.wait({self._listener}, timeout=_STEP)
            await asyncio.gather(self._listener, *self._tasks, return_exceptions=True)
        await self._redis.aclose()

    async def acquire(self, key: str, token: str, ttl: float) -> bool | None:
        """Return whether the lock was had, None when Redis is away."""
        had = await self._try(lambda: self._redis.set(key, token, nx=True, px=int(ttl * 1000)))
        return None if had is _AWAY else bool(had)

    async def release(self, key: str, token: str) -> None:
        """Let go of a lock, if it is still ours."""
        await self._try(lambda: self._redis.eval(_RELEASE, 1, key, token))

    async def _try(self, call: Callable[[], Awaitable[Any]]) -> Any:
        try:
            value = await call()
        except (RedisError, OSError, TimeoutError) as error:
            if not self._away:
                log.warning("redis.away", error=type(error).__name__)
            self._away = True
            return _AWAY
        if self._away:
            log.info("redis.back")
        self._away = False
        return value

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(f"{_PREFIX}wake")
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        if message is not None:
                            self._memory.wake(str(message["data"]))
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(1.0)


class _RedisLock:
    def __init__(self, bus: RedisBus, key: str, ttl: float, wait: float) -> None:
        self._bus = bus
        self._key = key
        self._ttl = ttl
        self._wait = wait
        self._token = secrets.token_hex(8)
        self._held = False

    async def __aenter__(self) -> bool:
        end = time.monotonic() + self._wait
        while time.monotonic() < end:
            had = await self._bus.acquire(self._key, self._token, self._ttl)
            if had is None:
                return False
            if had:
                self._held = True
                return True
            await asyncio.sleep(_STEP)
        return False

    async def __aexit__(self, *exc: object) -> None:
        if self._held:
            await self._bus.release(self._key, self._token)
            self._held = False


class _Away:
    """What a call gives while Redis is away."""


_AWAY = _Away()


async def open_bus(url: str | None) -> Bus:
    """Return the bus of a Redis address, or one in memory."""
    return await RedisBus.open(url) if url else MemoryBus()
