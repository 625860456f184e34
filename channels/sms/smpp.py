"""SMPP 3.4 as aggregators and self-hosted gateways speak it (sms-email.md 1.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from channels.contract import SendError, SendReason
from channels.settings import read
from channels.sms import gsm7
from channels.sms import smpp_pdu as pdu
from channels.sms.carrier import Carrier, Outcome, Upward
from channels.sms.session import Timers
from channels.sms.settings import Gateway
from channels.sms.text import GSM7, UCS2, WIDE
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channels.contract import Tools
    from channels.sms.carrier import Outgoing
    from channels.sms.pace import Pace
    from channels.sms.text import Alphabet

_ANSWER = 0x80000000
_LATIN = 3
_REPEAT = 120
"""Seconds from the first in which the same words of the same sender are one message (domain.md 4.4).

deliver_sm has no id, so words brought again because our answer was lost look like words that were sent again.
"""


class Settings(Gateway):
    """One account with an SMSC; ``secret`` is its password, ``src_id`` the number citizens see."""

    kind: Literal["smpp"]
    port: int = Field(default=2775, ge=1, le=65535)
    secret: SecretStr = Field(alias="password")
    system_id: str = Field(pattern=r"^[\x21-\x7e]{1,15}$")
    system_type: str = Field(default="", pattern=r"^[\x21-\x7e]{0,12}$")
    src_ton: int = Field(default=0, ge=0, le=6)
    src_npi: int = Field(default=1, ge=0, le=18)
    dst_ton: int = Field(default=0, ge=0, le=6)
    dst_npi: int = Field(default=1, ge=0, le=18)

    @property
    def timers(self) -> Timers:
        """An enquire_link after half a minute of silence: routers on the way forget a link sooner than SMSCs do."""
        return Timers(idle=30.0, window=self.window)


class Frames:
    """SMPP's frames for one account (``carrier.Frames``)."""

    header = pdu.HEADER.size
    longest = pdu.MAX_PDU
    alphabets: Sequence[Alphabet] = (WIDE, GSM7)
    throttled = frozenset({int(pdu.Status.THROTTLED), int(pdu.Status.QUEUE_FULL)})
    reasons: Mapping[int, SendReason] = {
        pdu.Status.BAD_LENGTH: SendReason.CONTENT,
        pdu.Status.NOT_BOUND: SendReason.CONNECTION,
        pdu.Status.SYSTEM_ERROR: SendReason.BUSY,
        pdu.Status.BAD_SOURCE: SendReason.FORBIDDEN,
        pdu.Status.BAD_DESTINATION: SendReason.UNREACHABLE,
        pdu.Status.TRY_AGAIN: SendReason.BUSY,
    }

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def key(self, frame: bytes) -> int:
        """Return the sequence; a generic_nack has only that in common with its request."""
        return pdu.decode(frame).sequence

    def answers(self, frame: bytes) -> bool:
        """Return whether the command has the highest bit set."""
        return bool(pdu.decode(frame).command & _ANSWER)

    def login(self, sequence: int) -> bytes:
        """Return bind_transceiver."""
        who = self._settings
        body = pdu.Bind(who.system_id, who.secret.get_secret_value(), who.system_type).encode()
        return pdu.Pdu(pdu.Command.BIND, sequence, body=body).encode()

    def welcomed(self, frame: bytes) -> None:
        """Read the answer to the bind; raises SendError when we were not let in."""
        status = pdu.decode(frame).status
        if status in {pdu.Status.BIND_FAILED, pdu.Status.BAD_PASSWORD, pdu.Status.BAD_SYSTEM_ID}:
            raise SendError(SendReason.CREDENTIALS, f"bind status {status:#x}")
        if status:
            raise SendError(SendReason.BUSY, f"bind status {status:#x}")

    def test(self, sequence: int) -> bytes:
        """Return enquire_link."""
        return pdu.Pdu(pdu.Command.ENQUIRE, sequence).encode()

    def goodbye(self, sequence: int) -> bytes:
        """Return unbind."""
        return pdu.Pdu(pdu.Command.UNBIND, sequence).encode()

    def routine(self, frame: bytes) -> bytes | None:
        """Return the answer to enquire_link and unbind."""
        asked = pdu.decode(frame)
        if asked.command not in {pdu.Command.ENQUIRE, pdu.Command.UNBIND}:
            return None
        return pdu.Pdu(asked.command | _ANSWER, asked.sequence).encode()

    def ends(self, frame: bytes) -> bool:
        """Return whether this is unbind."""
        return pdu.decode(frame).command == pdu.Command.UNBIND

    def submit(self, sequence: int, message: Outgoing) -> bytes:
        """Return submit_sm that asks for a receipt; raises InvalidInput."""
        who = self._settings
        fields = pdu.Message(
            source=pdu.Party(who.src_id, who.src_ton, who.src_npi),
            destination=pdu.Party(message.receiver, who.dst_ton, who.dst_npi),
            content=message.content,
            coding=message.coding,
            esm_class=pdu.UDHI if message.total > 1 else 0,
            registered=1,
            service_type=who.service_id[:5],
        )
        return pdu.Pdu(pdu.Command.SUBMIT, sequence, body=fields.encode()).encode()

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Read submit_sm_resp or the generic_nack in its place; raises InvalidInput."""
        answer = pdu.decode(frame)
        return pdu.decode_name(answer.body), answer.status or (answer.command == pdu.Command.NACK)

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read deliver_sm: words, named by themselves for now, or a receipt; raises InvalidInput."""
        came = pdu.decode(frame)
        if came.command != pdu.Command.DELIVER:
            return None
        message = pdu.decode_message(came.body)
        if message.about_a_send:
            report = pdu.read_report(message)
            # One without a name says nothing we could use: it is answered and forgotten, as a pending one is.
            return Outcome(report.name, report.state or "ENROUTE") if report else Outcome("", "ENROUTE")
        udh, words = _opened(message)
        return Upward(_words_name(message, udh + words), message.source.number, UCS2, bool(udh), udh + words)

    def taken(self, frame: bytes) -> bytes:
        """Return deliver_sm_resp with status 0."""
        return _deliver_resp(frame, pdu.Status.OK)

    def refused(self, frame: bytes) -> bytes:
        """Return the answer to a request that was not taken: deliver_sm comes again, others we do not know."""
        asked = pdu.decode(frame)
        if asked.command == pdu.Command.DELIVER:
            return _deliver_resp(frame, pdu.Status.TRY_AGAIN)
        return pdu.Pdu(pdu.Command.NACK, asked.sequence, pdu.Status.BAD_COMMAND).encode()


