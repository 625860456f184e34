"""How values lie inside sealed columns: JSON by pydantic, with the provider's bytes behind a message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from normalizer.case import Case, CaseEvent
from normalizer.message import InboundMessage, Part

if TYPE_CHECKING:
    from gateway.store.seal import Cipher

_MESSAGE = TypeAdapter(InboundMessage)
_CASE = TypeAdapter(Case)
_EVENT = TypeAdapter(CaseEvent)
_PART = TypeAdapter(Part)
# Straight to pydantic's serialiser: the adapter's own method looks at twelve settings first, for each row anew.
_write_message = _MESSAGE.serializer.to_json
_write_case, _write_event = _CASE.serializer.to_json, _EVENT.serializer.to_json
_RAW = {"raw"}
_LENGTH = 4


def seal_message(cipher: Cipher, message: InboundMessage) -> bytes:
    """Seal a message with its raw bytes."""
    head = _write_message(message, exclude=_RAW, exclude_defaults=True)
    return cipher.seal(len(head).to_bytes(_LENGTH) + head + message.raw)


def open_message(cipher: Cipher, sealed: bytes) -> InboundMessage:
    """Open a message that ``seal_message`` sealed; raises InvalidInput."""
    plain = cipher.open(sealed)
    end = _LENGTH + int.from_bytes(plain[:_LENGTH])
    head = plain[_LENGTH : end - 1] + b',"raw":""}'
    return replace(_MESSAGE.validate_json(head), raw=plain[end:])


def seal_part(cipher: Cipher, part: Part) -> bytes:
    """Seal one part of a message."""
    return cipher.seal(_PART.dump_json(part, exclude_defaults=True))


def open_part(cipher: Cipher, sealed: bytes) -> Part:
    """Open a part that ``seal_part`` sealed; raises InvalidInput."""
    return _PART.validate_json(cipher.open(sealed))


def seal_case(cipher: Cipher, case: Case) -> bytes:
    """Seal a case, whole."""
    return cipher.seal(_write_case(case, exclude_defaults=True))


def open_case(cipher: Cipher, sealed: bytes) -> Case:
    """Open a case that ``seal_case`` sealed; raises InvalidInput."""
    return _CASE.validate_json(cipher.open(sealed))


def seal_event(cipher: Cipher, event: CaseEvent) -> bytes:
    """Seal one line of a case's log."""
    return cipher.seal(_write_event(event, exclude_defaults=True))


def open_event(cipher: Cipher, sealed: bytes) -> CaseEvent:
    """Open a line that ``seal_event`` sealed; raises InvalidInput."""
    return _EVENT.validate_json(cipher.open(sealed))
