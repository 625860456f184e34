"""SGIP 1.2 on the wire (sms-email.md 1.2)."""

from __future__ import annotations

from gateway.sandbox.ismg.carrier import Delivery, Submission
from gateway.sandbox.ismg.content import LONGEST, LONGEST_ASCII
from gateway.sandbox.ismg.wire import Fields, octets

BIND, UNBIND, SUBMIT, DELIVER, REPORT = 1, 2, 3, 4, 5
SERVICE, CARRIER = 1, 2


def read_bind(body: bytes) -> tuple[int, str, str]:
    """Return (login type, name, password) of a Bind."""
    fields = Fields(body)
    told = fields.number(), fields.text(16), fields.text(16)
    fields.raw(8)
    fields.end()
    return told


def bind(name: str, password: str) -> bytes:
    """Return the body of the Bind of the carrier."""
    return CARRIER.to_bytes() + octets(name, 16) + octets(password, 16) + bytes(8)


def read_submit(body: bytes, number: str) -> Submission | int:
    """Return the message of a Submit, or the result that refuses it: 5 parameters, 6 number, 8 length."""
    fields = Fields(body)
    source = fields.text(21)
    fields.text(21)
    to = tuple(fields.text(21) for _ in range(fields.number()))
    for width in (5, 10):
        fields.text(width)
    fields.raw(1)
    for width in (6, 6):
        fields.text(width)
    fields.raw(3)
    fields.text(16)
    fields.text(16)
    report = fields.number()
    fields.raw(1)
    numbered, coding = bool(fields.number() & 0x41), fields.number()
    fields.raw(1)
    content = fields.raw(fields.number(4))
    fields.raw(8)
    fields.end()
    if not source.startswith(number) or (numbered and len(content) < 7):
        return 5
    if not 0 < len(to) <= 100 or not all(one.isdigit() and one.startswith("86") for one in to):
        return 6
    if len(content) > (LONGEST_ASCII if coding == 0 else LONGEST):
        return 8
    return Submission(to, source, coding, numbered, content, report == 1)


def deliver(delivery: Delivery, number: str) -> tuple[int, bytes]:
    """Return the command and body that bring a delivery: a Deliver, or a Report for a receipt."""
    user = octets("86" + delivery.phone, 21)
    if delivery.receipt is None:
        head = user + octets(number, 21) + bytes((0, delivery.udhi, delivery.coding))
        return DELIVER, head + len(delivery.content).to_bytes(4) + delivery.content + bytes(8)
    good = delivery.receipt.stat == "DELIVRD"
    state = bytes((0, 0)) if good else bytes((2, 1))
    return REPORT, delivery.receipt.id + b"\0" + user + state + bytes(8)


def read_answer(body: bytes) -> int:
    """Return the result of any answer."""
    fields = Fields(body)
    code = fields.number()
    fields.raw(8)
    fields.end()
    return code
