"""The frames of China Telecom's SMGP 3.0.3 as values and bytes (sms-email.md 1.3)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum

from channels.sms import octets
from channels.sms.octets import Octets, frame, padded
from channels.sms.text import UCS2
from normalizer.errors import InvalidInput

VERSION = 0x30
BOTH = 2
"""LoginMode: this session sends and receives."""


class Command(IntEnum):
    """What a frame asks; its answer has the highest bit set."""

    LOGIN = 1
    SUBMIT = 2
    DELIVER = 3
    ACTIVE_TEST = 4
    EXIT = 6


class Tag(IntEnum):
    """The optional fields we use."""

    TP_UDHI = 2
    PK_TOTAL = 9
    PK_NUMBER = 10


@dataclass(frozen=True, slots=True)
class Submit:
    """The fields of Submit that we set; the others are empty. ``total`` and ``number`` count parts from 1."""

    source: str
    receiver: str
    content: bytes
    service: str = ""
    total: int = 1
    number: int = 1
    coding: int = UCS2
    receipt: bool = True


@dataclass(frozen=True, slots=True)
class Submitted:
    """Submit_Resp: the name of the message (10 bytes), status 0 is well."""

    msg_id: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """A message from a handset, or a receipt when ``receipt`` is set; ``udhi`` says that a header leads."""

    msg_id: bytes
    source: str
    destination: str
    coding: int
    udhi: bool
    receipt: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """The receipt inside a Deliver: the name Submit_Resp gave, how it ended, and the network's code."""

    msg_id: bytes
    stat: str
    err: str


def authenticator(client: str, secret: str, stamp: int) -> bytes:
    """Return AuthenticatorClient for a time written MMDDHHMMSS as a number."""
    text = padded(client, 8).rstrip(b"\0") + bytes(7) + secret.encode() + b"%010d" % stamp
    return hashlib.md5(text, usedforsecurity=False).digest()


def login(number: int, client: str, secret: str, stamp: int) -> bytes:
    """Return Login for a session that sends and receives."""
    proof = authenticator(client, secret, stamp)
    body = padded(client, 8) + proof + bytes((BOTH,)) + stamp.to_bytes(4, "big") + bytes((VERSION,))
    return frame(Command.LOGIN, number, body)


def login_status(data: bytes) -> int:
    """Return the status of Login_Resp, 0 is well; raises InvalidInput."""
    return octets.fields(data, Command.LOGIN | octets.ANSWER).number(4)


def submit(number: int, message: Submit) -> bytes:
    """Return Submit to one receiver; raises InvalidInput when a field does not fit."""
    if len(message.content) > 140:
        raise InvalidInput("more than 140 bytes in one message")
    body = b"".join(
        (
            bytes((6, message.receipt, 1)),  # MsgType 6: from the service to a handset
            padded(message.service, 10),
            b"00" + b"000000" + b"000000",
            bytes((message.coding,)),
            bytes(17 + 17),
            padded(message.source, 21),
            bytes(21),
            b"\x01",
            padded(message.receiver, 21),
            bytes((len(message.content),)),
            message.content,
            bytes(8),
        )
    )
    if message.total > 1:
        body += _tlv(Tag.TP_UDHI, 1) + _tlv(Tag.PK_TOTAL, message.total) + _tlv(Tag.PK_NUMBER, message.number)
    return frame(Command.SUBMIT, number, body)


def submitted(data: bytes) -> Submitted:
    """Read Submit_Resp; raises InvalidInput."""
    fields = octets.fields(data, Command.SUBMIT | octets.ANSWER)
    return Submitted(fields.take(10), fields.number(4))


def delivered(data: bytes) -> Deliver:
    """Read Deliver; raises InvalidInput."""
    fields = octets.fields(data, Command.DELIVER)
    msg_id, receipt, coding, _received = fields.take(10), fields.number(), fields.number(), fields.take(14)
    source, destination = fields.text(21), fields.text(21)
    content = fields.take(fields.number())
    fields.take(8)
    udhi = _optional(fields.rest()).get(Tag.TP_UDHI, b"")
    return Deliver(msg_id, source, destination, coding, bool(udhi and udhi[0] & 0x41), receipt == 1, content)


def deliver_resp(data: bytes, status: int) -> bytes:
    """Return the answer to a Deliver; status 0 takes it."""
    return octets.answer(data, data[12:22] + status.to_bytes(4, "big"))


def report(content: bytes) -> Report:
    """Read a receipt: text, but for the ten bytes of the id, which may be anything; raises InvalidInput."""
    if not content[:3].lower() == b"id:" or len(content) < 13:
        raise InvalidInput("a receipt without an id")
    rest = content[13:].decode("latin-1")
    stat = _STAT.search(rest)
    if stat is None:
        raise InvalidInput("a receipt without a state")
    err = _ERR.search(rest)
    return Report(content[3:13], stat[1].upper(), err[1] if err else "")


_STAT = re.compile(r"stat:\s*([0-9A-Za-z:]{1,10})", re.IGNORECASE)
_ERR = re.compile(r"err:\s*([0-9A-Za-z]{1,10})", re.IGNORECASE)


def _tlv(tag: Tag, value: int) -> bytes:
    return tag.to_bytes(2, "big") + b"\x00\x01" + bytes((value,))


def _optional(rest: bytes) -> dict[int, bytes]:
    """Return the optional fields by their tag; raises InvalidInput when one is cut short."""
    fields, found = Octets(rest), dict[int, bytes]()
    while fields.left:
        tag = fields.number(2)
        found[tag] = fields.take(fields.number(2))
    return found
