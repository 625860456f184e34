"""The bytes of SGIP 1.2: messages to values and back, no input or output (sms-email.md 1.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from normalizer.errors import InvalidInput, TooLarge

HEADER = struct.Struct("!II12s")
"""Length (with the header), command, sequence."""
MAX_PDU = 8192
"""Bytes of one message; a Submit to a hundred numbers has less than 3 KB, so more is no SGIP."""
RESPONSE = 0x80000000

_SEQUENCE = struct.Struct("!III")
_BIND = struct.Struct("!B16s16s8x")
_ANSWER = struct.Struct("!B8x")
_SUBMIT_HEAD = struct.Struct("!21s21sB")
_SUBMIT_REST = struct.Struct("!5s10sB6s6sBBB16s16sBBBBBI")
_DELIVER = struct.Struct("!21s21sBBBI")
_REPORT = struct.Struct("!12sB21sBB8x")
_RESERVE = bytes(8)


class Command(IntEnum):
    """What a message is; an answer is its request with the highest bit set."""

    BIND = 1
    UNBIND = 2
    SUBMIT = 3
    DELIVER = 4
    REPORT = 5
    BIND_RESP = RESPONSE | 1
    UNBIND_RESP = RESPONSE | 2
    SUBMIT_RESP = RESPONSE | 3
    DELIVER_RESP = RESPONSE | 4
    REPORT_RESP = RESPONSE | 5


class LoginType(IntEnum):
    """Who binds to whom."""

    TO_GATEWAY = 1
    TO_SP = 2


class Result(IntEnum):
    """The results this gateway sends or treats in a way of their own."""

    OK = 0
    WRONG_LOGIN = 1
    REPEATED = 2
    TOO_MANY = 3
    WRONG_TYPE = 4
    BAD_FORMAT = 5
    BAD_NUMBER = 6
    BUSY = 11
    UNREACHABLE = 21
    USER_AWAY = 25
    UNKNOWN_USER = 29
    SYSTEM_ERROR = 32
    QUEUE_FULL = 33


@dataclass(frozen=True, slots=True)
class Sequence:
    """The name of a message: who sent it, when (mmddhhmmss as a number) and a counter."""

    node: int
    stamp: int
    counter: int

    def encode(self) -> bytes:
        """Return its 12 bytes."""
        return _SEQUENCE.pack(self.node, self.stamp, self.counter)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One message with its body still in bytes; ``sequence`` is kept as its 12 bytes."""

    command: int
    sequence: bytes
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes for the wire."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.sequence) + self.body


@dataclass(frozen=True, slots=True)
class Bind:
    """The body of Bind."""

    login_type: int
    name: str
    password: str = field(repr=False)

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        return _BIND.pack(self.login_type, _text(self.name, 16), _text(self.password, 16))


@dataclass(frozen=True, slots=True)
class Submit:
    """The body of Submit to one number (with 86); what it leaves out is sent as "free, at once, with a report"."""

    source: str
    user: str
    corp_id: str
    service_type: str
    content: bytes
    coding: int
    udhi: int = 0
    report: int = 1

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        if len(self.content) > 160:
            raise TooLarge("a short message has 160 bytes at most")
        head = _SUBMIT_HEAD.pack(_text(self.source, 21), _text(_NOBODY, 21), 1) + _text(self.user, 21)
        free = (_FREE, b"0", b"0", 0, _TO_USER, 0)
        rest = _SUBMIT_REST.pack(
            _text(self.corp_id, 5),
            _text(self.service_type, 10),
            *free,
            b"",
            b"",
            self.report,
            0,
            self.udhi,
            self.coding,
            0,
            len(self.content),
        )
        return head + rest + self.content + _RESERVE


