"""Fixed-width fields of the carriers' protocols: big-endian numbers, octet strings padded with NUL."""

from __future__ import annotations

from normalizer.errors import InvalidInput

HEADER = 12
ANSWER = 0x80000000
"""The bit that makes a request's command its answer's."""


class Octets:
    """Reads a body field by field; every method raises InvalidInput when the body is too short."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes as they are."""
        end = self._at + size
        if end > len(self._body):
            raise InvalidInput("a frame shorter than its fields")
        taken = self._body[self._at : end]
        self._at = end
        return taken

    def number(self, size: int = 1) -> int:
        """Return the next number."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """Return the next octet string up to its first NUL."""
        return self.take(size).split(b"\0", 1)[0].decode("latin-1").strip()

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._body) - self._at

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(self.left)


def padded(text: str, size: int) -> bytes:
    """Return an octet string of a width; raises InvalidInput when the text is not ASCII or does not fit."""
    if not text.isascii() or len(text) > size:
        raise InvalidInput(f"not an octet string of {size} bytes")
    return text.encode("ascii").ljust(size, b"\0")


def frame(command: int, sequence: int, body: bytes = b"") -> bytes:
    """Return a frame: length, command and sequence as u32, then the body."""
    numbers = (12 + len(body), command, sequence)
    return b"".join(number.to_bytes(4, "big") for number in numbers) + body


def command(data: bytes) -> int:
    """Return a frame's command."""
    return int.from_bytes(data[4:8], "big")


def sequence(data: bytes) -> int:
    """Return a frame's sequence."""
    return int.from_bytes(data[8:12], "big")


def answer(request: bytes, body: bytes = b"") -> bytes:
    """Return the answer to a request: its command with the highest bit, its sequence."""
    return frame(command(request) | ANSWER, sequence(request), body)


def fields(data: bytes, expected: int) -> Octets:
    """Return the body of a frame of the expected command, to be read; raises InvalidInput."""
    if len(data) < HEADER or command(data) != expected:
        raise InvalidInput("not the frame that was expected")
    return Octets(data[HEADER:])
