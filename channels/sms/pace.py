"""Time as the SMS channels see it: a clock, a sleep and chance that a test can take over, and a steady rate."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.contract import SendError, SendReason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Pace:
    """A monotonic clock (seconds), a sleep by that clock, and chance (0 to 1)."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Rate:
    """Lets at most so many messages pass in any second, in the order they asked.

    Whoever would wait longer than ``patience`` seconds is sent away instead.
    """

    def __init__(self, per_second: float, pace: Pace, patience: float = math.inf) -> None:
        most = max(int(per_second), 1)
        self._span = most / per_second
        self._turns: deque[float] = deque(maxlen=most)
        self._pace = pace
        self._patience = patience

    async def turn(self) -> None:
        """Return when the next message may go; raises SendError (THROTTLED) when that is too long to wait."""
        now = self._pace.clock()
        full = len(self._turns) == self._turns.maxlen
        at = max(now, self._turns[0] + self._span) if full else now
        if at - now > self._patience:
            raise SendError(SendReason.THROTTLED, "our own rate", retry_after=at - now)
        self._turns.append(at)
        if at > now:
            await self._pace.sleep(at - now)


def backoff(failures: int, chance: float, longest: float = 60.0) -> float:
    """Return the seconds to wait after so many failures in a row: doubling from one, half of it by chance."""
    return float(min(2.0 ** min(failures - 1, 10), longest)) * (0.5 + chance / 2)
