"""What the gateway and a media worker say to one another over two pipes: one letter, a length, the bytes.

The worker is told a job (``JOB``), asks for pieces of the file (``ASK``, answered by ``PIECE``), hands out what it
made (``NAME`` and then ``DATA``), and ends with ``DONE`` or ``FAIL``.
"""

from __future__ import annotations

import struct

JOB, ASK, PIECE, NAME, DATA, DONE, FAIL = b"J", b"A", b"P", b"N", b"D", b"E", b"F"
HEAD = struct.Struct("!cI")
RANGE = struct.Struct("!QI")
LARGEST = 1024 * 1024
"""Bytes that one frame may carry."""


def frame(letter: bytes, payload: bytes) -> bytes:
    """Return one frame."""
    return HEAD.pack(letter, len(payload)) + payload
