"""winmail.dat, Outlook's own wrapping (TNEF), opened by tnefparse."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tnefparse import TNEF, properties  # it publishes no types

from channels.email.charsets import decode
from channels.email.kinds import kind_of
from channels.email.letter import Attachment
from channels.email.words import safe_name

_SIGNATURE = b"\x78\x9f\x3e\x22"
# It logs what it meets in a stranger's file; a broken one is told by our caller.
logging.getLogger("tnefparse").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside."""

    text: str
    html: str
    files: tuple[Attachment, ...]


def is_one(content: bytes, claimed: str, name: str) -> bool:
    """Return whether a file is winmail.dat, by its type, name or first bytes."""
    named = claimed in ("application/ms-tnef", "application/vnd.ms-tnef") or name.lower() == "winmail.dat"
    return named or content.startswith(_SIGNATURE)


def opened(content: bytes) -> Opened | None:
    """Return the files and texts inside, or None where it cannot be read or holds nothing that we can show."""
    try:
        tnef = TNEF(content, do_checksum=False)
        files = tuple(_file(number, item) for number, item in enumerate(tnef.attachments, 1))
        found = Opened(_text(tnef.body), _text(tnef.htmlbody), files)
    except Exception:  # noqa: BLE001  the library raises whatever its reading of broken bytes leads to
        return None
    return found if found.files or found.text or found.html else None


def _file(number: int, item: object) -> Attachment:
    content = bytes(getattr(item, "data", b"") or b"")
    name = safe_name(_text(_called(item))) or f"winmail-{number}.bin"
    claimed = "application/octet-stream"
    return Attachment(name, content, claimed, kind_of(content, claimed))


def _called(item: object) -> object:
    for attribute in getattr(item, "mapi_attrs", ()):
        if attribute.name == properties.MAPI_ATTACH_LONG_FILENAME:
            return attribute.data
    return getattr(item, "_name", b"")


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(_text, value))
    text = decode(value) if isinstance(value, bytes) else str(value or "")
    return text.strip("\0")
