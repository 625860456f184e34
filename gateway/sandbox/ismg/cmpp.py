"""CMPP 2.0 and 3.0 on the wire (sms-email.md 1.1)."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass

from gateway.sandbox.ismg.carrier import Delivery, Receipt, Submission
from gateway.sandbox.ismg.content import LONGEST, LONGEST_ASCII
from gateway.sandbox.ismg.wire import Fields, Malformed, octets

CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 1, 2, 4, 5, 8
ISMG = 0x0755


@dataclass(frozen=True, slots=True)
class Connect:
    """The login of a service."""

    source: str
    proof: bytes
    version: int
    stamp: int


def read_connect(body: bytes) -> Connect:
    """Return the login that a CONNECT carries."""
    fields = Fields(body)
    connect = Connect(fields.text(6), fields.raw(16), fields.number(), fields.number(4))
    fields.end()
    return connect


def connect_status(connect: Connect, sp_id: str, secret: str) -> int:
    """Return 0 for a good login: 2 wrong source, 3 wrong proof, 4 version too high."""
    if connect.source != sp_id:
        return 2
    told = sp_id.encode() + bytes(9) + secret.encode() + f"{connect.stamp:010d}".encode()
    if not hmac.compare_digest(_md5(told), connect.proof):
        return 3
    return 4 if connect.version > 0x30 else 0


def connect_answer(connect: Connect, status: int, secret: str) -> bytes:
    """Return the body of CONNECT_RESP, in the width of the version that was asked for."""
    width = 4 if connect.version >= 0x30 else 1
    shown = status.to_bytes(width)
    proof = bytes(16) if status else _md5(shown + connect.proof + secret.encode())
    return shown + proof + (0x30 if width == 4 else 0x20).to_bytes()


def read_submit(body: bytes, version: int, sp_id: str, number: str) -> Submission | int:
    """Return the message of a SUBMIT, or the Result that refuses it."""
    fields, wide = Fields(body), version == 3
    fields.raw(8)
    total, part, registered = fields.number(), fields.number(), fields.number()
    fields.raw(1)
    fields.text(10)
    fields.raw(1)
    fields.text(32 if wide else 21)
    fields.raw(int(wide) + 1)
    udhi, coding, source_id = fields.number(), fields.number(), fields.text(6)
    for width in (2, 6, 17, 17):
        fields.text(width)
    source, receivers = fields.text(21), fields.number()
    to = tuple(fields.text(32 if wide else 21) for _ in range(receivers))
    fields.raw(int(wide))
    content = fields.raw(fields.number())
    fields.raw(20 if wide else 8)
    fields.end()
    numbered = bool(udhi & 0x41)
    refused = (
        (1, not 1 <= part <= total or (total > 1 and not numbered) or (numbered and len(content) < 7)),
        (6, len(content) > (LONGEST_ASCII if coding == 0 else LONGEST)),
        (10, not source.startswith(number)),
        (11, source_id != sp_id),
        (13, not 0 < receivers < 100 or not all(one.lstrip("+").isdigit() for one in to)),
    )
    code = next((code for code, wrong in refused if wrong), 0)
    return code or Submission(to, source, coding, numbered, content, registered == 1)


def submit_answer(name: bytes, code: int, version: int) -> bytes:
    """Return the body of SUBMIT_RESP."""
    return (bytes(8) if code else name) + code.to_bytes(4 if version == 3 else 1)


def message_id(at: float, number: int) -> bytes:
    """Return a Msg_Id: month 4 bits, day 5, hour 5, minute 6, second 6, gateway 22, sequence 16."""
    day = china(at)
    bits = 0
    for value, width in (
        (day.tm_mon, 4),
        (day.tm_mday, 5),
        (day.tm_hour, 5),
        (day.tm_min, 6),
        (day.tm_sec, 6),
        (ISMG, 22),
        (number & 0xFFFF, 16),
    ):
        bits = bits << width | value
    return bits.to_bytes(8)


def china(at: float) -> time.struct_time:
    """Return an instant on the carriers' clocks, which go by the time of China wherever they are read."""
    return time.gmtime(at + 8 * 3600)


def deliver(delivery: Delivery, name: bytes, number: str, version: int, receipt_bytes: int) -> bytes:
    """Return the body of a DELIVER; ``receipt_bytes`` 60 or 71 overrules the version's own length of a receipt."""
    wide = 32 if version == 3 else 21
    content = delivery.content
    if delivery.receipt is not None:
        content = _receipt(delivery.receipt, delivery.phone, receipt_bytes or (71 if version == 3 else 60))
    return b"".join(
        (
            name,
            octets(number, 21),
            octets("", 10),
            bytes((0, delivery.udhi, delivery.coding)),
            octets(delivery.phone, wide),
            bytes(version == 3),
            bytes((delivery.receipt is not None, len(content))),
            content,
            bytes(20 if version == 3 else 8),
        )
    )


def read_deliver_answer(body: bytes, name: bytes, version: int) -> int:
    """Return the Result of a DELIVER_RESP."""
    fields = Fields(body)
    told, code = fields.raw(8), fields.number(4 if version == 3 else 1)
    fields.end()
    if told != name:
        raise Malformed
    return code


def _receipt(receipt: Receipt, phone: str, width: int) -> bytes:
    submitted, done = (
        time.strftime("%y%m%d%H%M", china(at)) for at in (receipt.submitted_at, receipt.done_at)
    )
    head = receipt.id + octets(receipt.stat, 7) + octets(submitted, 10) + octets(done, 10)
    return head + octets(phone, width - 39) + bytes(4)


def _md5(told: bytes) -> bytes:
    return hashlib.md5(told, usedforsecurity=False).digest()
