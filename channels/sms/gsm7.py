"""The GSM 7-bit default alphabet, one octet a character as SMPP carries it (3GPP TS 23.038 6.2.1)."""

from __future__ import annotations

from normalizer.errors import InvalidInput

ESCAPE = 0x1B

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_OCTETS = {letter: bytes((code,)) for code, letter in enumerate(_BASIC) if code != ESCAPE}
_OCTETS |= {letter: bytes((ESCAPE, code)) for code, letter in _EXTENDED.items()}


def encode(text: str) -> bytes:
    """Return the text in the alphabet, two octets for an extended letter; raises InvalidInput for one it has not."""
    return b"".join(map(_octets, text))


def width(letter: str) -> int:
    """Return how many septets a letter takes; raises InvalidInput for one that the alphabet has not."""
    return len(_octets(letter))


def decode(data: bytes) -> str:
    """Return the text of these octets; one above 127 is no letter of the alphabet and is shown as U+FFFD.

    An unknown extension is read as its basic letter, an escape at the end as a blank, as the norm asks.
    """
    letters = []
    escaped = False
    for code in data:
        if code == ESCAPE and not escaped:
            escaped = True
            continue
        letters.append(_letter(code, escaped=escaped))
        escaped = False
    return "".join(letters) + (" " if escaped else "")


def _octets(letter: str) -> bytes:
    if letter not in _OCTETS:
        raise InvalidInput("not a letter of the GSM 7-bit alphabet")
    return _OCTETS[letter]


def _letter(code: int, *, escaped: bool) -> str:
    if code > 0x7F:
        return "\ufffd"
    basic = " " if code == ESCAPE else _BASIC[code]
    return _EXTENDED.get(code, basic) if escaped else basic
