"""What stands in a short message: character sets, and the header that numbers the parts of a long one (GSM 03.40)."""

from __future__ import annotations

from dataclasses import dataclass

ENCODINGS = {0: "ascii", 8: "utf-16-be", 15: "gb18030"}
LONGEST = 140
LONGEST_ASCII = 159
PART = 134


@dataclass(frozen=True, slots=True)
class Piece:
    """A message, or one part of a long one: ``number`` of ``total`` under a ``reference``."""

    text: str
    reference: int = 0
    total: int = 1
    number: int = 1


def read(coding: int, content: bytes, *, numbered: bool) -> Piece:
    """Return what a phone makes of the content; ``numbered`` says that it begins with a user data header."""
    if not numbered:
        return Piece(_decoded(coding, content))
    header, rest = content[: content[0] + 1], content[content[0] + 1 :]
    match header[1:3]:
        case b"\x00\x03" if len(header) == 6:
            reference = header[3]
        case b"\x08\x04" if len(header) == 7:
            reference = int.from_bytes(header[3:5])
        case _:
            return Piece(_decoded(coding, rest))
    return Piece(_decoded(coding, rest), reference, header[-2], header[-1])


def write(text: str, coding: int, reference: int) -> list[bytes]:
    """Return the contents that carry a text: one, or several with the 8-bit header; no character is cut in two."""
    encoding = ENCODINGS[coding]
    whole = text.encode(encoding)
    if len(whole) <= LONGEST:
        return [whole]
    parts = [b""]
    for character in text:
        piece = character.encode(encoding)
        if len(parts[-1]) + len(piece) > PART:
            parts.append(b"")
        parts[-1] += piece
    return [
        bytes((5, 0, 3, reference & 0xFF, len(parts), number)) + part for number, part in enumerate(parts, 1)
    ]


def _decoded(coding: int, content: bytes) -> str:
    if coding not in ENCODINGS:
        return content.hex()
    return content.decode(ENCODINGS[coding], "replace")