class Smpp(Carrier):
    """One account with an SMSC, as a channel; a request that cannot be taken gets an answer that says so."""

    _frames: Frames

    async def _handle(self, frame: bytes) -> bytes | None:
        return await super()._handle(frame) or self._frames.refused(frame)

    async def _take(self, upward: Upward, frame: bytes) -> None:
        name = await self._named(upward.external_id)
        await super()._take(replace(upward, external_id=name), frame)

    async def _named(self, words: str) -> str:
        """Return the id of these words: that of the first like them, as long as it is not ``_REPEAT`` seconds old."""
        keyed = self._tools.sign(words).hex()[:32]
        key = f"sms:{self.account}:up:{keyed}"
        if known := await self._tools.keys.get(key):
            return known
        # Two that are more than the span apart never share a number; two that are not do so mostly, which helps
        # when the shared values were lost with a process.
        name = f"{keyed}-{int(self._tools.now().timestamp()) // _REPEAT}"
        await self._tools.keys.set(key, name, _REPEAT)
        return name


def build(account: str, settings: Mapping[str, object], tools: Tools, pace: Pace | None = None) -> Smpp:
    """Make the channel of an account; raises Misconfigured."""
    chosen = read(Settings, account, settings)
    return Smpp(account, Frames(chosen), chosen, tools, pace)


def _deliver_resp(frame: bytes, status: int) -> bytes:
    sequence = pdu.decode(frame).sequence
    return pdu.Pdu(pdu.Command.DELIVER_RESP, sequence, status, pdu.encode_name("")).encode()


def _words_name(message: pdu.Message, content: bytes) -> str:
    """Return what the same words from the same sender to the same number of ours have in common."""
    numbers = f"{message.source.number}\0{message.destination.number}\0".encode()
    return hashlib.sha256(numbers + content).hexdigest()


def _opened(message: pdu.Message) -> tuple[bytes, bytes]:
    """Return the user data header, made from the sar parameters if need be, and the words in UTF-16BE."""
    content = message.payload
    end = content[0] + 1 if message.has_header and content else 0
    if end > len(content):
        raise InvalidInput("a user data header longer than its message")
    udh, words = content[:end], _wide(content[end:], message.coding)
    if message.segment and not udh:
        reference, total, number = message.segment
        udh = b"\x06\x08\x04" + (reference & 0xFFFF).to_bytes(2, "big") + bytes((total, number))
    return udh, words


def _wide(words: bytes, coding: int) -> bytes:
    if coding == UCS2:
        return words
    text = words.decode("latin-1") if coding == _LATIN else gsm7.decode(words)
    return text.encode("utf-16-be")
