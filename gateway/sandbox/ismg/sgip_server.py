"""The carrier before a service that speaks SGIP: it takes submits where it listens, and calls the service to deliver."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.sandbox.ismg import sgip
from gateway.sandbox.ismg.carrier import Carrier, Delivery, Submission
from gateway.sandbox.ismg.cmpp import china
from gateway.sandbox.ismg.link import Closed, Link, Server, listening
from gateway.sandbox.ismg.wire import Malformed

NODE = 3_075_500_000
CALL = 5.0
AGAIN = 1.0


@asynccontextmanager
async def sgip_server(carrier: Carrier, service_port: int, port: int = 0) -> AsyncIterator[Server]:
    """Run an SGIP gateway on loopback that delivers to the service's own port; the server knows its ``port``."""
    async with listening(carrier, SubmitLink, port) as server:
        calling = asyncio.create_task(_call(carrier, service_port))
        try:
            yield server
        finally:
            calling.cancel()
            with suppress(asyncio.CancelledError):
                await calling


class SgipLink(Link):
    """What both directions share."""

    SEQUENCE = 12
    BUSY = 11

    def sequence(self) -> bytes:
        """Return node, month to second, and a running number."""
        clock = int(time.strftime("%m%d%H%M%S", china(self.carrier.clock())))
        return NODE.to_bytes(4) + clock.to_bytes(4) + self.carrier.next_number().to_bytes(4)


class SubmitLink(SgipLink):
    """A connection that the service opened."""

    bound = False

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer Bind first, then Submit and Unbind; anything else ends the connection."""
        if command == sgip.BIND and not self.bound:
            self._bind(sequence, body)
            return
        if not self.bound:
            raise Closed
        match command:
            case sgip.SUBMIT:
                self.submitted(command, sequence, self._submission(body))
            case sgip.UNBIND:
                self.answer(command, sequence)
                raise Closed
            case _:
                raise Malformed

    def name(self, sequence: bytes) -> bytes:
        """Return the sequence itself, by which SGIP knows a submit."""
        return sequence

    def submit_answer(self, name: bytes, code: int) -> bytes:
        """Return the body of Submit_Resp."""
        return code.to_bytes() + bytes(8)

    def _bind(self, sequence: bytes, body: bytes) -> None:
        settings = self.carrier.settings
        kind, name, password = sgip.read_bind(body)
        good = hmac.compare_digest(password, settings.secret) and name == settings.sp_id
        code = 4 if kind != sgip.SERVICE else 0 if good else 1
        self.answer(sgip.BIND, sequence, code.to_bytes() + bytes(8))
        if code:
            self.carrier.counts["bad_logins"] += 1
            raise Closed
        self.bound = True

    def _submission(self, body: bytes) -> Submission | int:
        try:
            return sgip.read_submit(body, self.carrier.settings.number)
        except Malformed:
            self.carrier.counts["malformed"] += 1
            return 5


class DeliverLink(SgipLink):
    """A connection that the carrier opened; it says good-bye when nothing came for a while."""

    async def opened(self) -> None:
        """Bind, and then bring what waits."""
        self._tasks.create_task(self._bind())

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer Unbind; the service has nothing else to ask here."""
        if command != sgip.UNBIND:
            raise Malformed
        self.answer(command, sequence)
        raise Closed

    async def test(self) -> None:
        """Leave, since SGIP has no test of an idle connection."""
        await self.ask(sgip.UNBIND)
        raise Closed

    def delivery(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return a Deliver or a Report."""
        return sgip.deliver(delivery, self.carrier.settings.number)

    def result(self, delivery: Delivery, body: bytes) -> int:
        """Return the result of the service's answer."""
        return sgip.read_answer(body)

    async def _bind(self) -> None:
        settings = self.carrier.settings
        if sgip.read_answer(await self.ask(sgip.BIND, sgip.bind(settings.sp_id, settings.secret))):
            self.carrier.counts["bad_logins"] += 1
            raise Closed
        self.start_delivering()


async def _call(carrier: Carrier, port: int) -> None:
    while True:
        # Called only when something waits: SGIP connections are short-lived.
        carrier.outgoing.put_nowait(await carrier.outgoing.get())
        try:
            async with asyncio.timeout(CALL):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, TimeoutError):
            carrier.counts["calls_refused"] += 1
            await carrier.pause(AGAIN)
            continue
        await DeliverLink(carrier, reader, writer).run()
        if not carrier.outgoing.empty():
            # The service refused the bind or cut the line: do not run against its door.
            await carrier.pause(AGAIN)
