"""The carrier before a service that speaks SMGP 3.0.3."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from gateway.sandbox.ismg import smgp
from gateway.sandbox.ismg.carrier import Carrier, Delivery, Submission
from gateway.sandbox.ismg.link import Closed, Link, Server, listening
from gateway.sandbox.ismg.wire import Malformed


def smgp_server(carrier: Carrier, port: int = 0) -> AbstractAsyncContextManager[Server]:
    """Run an SMGP gateway on loopback; the server that is given knows its ``port``."""
    return listening(carrier, SmgpLink, port)


class SmgpLink(Link):
    """One connection; what waits is brought over it when its login mode receives."""

    ACTIVE_TEST = smgp.ACTIVE_TEST
    BUSY = 1
    logged_in = False

    async def received(self, command: int, sequence: bytes, body: bytes) -> None:
        """Answer Login first, then Submit, Active_Test and Exit; anything else ends the connection."""
        if command == smgp.LOGIN and not self.logged_in:
            self._login(sequence, body)
            return
        if not self.logged_in:
            raise Closed
        match command:
            case smgp.SUBMIT:
                self.submitted(command, sequence, self._submission(body))
            case smgp.ACTIVE_TEST:
                self.answer(command, sequence)
            case smgp.EXIT:
                self.answer(command, sequence)
                raise Closed
            case _:
                raise Malformed

    def name(self, sequence: bytes) -> bytes:
        """Return a new MsgID."""
        return smgp.message_id(self.carrier.clock(), self.carrier.next_number())

    def submit_answer(self, name: bytes, code: int) -> bytes:
        """Return the body of Submit_Resp."""
        return (bytes(10) if code else name) + code.to_bytes(4)

    def delivery(self, delivery: Delivery) -> tuple[int, bytes]:
        """Return a Deliver; a repeat of it has the same MsgID."""
        return smgp.DELIVER, smgp.deliver(delivery, _name(delivery), self.carrier.settings.number)

    def result(self, delivery: Delivery, body: bytes) -> int:
        """Return the status of Deliver_Resp."""
        return smgp.read_deliver_answer(body, _name(delivery))

    def _login(self, sequence: bytes, body: bytes) -> None:
        settings = self.carrier.settings
        status, mode, proof = smgp.read_login(body, settings.sp_id, settings.secret)
        self.answer(smgp.LOGIN, sequence, smgp.login_answer(status, proof, settings.secret))
        if status:
            self.carrier.counts["bad_logins"] += 1
            raise Closed
        self.logged_in = True
        if mode:
            self.start_delivering()

    def _submission(self, body: bytes) -> Submission | int:
        try:
            return smgp.read_submit(body, self.carrier.settings.number)
        except Malformed:
            self.carrier.counts["malformed"] += 1
            return 10


def _name(delivery: Delivery) -> bytes:
    return smgp.message_id(delivery.line.at, delivery.number)