@dataclass(frozen=True, slots=True)
class Deliver:
    """The body of Deliver: what a person wrote."""

    user: str
    number: str
    content: bytes
    coding: int
    udhi: int = 0
    pid: int = 0

    @property
    def has_header(self) -> bool:
        """Whether the content begins with a user data header; some gateways send SMPP's 0x40 (sms-email.md 1.1)."""
        return bool(self.udhi & 0x41)

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        numbers = _text(self.user, 21), _text(self.number, 21)
        return (
            _DELIVER.pack(*numbers, self.pid, self.udhi, self.coding, len(self.content))
            + self.content
            + _RESERVE
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The body of Report: the gateway's later word on the Submit of this sequence (state 0 well, 1 waiting, 2 failed)."""

    sequence: bytes
    user: str
    state: int
    error: int = 0
    kind: int = 0

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        return _REPORT.pack(self.sequence, self.kind, _text(self.user, 21), self.state, self.error)


def length(header: bytes) -> int:
    """Return how many bytes the message of this header has; raises InvalidInput when it cannot be one."""
    if len(header) < HEADER.size:
        raise InvalidInput("an SGIP header has 20 bytes")
    size: int = HEADER.unpack_from(header)[0]
    if not HEADER.size <= size <= MAX_PDU:
        raise InvalidInput("a length that no SGIP message has")
    return size


def decode(data: bytes) -> Pdu:
    """Return the message of these bytes; raises InvalidInput."""
    if length(data) != len(data):
        raise InvalidInput("the message is not as long as it says")
    _, command, sequence = HEADER.unpack_from(data)
    return Pdu(command, sequence, data[HEADER.size :])


def decode_bind(body: bytes) -> Bind:
    """Return the body of a Bind; raises InvalidInput."""
    login_type, name, password = _unpack(_BIND, body)
    return Bind(login_type, _string(name), _string(password))


def encode_answer(result: int) -> bytes:
    """Return the body of every answer but that of Unbind, which has none."""
    return _ANSWER.pack(result)


def decode_answer(body: bytes) -> int:
    """Return the result of an answer (0: well); raises InvalidInput. Some gateways leave the reserve out."""
    if not body:
        raise InvalidInput("an answer without a result")
    return body[0]


def answer(asked: Pdu, result: int) -> bytes:
    """Return the answer to a Bind, Deliver or Report."""
    return Pdu(asked.command | RESPONSE, asked.sequence, encode_answer(result)).encode()


def decode_submit(body: bytes) -> Submit:
    """Return the body of a Submit to one number; raises InvalidInput."""
    source, _charge, count = _unpack(_SUBMIT_HEAD, body)
    if count != 1:
        raise InvalidInput("a Submit to one number is meant here")
    at = _SUBMIT_HEAD.size
    fields = _unpack(_SUBMIT_REST, body[at + 21 :])
    content = _exactly(body[at + 21 + _SUBMIT_REST.size :], fields[-1])
    return Submit(
        source=_string(source),
        user=_string(body[at : at + 21]),
        corp_id=_string(fields[0]),
        service_type=_string(fields[1]),
        content=content,
        coding=fields[13],
        udhi=fields[12],
        report=fields[10],
    )


def decode_deliver(body: bytes) -> Deliver:
    """Return the body of a Deliver; raises InvalidInput."""
    user, number, pid, udhi, coding, size = _unpack(_DELIVER, body)
    return Deliver(_string(user), _string(number), _exactly(body[_DELIVER.size :], size), coding, udhi, pid)


def decode_report(body: bytes) -> Report:
    """Return the body of a Report; raises InvalidInput."""
    sequence, kind, user, state, error = _unpack(_REPORT, body)
    return Report(sequence, _string(user), state, error, kind)


_NOBODY = "0" * 21
"""ChargeNumber of a message that nobody pays for."""
_FREE = 1
"""FeeType 1: the message costs the person nothing."""
_TO_USER = 2
"""MorelatetoMTFlag 2: sent on the SP's own account, no MO ordered it as a paid service."""


def _unpack(form: struct.Struct, body: bytes) -> tuple[Any, ...]:
    if len(body) < form.size:
        raise InvalidInput("an SGIP body ends too early")
    return form.unpack_from(body)


def _exactly(rest: bytes, size: int) -> bytes:
    """Return the content; the reserve behind it may be missing."""
    if size > len(rest):
        raise InvalidInput("the content is shorter than it says")
    return rest[:size]


def _text(value: str, size: int) -> bytes:
    data = value.encode("ascii", "replace")
    if len(data) > size or b"\x00" in data:
        raise InvalidInput(f"an SGIP field of {size} bytes cannot hold this value")
    return data.ljust(size, b"\x00")


def _string(value: bytes) -> str:
    return value.split(b"\x00", 1)[0].decode("latin-1").strip()
