"""One connection with the service: frames, windows on both sides, answers awaited and repeated, faults to order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.sandbox.ismg.carrier import Carrier, Delivery, Fault, Submission
from gateway.sandbox.ismg.wire import Malformed, frame

ANSWER = 0x80000000
LONGEST_FRAME = 4096
GARBAGE = b"\x00\x00\x00\x03\xff\xff\xff\xff\x00\x00\x00\x00"


class Closed(Exception):
    """The connection is over."""


class Link:
    """What the three protocols have in common (sms-email.md 1.1: T, N, C and the window W)."""

    SEQUENCE = 4
    ACTIVE_TEST = 8
    BUSY = 8

    def __init__(self, carrier: Carrier, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carrier = carrier
        self.writer = writer
        self._reader = reader
        self._numbers = itertools.count(1)
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._carried: set[Delivery] = set()
        self._window = asyncio.Semaphore(carrier.settings.window)
        self._unanswered = 0
        self._held: list[bytes] = []
        self._traffic = 0
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Serve the connection until it ends; what the service did not answer waits for the next one."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self.opened()
                await self._read()
        except* (Closed, Malformed, ConnectionError, asyncio.IncompleteReadError) as over:
            if over.subgroup(Malformed):
                self.carrier.counts["malformed"] += 1
        finally:
            self.writer.close()
            for delivery in self._carried:
                self.carrier.outgoing.put_nowait(delivery)

    async def opened(self) -> None:
        """Do what comes first; a server waits for the login."""

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer a request."""
        raise NotImplementedError

    def delivery(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return the command and the body that bring a delivery."""
        raise NotImplementedError

    def result(self, delivery: Delivery, body: bytes) -> int:
        """Return what the service answered; a wrong name of the message is Malformed."""
        raise NotImplementedError

    def name(self, sequence: bytes) -> bytes:
        """Return the name under which a submitted message is known from now on."""
        raise NotImplementedError

    def submit_answer(self, name: bytes, code: int) -> bytes:
        """Return the body of the answer to a submit."""
        raise NotImplementedError

    def sequence(self) -> bytes:
        """Return the sequence of a new request."""
        return next(self._numbers).to_bytes(self.SEQUENCE)

    def answer(self, command: int, sequence: bytes, body: bytes = b"") -> None:
        """Send the answer to a request."""
        self.writer.write(frame(command | ANSWER, sequence, body))

    def start_delivering(self) -> None:
        """Bring what waits for the service over this connection from now on, and test it when it is idle."""
        self._tasks.create_task(self._pump())
        self._tasks.create_task(self._watch())

    async def test(self) -> None:
        """Ask whether the other side lives; a link without an answer is closed."""
        await self._ask(self.sequence(), self.ACTIVE_TEST)

    async def ask(self, command: int, body: bytes = b"") -> bytes:
        """Send a request and return the body of its answer; raises Closed after the last try."""
        return await self._ask(self.sequence(), command, body)

    def submitted(self, command: int, sequence: bytes, submission: Submission | int) -> None:
        """Take a submit, or the code that refuses it, and answer it as ordered."""
        self._unanswered += 1
        counts = self.carrier.counts
        counts["window_max"] = max(counts["window_max"], self._unanswered)
        if self._unanswered > self.carrier.settings.window:
            submission = self.BUSY
        self._tasks.create_task(self._submitted(command, sequence, submission))

    async def _submitted(self, command: int, sequence: bytes, submission: Submission | int) -> None:
        fault = self.carrier.fault("submit") or Fault("")
        if fault.kind == "slow":
            await self.carrier.pause(fault.seconds)
        code = {"flow": self.BUSY, "result": fault.code}.get(fault.kind, 0)
        if isinstance(submission, int):
            code = submission
        self.carrier.counts["flow_control"] += code == self.BUSY
        name, receipts = self.name(sequence), list[Delivery]()
        lost = code or fault.kind in {"silent", "cut", "malformed"}
        if isinstance(submission, Submission) and (fault.deliver or not lost):
            receipts = self.carrier.take(submission, name)
        if self.carrier.settings.receipts == "before":
            await self._queue(receipts)
            await asyncio.gather(*(receipt.sent.wait() for receipt in receipts))
        self._answer_submit(fault, frame(command | ANSWER, sequence, self.submit_answer(name, code)))
        if self.carrier.settings.receipts == "after":
            await self._queue(receipts)

    def _answer_submit(self, fault: Fault, answer: bytes) -> None:
        match fault.kind:
            case "silent":
                return
            case "cut":
                raise Closed
            case "malformed":
                answer = GARBAGE
            case "reorder":
                self._held.append(answer)
                return
            case _:
                pass
        self._unanswered -= 1 + len(self._held)
        self.writer.write(answer + b"".join(self._held))
        self._held.clear()

    async def _queue(self, receipts: list[Delivery]) -> None:
        for receipt in receipts:
            self.carrier.outgoing.put_nowait(receipt)

    async def _pump(self) -> None:
        while True:
            await self._window.acquire()
            delivery = await self.carrier.outgoing.get()
            self._carried.add(delivery)
            self._tasks.create_task(self._bring(delivery))

    async def _bring(self, delivery: Delivery) -> None:
        command, body = self.delivery(delivery)
        sequence, fault = self.sequence(), self.carrier.fault("deliver") or Fault("")
        if fault.kind == "cut":
            raise Closed
        if fault.kind == "malformed":
            self.writer.write(GARBAGE)
        if fault.kind == "duplicate":
            self.writer.write(frame(command, self.sequence(), body))
        answer = await self._ask(sequence, command, body, delivery.sent)
        code = self.result(delivery, answer)
        self._carried.discard(delivery)
        self._window.release()
        self.carrier.brought(delivery, code)

    async def _ask(
        self, sequence: bytes, command: int, body: bytes = b"", sent: asyncio.Event | None = None
    ) -> bytes:
        settings = self.carrier.settings
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answer
        for attempt in range(settings.tries):
            self.carrier.counts["resent"] += attempt > 0
            self.writer.write(frame(command, sequence, body))
            if sent is not None:
                sent.set()
            timer = asyncio.ensure_future(self.carrier.pause(settings.seconds))
            try:
                await asyncio.wait((answer, timer), return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
            if answer.done():
                return answer.result()
        self.carrier.counts["unanswered"] += 1
        raise Closed

    async def _watch(self) -> None:
        while True:
            seen = self._traffic
            await self.carrier.pause(self.carrier.settings.idle)
            if self._traffic == seen:
                await self.test()

    async def _read(self) -> None:
        while True:
            head = await self._reader.readexactly(8 + self.SEQUENCE)
            length, command, sequence = int.from_bytes(head[:4]), int.from_bytes(head[4:8]), head[8:]
            if not len(head) <= length <= LONGEST_FRAME:
                raise Malformed
            body = await self._reader.readexactly(length - len(head))
            self._traffic += 1
            if command & ANSWER:
                self._answered(sequence, body)
            else:
                await self.received(command, sequence, body)

    def _answered(self, sequence: bytes, body: bytes) -> None:
        waiting = self._waiting.pop(sequence, None)
        if waiting is None or waiting.done():
            self.carrier.counts["stray_answers"] += 1
        else:
            waiting.set_result(body)


class Server:
    """Listens for the service; ``links`` are the connections it has now."""

    def __init__(self, carrier: Carrier, link: Callable[..., Link]) -> None:
        self._carrier = carrier
        self._link = link
        self.links: dict[asyncio.Task[None], Link] = {}
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, task = self._link(self._carrier, reader, writer), asyncio.current_task()
        assert task is not None, "a server runs its connections as tasks"
        self.links[task] = link
        self._carrier.changed()
        try:
            await link.run()
        except asyncio.CancelledError:
            # Only the server's own stop cancels a connection; the streams would log it as an error.
            return
        finally:
            del self.links[task]
            self._carrier.changed()


@asynccontextmanager
async def listening(carrier: Carrier, link: Callable[..., Link], port: int = 0) -> AsyncIterator[Server]:
    """Run a server on loopback; ``port`` 0 takes a free one, which the server then names."""
    server = Server(carrier, link)
    listener = await asyncio.start_server(server._serve, "127.0.0.1", port)  # noqa: SLF001 - its own callback
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        tasks = list(server.links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
