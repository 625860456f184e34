"""The frames of CMPP 2.0 and 3.0 as values and bytes (sms-email.md 1.1; CMPP 3.0, sections 7 and 8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from channels.sms import octets
from channels.sms.octets import Octets, frame, padded
from channels.sms.text import UCS2
from normalizer.errors import InvalidInput


class Command(IntEnum):
    """What a frame asks; its answer has the highest bit set."""

    CONNECT = 1
    TERMINATE = 2
    SUBMIT = 4
    DELIVER = 5
    ACTIVE_TEST = 8


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNECT_RESP; status 0 is well."""

    status: int
    authenticator: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Submit:
    """The fields of SUBMIT that we set; the others are empty. ``total`` and ``number`` count parts from 1."""

    source: str
    sp_id: str
    receiver: str
    content: bytes
    service: str = ""
    total: int = 1
    number: int = 1
    coding: int = UCS2
    receipt: bool = True


@dataclass(frozen=True, slots=True)
class Submitted:
    """SUBMIT_RESP: the name of the message (8 bytes), result 0 is well."""

    msg_id: bytes
    result: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message from a handset, or a receipt when ``receipt`` is set; ``udhi`` says that a header leads."""

    msg_id: bytes
    destination: str
    source: str
    coding: int
    udhi: bool
    receipt: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """The receipt inside a DELIVER: the name SUBMIT_RESP gave, and how it ended."""

    msg_id: bytes
    stat: str
    done_time: str
    receiver: str


def authenticator(sp_id: str, secret: str, stamp: int) -> bytes:
    """Return AuthenticatorSource for a time written MMDDHHMMSS as a number."""
    text = padded(sp_id, 6).rstrip(b"\0") + bytes(9) + secret.encode() + b"%010d" % stamp
    return hashlib.md5(text, usedforsecurity=False).digest()


def approved(answer: Connected, source: bytes, secret: str) -> bool:
    """Return whether the gateway knows the secret too; the status is hashed as one or four bytes (1.1)."""
    hashes = (
        hashlib.md5(answer.status.to_bytes(size, "big") + source + secret.encode(), usedforsecurity=False)
        for size in (1, 4)
    )
    return answer.authenticator in [one.digest() for one in hashes]


def connect(number: int, sp_id: str, secret: str, stamp: int, version: int) -> bytes:
    """Return CONNECT for major version 2 or 3."""
    proof = authenticator(sp_id, secret, stamp)
    body = padded(sp_id, 6) + proof + bytes((version << 4,)) + stamp.to_bytes(4, "big")
    return frame(Command.CONNECT, number, body)


def connected(data: bytes) -> Connected:
    """Read CONNECT_RESP of either width of status; raises InvalidInput."""
    fields = octets.fields(data, Command.CONNECT | octets.ANSWER)
    status = fields.number(1 if len(data) < 33 else 4)
    return Connected(status, fields.take(16), fields.number())


def submit(number: int, message: Submit, version: int) -> bytes:
    """Return SUBMIT to one receiver; raises InvalidInput when a field does not fit."""
    if len(message.content) > 140:
        raise InvalidInput("more than 140 bytes in one message")
    wide = 32 if version == 3 else 21
    kind = b"\0" if version == 3 else b""
    body = b"".join(
        (
            bytes(8),
            bytes((message.total, message.number, message.receipt, 1)),
            padded(message.service, 10),
            b"\0",  # Fee_UserType: the receiver is charged, who is free by FeeType 01
            bytes(wide) + kind,
            bytes((0, message.total > 1, message.coding)),
            padded(message.sp_id, 6),
            b"01" + b"000000",
            bytes(17 + 17),
            padded(message.source, 21),
            b"\x01",
            padded(message.receiver, wide) + kind,
            bytes((len(message.content),)),
            message.content,
            bytes(20 if version == 3 else 8),
        )
    )
    return frame(Command.SUBMIT, number, body)


def submitted(data: bytes) -> Submitted:
    """Read SUBMIT_RESP of either width of result; raises InvalidInput."""
    fields = octets.fields(data, Command.SUBMIT | octets.ANSWER)
    return Submitted(fields.take(8), fields.number(1 if len(data) < 24 else 4))


def delivered(data: bytes, version: int) -> Deliver:
    """Read DELIVER; raises InvalidInput."""
    fields = octets.fields(data, Command.DELIVER)
    msg_id, destination, _service = fields.take(8), fields.text(21), fields.take(10)
    _pid, udhi, coding = fields.take(3)
    source = fields.text(32 if version == 3 else 21)
    if version == 3:
        fields.take(1)
    receipt = fields.number() == 1
    content = fields.take(fields.number())
    # Gateways pass the esm_class of SMPP through: 0x40 means what 1 does (1.1, "Field traps").
    return Deliver(msg_id, destination, source, coding, bool(udhi & 0x41), receipt, content)


def deliver_resp(data: bytes, result: int, version: int) -> bytes:
    """Return the answer to a DELIVER; result 0 takes it."""
    body = data[12:20] + result.to_bytes(4 if version == 3 else 1, "big")
    return octets.answer(data, body)


def report(content: bytes) -> Report:
    """Read a receipt of 60 or 71 bytes, whichever it is (1.1); raises InvalidInput."""
    fields = Octets(content)
    msg_id, stat, _submitted, done = fields.take(8), fields.text(7), fields.take(10), fields.text(10)
    return Report(msg_id, stat, done, fields.text(32 if len(content) >= 71 else 21))
