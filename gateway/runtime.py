"""What every room of the gateway leans on: the clock, ids, the log and the counters."""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

_RANDOM_POOL = 8 * 1024
_VARIANT = bytes(byte & 0x3F | 0x80 for byte in range(256))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def millis(instant: datetime) -> int:
    """Return milliseconds since the epoch."""
    # Counted in whole numbers: no rounding, and less work than a float's.
    since = instant - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def instant(ms: int) -> datetime:
    """Return the instant of milliseconds since the epoch, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


class Ids:
    """Makes UUIDv7 (RFC 9562) as 16 bytes: millisecond, then a count that keeps their order, then chance."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._last = 0
        self._pool = b""
        self._at = 0

    def __call__(self) -> bytes:
        """Return a new id, greater than every id made here before."""
        # RFC 9562 method 3: 48 bits of milliseconds and 12 of their fraction, stepped on when the clock is slow.
        tick = (self._clock_ns() << 12) // 1_000_000
        if tick <= self._last:
            tick = self._last + 1
        self._last = tick
        at = self._at
        if at >= len(self._pool):
            self._pool, at = _chances(), 0
        self._at = at + 8
        return ((tick >> 12) << 16 | 0x7000 | (tick & 0xFFF)).to_bytes(8) + self._pool[at : at + 8]


def _chances() -> bytes:
    """Return the second halves of many ids: chance behind the two bits of the variant."""
    pool = bytearray(os.urandom(_RANDOM_POOL))
    pool[::8] = pool[::8].translate(_VARIANT)
    return bytes(pool)


def configure_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """Write one JSON line per event to ``stream``; nothing passes through the standard library's logging."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream, format="%(levelname)s %(name)s %(message)s")
