"""Ports for servers that must be told theirs before they listen."""

from __future__ import annotations

import random
import socket

RANGE = range(10_000, 32_000)
"""Below the ports that systems give to whoever asks for any (Linux: from 32768 on): nobody is given one by chance."""


def free_port() -> int:
    """Return a port that nothing listened on a moment ago, and that hardly anybody else will choose."""
    chosen = random.SystemRandom()
    while True:
        port = chosen.choice(RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
