"""One process at a time: who holds a carrier's only login or a mailbox, and who takes over when it dies.

Held by a value that ends by itself unless it is renewed. While the shared values cannot be reached the holder goes on
and nobody new takes over: a second login would throw the first one out. When they come back empty, two may believe in
the lease until the next renewal; no more is promised.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from channels.contract import KeyValue

log = structlog.get_logger()

TTL = 30.0
"""Seconds after which the lease of a process that died is free; with the look-out it is taken within a minute."""
_LOCK_TTL, _LOCK_WAIT = 5.0, 2.0


class Lease:
    """The leave of this process to do what only one may do, under a name that all processes share.

    ``ours`` says whether it is held; ``lost`` is set when it could not be renewed; ``ttl`` is in seconds.
    """

    def __init__(
        self,
        keys: KeyValue,
        name: str,
        ttl: float = TTL,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._keys = keys
        self._name = name
        self._ttl = ttl
        self._sleep = sleep
        self._me = secrets.token_hex(8)
        self.lost = asyncio.Event()
        self.ours = False

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait until the lease is ours and renew it inside the block; let go on leaving. Cancels nothing itself."""
        try:
            await self._taken()
            self.lost.clear()
            self.ours = True
            renewing = asyncio.create_task(self._renewed())
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
        finally:
            self.ours = False
            await self._let_go()

    async def keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work while the lease is ours: cancelled when it is lost, begun again when it is had again.

        Returns or raises as the work does when that ends by itself.
        """
        while True:
            async with self.held():
                doing = asyncio.ensure_future(work())
                losing = asyncio.create_task(self.lost.wait())
                try:
                    await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
                    if not self.lost.is_set():
                        return await doing
                finally:
                    doing.cancel()
                    losing.cancel()
                    await asyncio.gather(doing, losing, return_exceptions=True)

    async def _taken(self) -> None:
        waits = False
        while not await self._ours():
            if not waits:
                log.info("lease.waits", name=self._name)
            waits = True
            await self._sleep(self._ttl / 6)
        log.info("lease.held", name=self._name)

    async def _renewed(self) -> None:
        try:
            while True:
                await self._sleep(self._ttl / 3)
                # Neither lock nor value, as when Redis has just come back empty: nobody else has it, so go on.
                if not await self._ours() and await self._keys.get(self._name) is not None:
                    log.warning("lease.lost", name=self._name)
                    return
        finally:
            self.lost.set()

    async def _ours(self) -> bool:
        """Take the lease or renew it, and return whether it is ours."""
        async with self._keys.lock(f"{self._name}:lock", _LOCK_TTL, _LOCK_WAIT) as alone:
            holder = await self._keys.get(self._name)
            if holder != self._me and (holder is not None or not alone):
                return False
            await self._keys.set(self._name, self._me, self._ttl)
            return True

    async def _let_go(self) -> None:
        async with self._keys.lock(f"{self._name}:lock", _LOCK_TTL, _LOCK_WAIT):
            if await self._keys.get(self._name) == self._me:
                await self._keys.delete(self._name)
