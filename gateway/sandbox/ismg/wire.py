"""Fields of fixed width, as the three carriers' protocols write them: big-endian, padded with NUL on the right."""

from __future__ import annotations

import struct


class Malformed(Exception):
    """A frame whose fields do not fill it exactly."""


class Fields:
    """Reads a body from front to back; raises Malformed when it is too short or something is left over."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def raw(self, width: int) -> bytes:
        """Return the next bytes as they are."""
        if self._at + width > len(self._body):
            raise Malformed
        self._at += width
        return self._body[self._at - width : self._at]

    def number(self, width: int = 1) -> int:
        """Return the next unsigned number."""
        return int.from_bytes(self.raw(width))

    def text(self, width: int) -> str:
        """Return the next octet string without its padding."""
        value, _, rest = self.raw(width).partition(b"\0")
        if rest.strip(b"\0") or not value.isascii():
            raise Malformed
        return value.decode()

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self._at != len(self._body):
            raise Malformed

    @property
    def left(self) -> int:
        """How many bytes are still unread."""
        return len(self._body) - self._at


def octets(value: str | bytes, width: int) -> bytes:
    """Return an octet string of a fixed width; raises ValueError when the value is longer."""
    given = value.encode() if isinstance(value, str) else value
    if len(given) > width:
        raise ValueError(f"{len(given)} bytes do not go into {width}")
    return given.ljust(width, b"\0")


def frame(command: int, sequence: bytes, body: bytes = b"") -> bytes:
    """Return a whole frame; the sequence is 4 bytes in CMPP and SMGP, 12 in SGIP."""
    return struct.pack(">II", 8 + len(sequence) + len(body), command) + sequence + body
