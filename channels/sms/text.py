"""Words as short messages: where a long text is cut, how it is coded, who signs it (sms-email.md 1.1, 1.6)."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.sms import gsm7
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ASCII, BINARY, UCS2, GB = 0, 4, 8, 15
"""Values of Msg_Fmt (CMPP 3.0, 7.4.3)."""
MAX_BYTES = 1500
"""UTF-8 bytes of one text: 500 characters, the clouds' cap with the signature (sms-email.md 1.6)."""
WIDE_REFERENCE = 0x10000
"""Added to a 16-bit reference, so that it is never taken for an 8-bit one."""

_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}
_SKINS = range(0x1F3FB, 0x1F400)
_HALVES, _PARKED = 0xD800, 0xF0000


@dataclass(frozen=True, slots=True)
class Long:
    """What a user data header says of a long message (3GPP TS 23.040, 9.2.3.24.1 and .8)."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Alphabet:
    """How many units a message holds alone and as a part, how many a character takes, and its bytes.

    ``coding`` is what the carrier is told of them (Msg_Fmt, data_coding).
    """

    single: int
    part: int
    coding: int
    width: Callable[[str], int]
    encode: Callable[[str], bytes]


def _utf16_width(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "replace")


WIDE = Alphabet(70, 67, UCS2, _utf16_width, _utf16)
"""UCS-2: 140 bytes, 134 beside a header of six."""
GSM7 = Alphabet(160, 153, ASCII, gsm7.width, gsm7.encode)
"""The GSM 7-bit alphabet, an octet a septet as SMPP carries it; only for routes that really send it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One short message: part ``number`` (from 1) of ``total``, its words and in which alphabet they go."""

    text: str
    number: int
    total: int
    alphabet: Alphabet = WIDE


def fewest(text: str, alphabets: Sequence[Alphabet]) -> tuple[Segment, ...]:
    """Return the short messages a text makes in the alphabet that needs fewest; of equals the first is taken.

    Alphabets that have not all of its letters are passed over, but for the first; raises InvalidInput as ``segments``.
    """
    best = segments(text, alphabets[0])
    for alphabet in alphabets[1:]:
        with contextlib.suppress(InvalidInput):
            best = min(best, segments(text, alphabet), key=len)
    return best


def segments(text: str, alphabet: Alphabet = WIDE) -> tuple[Segment, ...]:
    """Return the short messages a text makes; together they hold exactly the text.

    Never cuts inside a character, and inside a number or a composed sign only where one fills half a message.
    Raises InvalidInput for a character the alphabet has not, or for more than 255 parts.
    """
    if sum(map(alphabet.width, text)) <= alphabet.single:
        return (Segment(text, 1, 1, alphabet),)
    pieces = []
    while text:
        end = _end(text, alphabet)
        pieces.append(text[:end])
        text = text[end:]
    if len(pieces) > 255:
        raise InvalidInput("a text of more than 255 short messages")
    total = len(pieces)
    return tuple(Segment(piece, number, total, alphabet) for number, piece in enumerate(pieces, 1))


def count(text: str) -> int:
    """Return how many short messages a text makes, each of which is paid for."""
    return len(segments(text))


def signed(text: str, signature: str) -> str:
    """Return the text with 【signature】 first and once; an empty signature signs nothing (sms-email.md 1.6)."""
    name = signature.strip("【】 ")
    if not name:
        return text
    mark = f"【{name}】"
    return mark + text.strip().removeprefix(mark).removesuffix(mark).strip()


def header(long: Long) -> bytes:
    """Return the six bytes that go before a part: 05 00 03 reference total number."""
    return bytes((5, 0, 3, long.reference & 0xFF, long.total, long.number))


def payload(segment: Segment, reference: int) -> bytes:
    """Return a segment's bytes in its alphabet, after a header with the reference when it is a part."""
    words = segment.alphabet.encode(segment.text)
    if segment.total == 1:
        return words
    return header(Long(reference, segment.total, segment.number)) + words


def opened(content: bytes) -> tuple[Long | None, bytes]:
    """Return what the header at the head of a content says, and the words' bytes after it.

    Elements we do not know are skipped; a header that is none is left where it is.
    """
    end = content[0] + 1 if content else 0
    if not 1 <= end <= len(content):
        return None, content
    found, at = None, 1
    while at + 2 <= end:
        kind, size = content[at], content[at + 1]
        value = content[at + 2 : min(at + 2 + size, end)]
        found = _long(kind, value) or found
        at += 2 + size
    return found, content[end:]


def decoded(content: bytes, coding: int) -> str:
    """Return the words of a content by its Msg_Fmt; what cannot be read becomes U+FFFD, nothing is raised.

    Half a character at the edge of a part is kept so that ``joined`` can mend it.
    """
    if coding == UCS2:
        return _parked(
            content.decode("utf-16-be", "surrogatepass") if not len(content) % 2 else _odd(content)
        )
    if coding == GB:
        return content.decode("gb18030", "replace")
    if coding == ASCII and content.isascii():
        return content.decode("ascii")
    return _guessed(content)


def joined(texts: Iterable[str]) -> str:
    """Return the words of parts as one text, with characters that were cut in two whole again."""
    halves = "".join(map(_unparked, "".join(texts)))
    return halves.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _end(text: str, alphabet: Alphabet) -> int:
    room, fits = alphabet.part, 0
    for char in text:
        room -= alphabet.width(char)
        if room < 0:
            break
        fits += 1
    at = fits
    while fits < len(text) and at > fits // 2 and _inside(text[at - 1], text[at]):
        at -= 1
    return at if at > fits // 2 else fits


def _inside(left: str, right: str) -> bool:
    if left.isdecimal() and right.isdecimal():
        return True
    composed = unicodedata.combining(right) or ord(right) in _SKINS or unicodedata.category(right) == "Mn"
    return bool(composed) or left == "\u200d" or right in _JOINERS


def _long(kind: int, value: bytes) -> Long | None:
    if kind == 0 and len(value) == 3:
        reference = value[0]
    elif kind == 8 and len(value) == 4:
        reference = WIDE_REFERENCE + int.from_bytes(value[:2], "big")
    else:
        return None
    total, number = value[-2:]
    return Long(reference, total, number) if 1 <= number <= total else None


def _odd(content: bytes) -> str:
    return content[:-1].decode("utf-16-be", "surrogatepass") + "\ufffd"


def _parked(text: str) -> str:
    """Return the text with lone surrogates moved where they can be stored and sent on."""
    return "".join(chr(ord(c) - _HALVES + _PARKED) if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def _unparked(char: str) -> str:
    return chr(ord(char) - _PARKED + _HALVES) if _PARKED <= ord(char) < _PARKED + 0x800 else char


def _guessed(content: bytes) -> str:
    """Return what binary content says if one reading of it is plain Chinese or Latin, the best effort else."""
    for encoding in ("utf-8", "utf-16-be", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(map(_plain, text)):
            return text
    return content.decode("gb18030", "replace")


def _plain(char: str) -> bool:
    code = ord(char)
    return (
        char in "\r\n\t"
        or 0x20 <= code < 0x7F
        or 0x3000 <= code < 0x3040
        or 0x4E00 <= code < 0xA000
        or 0xFF00 <= code < 0xFFF0
        or char in "“”‘’…—·"
    )
