"""The GSM 7-bit default alphabet, one octet a character as SMPP carries it (3GPP TS 23.038 6.2.1)."""

from __future__ import annotations

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


def encode(text: str) -> bytes | None:
    """Return the text in the alphabet, None where a character is not in it; an extended one takes two octets."""
    octets = [_OCTETS.get(letter) for letter in text]
    return None if None in octets else b"".join(octet for octet in octets if octet)


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


def _letter(code: int, *, escaped: bool) -> str:
    if code > 0x7F:
        return "\ufffd"
    basic = " " if code == ESCAPE else _BASIC[code]
    return _EXTENDED.get(code, basic) if escaped else basic
