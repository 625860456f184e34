"""One connection of a carrier protocol: login, answers to their requests, a window, tests of an idle link.

The rules are those the carriers' protocols share (sms-email.md 1.1): at most W requests without an answer, C seconds
of silence before a test, T seconds for an answer, N tests before the link is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from channels.contract import SendError, SendReason
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from channels.sms.pace import Pace

log = structlog.get_logger()


class Dialect(Protocol):
    """What a session must know of a protocol whose frames begin with their length (u32, header included).

    ``header`` and ``longest`` are bytes; frames travel whole. A sequence is a number from 1 that grows by one.
    """

    header: int
    longest: int

    def key(self, frame: bytes) -> Hashable:
        """Return what a request and its answer have in common."""
        ...

    def answers(self, frame: bytes) -> bool:
        """Return whether this is an answer, not a request."""
        ...

    def login(self, sequence: int) -> bytes:
        """Return the request that opens a session."""
        ...

    def welcomed(self, frame: bytes) -> None:
        """Read the answer to a login; raises SendError when we were not let in, InvalidInput."""
        ...

    def test(self, sequence: int) -> bytes:
        """Return the request that proves the link alive."""
        ...

    def goodbye(self, sequence: int) -> bytes:
        """Return the request that ends a session."""
        ...

    def routine(self, frame: bytes) -> bytes | None:
        """Return the answer to a test or a goodbye of the peer, None for any other request."""
        ...

    def ends(self, frame: bytes) -> bool:
        """Return whether this request of the peer is its goodbye."""
        ...


@dataclass(frozen=True, slots=True)
class Timers:
    """The protocol's numbers; all times in seconds.

    ``idle`` is C, ``reply`` T, ``tries`` N, ``window`` W; ``login`` bounds connecting and logging in, ``write`` one
    write, ``parting`` a clean stop; the clock is looked at every ``tick``.
    """

    idle: float = 180.0
    reply: float = 60.0
    tries: int = 3
    window: int = 16
    login: float = 15.0
    write: float = 20.0
    parting: float = 3.0
    tick: float = 1.0


@dataclass(slots=True)
class _Waiting:
    """A request without its answer yet."""

    answer: asyncio.Future[bytes | SendError]
    until: float


class Session:
    """One logged-in connection; ``handle`` is given each request of the peer and returns the answer.

    A handler that returns None leaves the request unanswered, so that the peer brings it again.
    """

    def __init__(
        self,
        account: str,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        dialect: Dialect,
        handle: Callable[[bytes], Awaitable[bytes | None]],
        *,
        timers: Timers,
        pace: Pace,
    ) -> None:
        self._account = account
        self._reader, self._writer = streams
        self._dialect = dialect
        self._handle = handle
        self._timers = timers
        self._pace = pace
        self._places = asyncio.Semaphore(timers.window)
        self._rooms = asyncio.Semaphore(timers.window)
        self._pending: dict[Hashable, _Waiting] = {}
        self._handling: set[asyncio.Task[None]] = set()
        self._sequence = 0
        self._heard = pace.clock()
        self._tests = 0
        self._over = False
        self._fault = ""

    async def login(self) -> None:
        """Log in; raises SendError, OSError, TimeoutError, InvalidInput."""
        async with asyncio.timeout(self._timers.login):
            request = self._dialect.login(self._next())
            await self._write(request)
            frame = await self._frame()
            while not self._dialect.answers(frame) or self._dialect.key(frame) != self._dialect.key(request):
                frame = await self._frame()
        self._dialect.welcomed(frame)

    async def serve(self) -> None:
        """Read, answer and watch until the link is lost (OSError, InvalidInput) or this is cancelled."""
        self._heard = self._pace.clock()
        work = (asyncio.create_task(self._read()), asyncio.create_task(self._watch()))
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            await self.part()
            raise
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send the request that ``build`` makes with a sequence number, and return its answer.

        Raises SendError: CONNECTION when it was never written, TIMEOUT when nobody knows what became of it.
        """
        await self._places.acquire()
        if self._over or self._writer.is_closing():
            self._places.release()
            raise SendError(SendReason.CONNECTION, "the link was lost before the request was written")
        try:
            frame = build(self._next())
        except BaseException:
            self._places.release()
            raise
        return await self._exchanged(frame)

    async def part(self) -> None:
        """Let what is in hand end, say goodbye and wait for the answer, all within ``parting`` seconds."""
        self._over = True
        with contextlib.suppress(OSError, SendError):
            async with asyncio.timeout(self._timers.parting):
                waited = [one.answer for one in self._pending.values() if not one.answer.done()]
                await asyncio.gather(*waited, *self._handling)
                await self._places.acquire()
                await self._exchanged(self._dialect.goodbye(self._next()))

    async def close(self) -> None:
        """Close the connection and tell everybody who waits; never raises."""
        self._over = True
        for key in list(self._pending):
            self._end(key, SendError(SendReason.TIMEOUT, "the link was lost before the answer"))
        if self._handling:
            _, late = await asyncio.wait(self._handling, timeout=self._timers.parting)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(self._timers.parting):
                await self._writer.wait_closed()
        self._writer.transport.abort()

    async def _exchanged(self, frame: bytes) -> bytes:
        answer: asyncio.Future[bytes | SendError] = asyncio.get_running_loop().create_future()
        self._pending[self._dialect.key(frame)] = _Waiting(answer, self._pace.clock() + self._timers.reply)
        try:
            await self._write(frame)
            result = await answer
        except OSError:
            raise SendError(SendReason.TIMEOUT, "the link was lost while writing") from None
        finally:
            # The place stays taken until the answer or its time is up: the peer still counts the request.
            answer.cancel()
        if isinstance(result, SendError):
            raise result
        return result

    async def _read(self) -> None:
        while True:
            frame = await self._frame()
            self._heard = self._pace.clock()
            self._tests = 0
            if self._dialect.answers(frame):
                self._end(self._dialect.key(frame), frame)
            else:
                await self._asked(frame)

    async def _asked(self, frame: bytes) -> None:
        answer = self._dialect.routine(frame)
        if answer is not None:
            await self._write(answer)
            if self._dialect.ends(frame):
                raise ConnectionResetError("the peer said goodbye")
            return
        await self._rooms.acquire()
        task = asyncio.create_task(self._handled(frame))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def _handled(self, frame: bytes) -> None:
        try:
            answer = await self._handle(frame)
            if answer is not None and not self._writer.is_closing():
                await self._write(answer)
        except InvalidInput as error:
            self._fault = str(error)
            self._writer.transport.abort()
        except OSError:
            pass  # The reader sees the same end of the link.
        except Exception:
            # Not answered, so it comes again; the link lives for the others.
            log.exception("sms.handler_broke", account=self._account)
        finally:
            self._rooms.release()

    async def _watch(self) -> None:
        while True:
            await self._pace.sleep(self._timers.tick)
            now = self._pace.clock()
            for key in [key for key, one in self._pending.items() if one.until <= now]:
                self._end(key, SendError(SendReason.TIMEOUT, "no answer in time"))
            await self._probe(now - self._heard)

    async def _probe(self, silence: float) -> None:
        if silence < self._timers.idle + self._tests * self._timers.reply:
            return
        if self._tests == self._timers.tries:
            raise ConnectionResetError("no answer to the tests of the link")
        self._tests += 1
        await self._write(self._dialect.test(self._next()))

    def _end(self, key: Hashable, result: bytes | SendError) -> None:
        waiting = self._pending.pop(key, None)
        if waiting is None:
            return
        self._places.release()
        if not waiting.answer.done():
            waiting.answer.set_result(result)

    def _next(self) -> int:
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        return self._sequence

    async def _frame(self) -> bytes:
        try:
            head = await self._reader.readexactly(4)
            length = int.from_bytes(head, "big")
            if not self._dialect.header <= length <= self._dialect.longest:
                raise InvalidInput("a frame of an impossible length")
            return head + await self._reader.readexactly(length - 4)
        except asyncio.IncompleteReadError:
            if self._fault:
                raise InvalidInput(self._fault) from None
            raise ConnectionResetError("the peer closed the link") from None

    async def _write(self, frame: bytes) -> None:
        self._writer.write(frame)
        try:
            async with asyncio.timeout(self._timers.write):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise
