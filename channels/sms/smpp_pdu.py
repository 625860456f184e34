"""The bytes of SMPP 3.4: PDUs to values and back, no input or output (SMPP 3.4 Issue 1.2, chapters 4 and 5)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from normalizer.errors import InvalidInput, TooLarge

HEADER = struct.Struct("!IIII")
"""Length (with the header), command, status, sequence."""
MAX_PDU = 70_000
"""Bytes of one PDU; a message_payload has 64 KB at most, so more is no SMPP."""
VERSION = 0x34

UDHI = 0x40
"""esm_class: the content begins with a user data header."""
RECEIPT = 0x04
INTERMEDIATE = 0x20
_KIND = 0x3C

SAR_REFERENCE = 0x020C
SAR_TOTAL = 0x020E
SAR_NUMBER = 0x020F
MESSAGE_PAYLOAD = 0x0424
RECEIPTED_ID = 0x001E
MESSAGE_STATE = 0x0427


class Command(IntEnum):
    """What a PDU is; an answer is its request with the highest bit set."""

    NACK = 0x80000000
    BIND = 0x00000009
    BIND_RESP = 0x80000009
    SUBMIT = 0x00000004
    SUBMIT_RESP = 0x80000004
    DELIVER = 0x00000005
    DELIVER_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    ENQUIRE = 0x00000015
    ENQUIRE_RESP = 0x80000015


class Status(IntEnum):
    """The command_status values this gateway sends or treats in a way of their own (5.1.3)."""

    OK = 0x00
    BAD_LENGTH = 0x01
    BAD_COMMAND = 0x03
    NOT_BOUND = 0x04
    SYSTEM_ERROR = 0x08
    BAD_SOURCE = 0x0A
    BAD_DESTINATION = 0x0B
    BIND_FAILED = 0x0D
    BAD_PASSWORD = 0x0E
    BAD_SYSTEM_ID = 0x0F
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TRY_AGAIN = 0x64
    REFUSE = 0x65


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU with its body still in bytes."""

    command: int
    sequence: int
    status: int = 0
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes for the wire."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


@dataclass(frozen=True, slots=True)
class Bind:
    """The body of bind_transceiver (4.1.5)."""

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        fields = _cstring(self.system_id, 16) + _cstring(self.password, 9) + _cstring(self.system_type, 13)
        return fields + bytes((self.version, 0, 0)) + b"\x00"


@dataclass(frozen=True, slots=True)
class Party:
    """An address: type of number, numbering plan and digits (5.2.5, 5.2.6)."""

    number: str
    ton: int = 0
    npi: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """The body of submit_sm and deliver_sm (4.4.1, 4.6.1); ``tlvs`` are the optional parameters by their tag."""

    source: Party
    destination: Party
    content: bytes
    coding: int = 0
    esm_class: int = 0
    registered: int = 0
    service_type: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def has_header(self) -> bool:
        """Whether the content begins with a user data header."""
        return bool(self.esm_class & UDHI)

    @property
    def payload(self) -> bytes:
        """The content wherever it stands: in short_message or in message_payload."""
        return self.content or self.tlvs.get(MESSAGE_PAYLOAD, b"")

    @property
    def about_a_send(self) -> bool:
        """Whether it is the SMSC's word on a message of ours and no person's."""
        return self.esm_class & _KIND in {RECEIPT, INTERMEDIATE}

    @property
    def segment(self) -> tuple[int, int, int] | None:
        """Reference, total and number from the sar parameters, None when they are not all there."""
        found = [self.tlvs.get(tag, b"") for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)]
        if not all(found):
            return None
        reference, total, number = (int.from_bytes(value) for value in found)
        return (reference, total, number) if 1 <= number <= total <= 255 else None

    def encode(self) -> bytes:
        """Return the body; raises InvalidInput when a field is too long."""
        if len(self.content) > 254:
            raise TooLarge("a short_message has 254 bytes at most")
        settings = (self.esm_class, 0, 0, 0, 0, self.registered, 0, self.coding, 0, len(self.content))
        return (
            _cstring(self.service_type, 6)
            + _address(self.source)
            + _address(self.destination)
            + bytes(settings)
            + self.content
            + encode_tlvs(self.tlvs)
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The SMSC's later word on a message: its name, the state by its seven letters and the error code if told."""

    name: str
    state: str
    error: str = ""


def length(header: bytes) -> int:
    """Return how many bytes the PDU of this header has; raises InvalidInput when it cannot be one."""
    if len(header) < HEADER.size:
        raise InvalidInput("an SMPP header has 16 bytes")
    size: int = HEADER.unpack_from(header)[0]
    if not HEADER.size <= size <= MAX_PDU:
        raise InvalidInput("a length that no SMPP PDU has")
    return size


def decode(data: bytes) -> Pdu:
    """Return the PDU of these bytes; raises InvalidInput."""
    if length(data) != len(data):
        raise InvalidInput("the PDU is not as long as it says")
    _, command, status, sequence = HEADER.unpack_from(data)
    return Pdu(command, sequence, status, data[HEADER.size :])


def decode_bind(body: bytes) -> Bind:
    """Return the body of a bind; raises InvalidInput."""
    reader = _Reader(body)
    system_id, password, system_type = reader.cstring(), reader.cstring(), reader.cstring()
    return Bind(system_id, password, system_type, reader.byte())


def decode_message(body: bytes) -> Message:
    """Return the body of submit_sm or deliver_sm; raises InvalidInput."""
    reader = _Reader(body)
    service_type = reader.cstring()
    source, destination = reader.party(), reader.party()
    esm_class, _protocol, _priority = reader.byte(), reader.byte(), reader.byte()
    _schedule, _validity = reader.cstring(), reader.cstring()
    registered, _replace, coding, _default = reader.byte(), reader.byte(), reader.byte(), reader.byte()
    content = reader.take(reader.byte())
    return Message(source, destination, content, coding, esm_class, registered, service_type, reader.tlvs())


def encode_name(name: str) -> bytes:
    """Return the body of submit_sm_resp or deliver_sm_resp: the message id (65 bytes at most)."""
    return _cstring(name, 65)


def decode_name(body: bytes) -> str:
    """Return the message id of submit_sm_resp; empty where the SMSC gave none (allowed with an error status)."""
    return body.split(b"\x00", 1)[0].decode("latin-1")


def encode_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """Return optional parameters as bytes (5.3.1)."""
    return b"".join(struct.pack("!HH", tag, len(value)) + value for tag, value in tlvs.items())


def read_report(message: Message) -> Report | None:
    """Return what a receipt says: by its optional parameters, else by the usual text (appendix B).

    None where it names no message.
    """
    text = dict(reversed(_FIELD.findall(message.payload.decode("latin-1"))))
    given = message.tlvs.get(RECEIPTED_ID, b"").rstrip(b"\x00").decode("latin-1")
    name = given or text.get("id", "")
    number = int.from_bytes(message.tlvs.get(MESSAGE_STATE, b""))
    return Report(name, _STATES.get(number) or text.get("stat", ""), text.get("err", "")) if name else None


_FIELD = re.compile(r"\b(id|stat|err):(\S+)")
_STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
"""message_state (5.2.28) in the words of the receipt's text."""


def _cstring(value: str, size: int) -> bytes:
    """Return a string with its end mark; ``size`` counts the mark (3.1)."""
    data = value.encode("latin-1", "replace")
    if len(data) >= size or b"\x00" in data:
        raise InvalidInput(f"an SMPP field of {size - 1} characters cannot hold this value")
    return data + b"\x00"


def _address(party: Party) -> bytes:
    return bytes((party.ton, party.npi)) + _cstring(party.number, 21)


class _Reader:
    """Takes fields from the front of a body; whatever is missing is InvalidInput."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._body):
            raise InvalidInput("an SMPP body ends too early")
        self._at += size
        return self._body[self._at - size : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def cstring(self) -> str:
        end = self._body.find(b"\x00", self._at)
        if end < 0:
            raise InvalidInput("an SMPP string without an end")
        value = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return value

    def party(self) -> Party:
        ton, npi = self.byte(), self.byte()
        return Party(self.cstring(), ton, npi)

    def tlvs(self) -> Mapping[int, bytes]:
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, size = struct.unpack("!HH", self.take(4))
            found[tag] = self.take(size)
        return found
