"""SMGP 3.0.3 on the wire (sms-email.md 1.3)."""

from __future__ import annotations

import hashlib
import hmac
import time

from gateway.sandbox.ismg.carrier import Delivery, Receipt, Submission
from gateway.sandbox.ismg.cmpp import china
from gateway.sandbox.ismg.content import LONGEST, LONGEST_ASCII
from gateway.sandbox.ismg.wire import Fields, Malformed, octets

LOGIN, SUBMIT, DELIVER, ACTIVE_TEST, EXIT = 1, 2, 3, 4, 6
TP_UDHI = 2
GATEWAY = "075501"


def read_login(body: bytes, sp_id: str, secret: str) -> tuple[int, int, bytes]:
    """Return (status, login mode, proof) of a login: 20 for a wrong source, 21 for a wrong proof."""
    fields = Fields(body)
    source, proof, mode, stamp = fields.text(8), fields.raw(16), fields.number(), fields.number(4)
    fields.raw(1)
    fields.end()
    if source != sp_id:
        return 20, mode, proof
    told = sp_id.encode() + bytes(7) + secret.encode() + f"{stamp:010d}".encode()
    return (0 if hmac.compare_digest(_md5(told), proof) else 21), mode, proof


def login_answer(status: int, proof: bytes, secret: str) -> bytes:
    """Return the body of the answer to a login."""
    shown = status.to_bytes(4)
    return shown + (bytes(16) if status else _md5(shown + proof + secret.encode())) + b"\x30"


def read_submit(body: bytes, number: str) -> Submission | int:
    """Return the message of a Submit, or the status that refuses it."""
    fields = Fields(body)
    fields.raw(1)
    wants_receipt = fields.number() == 1
    fields.raw(1)
    for width in (10, 2, 6, 6):
        fields.text(width)
    coding = fields.number()
    fields.text(17)
    fields.text(17)
    source = fields.text(21)
    fields.text(21)
    to = tuple(fields.text(21) for _ in range(fields.number()))
    content = fields.raw(fields.number())
    fields.raw(8)
    numbered = bool(_extras(fields).get(TP_UDHI, b"\0")[-1])
    if len(content) > (LONGEST_ASCII if coding == 0 else LONGEST) or (numbered and len(content) < 7):
        return 10
    if not source.startswith(number) or not to or not all(one.isdigit() for one in to):
        return 10
    return Submission(to, source, coding, numbered, content, wants_receipt)


def message_id(at: float, number: int) -> bytes:
    """Return a MsgID of 10 bytes in packed decimals: gateway, month to minute, a running number."""
    return bytes.fromhex(GATEWAY + time.strftime("%m%d%H%M", china(at)) + f"{number % 10**6:06d}")


def deliver(delivery: Delivery, name: bytes, number: str) -> bytes:
    """Return the body of a Deliver; a receipt is a text around a binary id."""
    content = delivery.content
    if delivery.receipt is not None:
        content = _receipt(delivery.receipt)
    extra = TP_UDHI.to_bytes(2) + b"\x00\x01\x01" if delivery.udhi else b""
    return b"".join(
        (
            name,
            bytes((delivery.receipt is not None, delivery.coding)),
            time.strftime("%Y%m%d%H%M%S", china(delivery.line.at)).encode(),
            octets(delivery.phone, 21),
            octets(number, 21),
            len(content).to_bytes(),
            content,
            bytes(8),
            extra,
        )
    )


def read_deliver_answer(body: bytes, name: bytes) -> int:
    """Return the status of the answer to a Deliver."""
    fields = Fields(body)
    told, code = fields.raw(10), fields.number(4)
    fields.end()
    if told != name:
        raise Malformed
    return code


def _receipt(receipt: Receipt) -> bytes:
    submitted, done = (
        time.strftime("%y%m%d%H%M", china(at)) for at in (receipt.submitted_at, receipt.done_at)
    )
    failed = "000" if receipt.stat == "DELIVRD" else "001"
    told = (
        f" sub:001 dlvrd:001 submit date:{submitted} done date:{done} stat:{receipt.stat} err:{failed} text:"
    )
    return b"id:" + receipt.id + told.encode() + bytes(20)


def _extras(fields: Fields) -> dict[int, bytes]:
    extras = {}
    while fields.left:
        tag = fields.number(2)
        extras[tag] = fields.raw(fields.number(2))
        if not extras[tag]:
            raise Malformed
    return extras


def _md5(told: bytes) -> bytes:
    return hashlib.md5(told, usedforsecurity=False).digest()
