"""The carrier before a service that speaks CMPP; the version is that of its CONNECT."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from gateway.sandbox.ismg import cmpp
from gateway.sandbox.ismg.carrier import Carrier, Delivery, Submission
from gateway.sandbox.ismg.link import Closed, Link, Server, listening
from gateway.sandbox.ismg.wire import Malformed


def cmpp_server(carrier: Carrier, port: int = 0) -> AbstractAsyncContextManager[Server]:
    """Run a CMPP gateway on loopback; the server that is given knows its ``port``."""
    return listening(carrier, CmppLink, port)


class CmppLink(Link):
    """One connection."""

    version = 0

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer CONNECT first, then SUBMIT, ACTIVE_TEST and TERMINATE; anything else ends the connection."""
        if command == cmpp.CONNECT:
            self._connect(sequence, cmpp.read_connect(body))
            return
        if not self.version:
            raise Closed
        match command:
            case cmpp.SUBMIT:
                self.submitted(command, sequence, self._submission(body))
            case cmpp.ACTIVE_TEST:
                self.answer(command, sequence, bytes(1))
            case cmpp.TERMINATE:
                self.answer(command, sequence)
                raise Closed
            case _:
                raise Malformed

    def name(self, sequence: bytes) -> bytes:
        """Return a new Msg_Id."""
        return cmpp.message_id(self.carrier.clock(), self.carrier.next_number())

    def submit_answer(self, name: bytes, code: int) -> bytes:
        """Return the body of SUBMIT_RESP."""
        return cmpp.submit_answer(name, code, self.version)

    def delivery(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return a DELIVER; a repeat of it, over any connection, has the same Msg_Id."""
        settings = self.carrier.settings
        body = cmpp.deliver(delivery, _name(delivery), settings.number, self.version, settings.receipt_bytes)
        return cmpp.DELIVER, body

    def result(self, delivery: Delivery, body: bytes) -> int:
        """Return the Result of DELIVER_RESP."""
        return cmpp.read_deliver_answer(body, _name(delivery), self.version)

    def _connect(self, sequence: bytes, connect: cmpp.Connect) -> None:
        settings = self.carrier.settings
        status = cmpp.connect_status(connect, settings.sp_id, settings.secret)
        self.answer(cmpp.CONNECT, sequence, cmpp.connect_answer(connect, status, settings.secret))
        if status:
            self.carrier.counts["bad_logins"] += 1
            raise Closed
        if not self.version:
            self.version = 3 if connect.version >= 0x30 else 2
            self.start_delivering()

    def _submission(self, body: bytes) -> Submission | int:
        settings = self.carrier.settings
        try:
            return cmpp.read_submit(body, self.version, settings.sp_id, settings.number)
        except Malformed:
            self.carrier.counts["malformed"] += 1
            return 1


def _name(delivery: Delivery) -> bytes:
    return cmpp.message_id(delivery.line.at, delivery.number)
