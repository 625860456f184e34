"""Header values to text: encoded words (RFC 2047), parameters (RFC 2231), addresses, and what mailers make of them."""

from __future__ import annotations

import binascii
import re
import urllib.parse
from email.message import Message
from email.utils import getaddresses
from typing import Any

from channels.email.charsets import decode, repaired
from channels.email.letter import Mailbox

_FOLD = re.compile(r"\r?\n[ \t]?|\r[ \t]?|\x00")
_WORD = re.compile(r"=\?([\w.:+-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*)*)\?=", re.ASCII)
_WORDS = re.compile(rf"{_WORD.pattern}(?:\s*{_WORD.pattern})*", re.ASCII)
_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_LONGEST_NAME = 120
_MOST_ADDRESSES = 200


def text_of(value: str) -> str:
    """Return a header's text: unfolded, raw 8-bit bytes and encoded words decoded, quoted or not."""
    return _unwrapped(unfolded(value)).strip()


def unfolded(value: str) -> str:
    """Return a header's value on one line, its raw bytes decoded and its encoded words left alone."""
    return _FOLD.sub(" ", repaired(value))


def mailboxes(value: str) -> tuple[Mailbox, ...]:
    """Return the addresses of a header; where it cannot be parsed, whatever in it looks like an address."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        # A comma or bracket inside an encoded word must not end the name.
        kept.append(match.group())
        return f"\ue000{len(kept) - 1}\ue001"

    def back(text: str) -> str:
        return text_of(re.sub("\ue000(\\d+)\ue001", lambda m: _kept(kept, m.group(1)), text))

    line = re.sub("[\ue000\ue001]", "", unfolded(value))[:20_000]
    pairs = [pair for pair in getaddresses([_WORDS.sub(keep, line)]) if "@" in pair[1]][:_MOST_ADDRESSES]
    if pairs and all(_ADDRESS.fullmatch(address) for _, address in pairs):
        return tuple(Mailbox(address.lower(), back(name)) for name, address in pairs)
    whole = _unwrapped(line)
    found = _ADDRESS.findall(whole)[:_MOST_ADDRESSES]
    name = _ADDRESS.sub("", whole).strip(" <>\"'") if len(found) < 2 else ""
    return tuple(Mailbox(address.lower(), name) for address in found) or (
        (Mailbox("", name),) if name else ()
    )


def parameters(value: str) -> dict[str, str]:
    """Return a header's parameters by lower-case name, decoded by RFC 2231, RFC 2047 or as raw bytes."""
    carrier = Message()
    carrier["X"] = unfolded(value).replace("\ufffd", "?")
    try:
        found: list[tuple[str, Any]] = carrier.get_params([], header="X")
    except (ValueError, TypeError, LookupError):
        return {}
    result: dict[str, str] = {}
    for name, content in found[1:]:
        text = text_of(content) if isinstance(content, str) else _extended(*content)
        result.setdefault(name.lower(), text)
    return result


def safe_name(name: str) -> str:
    """Return the last component of a file name, without control and direction marks, at most 120 characters."""
    last = re.split(r"[/\\]", name)[-1]
    last = _UNSAFE.sub("", last).strip(" .")
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, ending = last.rpartition(".")
    return (
        f"{stem[: _LONGEST_NAME - len(ending) - 1]}{dot}{ending}"
        if len(ending) < 12 and dot
        else last[:_LONGEST_NAME]
    )


def _unwrapped(line: str) -> str:
    return _WORDS.sub(_run, line)


def _run(match: re.Match[str]) -> str:
    """Decode neighbouring encoded words together, for many mailers split a character between two of them."""
    done: list[str] = []
    label, pending = "", b""
    for charset, encoding, content in _WORD.findall(match.group()):
        raw = _bytes_of(encoding.lower(), content)
        if charset.lower() != label:
            done.append(decode(pending, label))
            label, pending = charset.lower(), b""
        pending += raw
    return "".join([*done, decode(pending, label)])


def _bytes_of(encoding: str, content: str) -> bytes:
    if encoding == "q":
        return binascii.a2b_qp(content.replace("_", " ").encode("utf-8", "replace"))
    packed = re.sub(r"[^0-9A-Za-z+/]", "", content)
    packed = packed[:-1] if len(packed) % 4 == 1 else packed
    return binascii.a2b_base64(packed + "=" * (-len(packed) % 4))


def _extended(charset: str | None, _language: str | None, value: str) -> str:
    # The parser gives the bytes as Latin-1 characters; where a mailer put text there instead it stays text.
    try:
        return decode(value.encode("latin-1"), charset or "")
    except UnicodeEncodeError:
        return urllib.parse.unquote(value)


def _kept(kept: list[str], number: str) -> str:
    return kept[int(number)] if int(number) < len(kept) else ""
