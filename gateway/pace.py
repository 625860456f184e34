"""How fast one sender may be served: a bucket that fills steadily (gateways.md, "rate limit").

Beyond it nothing is refused: the message is written down and takes its turn a little later, so that a flood from
one person costs the others nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

KEPT = 20_000
"""Senders remembered; whoever is quiet long enough to be forgotten has a full bucket anyway."""


class _Bucket(NamedTuple):
    left: float
    at: float


class Pace:
    """Buckets by sender, in the memory of one process."""

    def __init__(self, *, per_second: float, burst: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._buckets: OrderedDict[bytes, _Bucket] = OrderedDict()

    def over(self, sender: bytes, clock: float) -> bool:
        """Count one message of a sender at ``clock`` (seconds) and return whether it is one too many."""
        bucket = self._buckets.pop(sender, None)
        left = self._burst if bucket is None else self._refilled(bucket, clock)
        self._buckets[sender] = _Bucket(max(left - 1.0, 0.0), clock)
        if len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        return left < 1.0

    def _refilled(self, bucket: _Bucket, clock: float) -> float:
        return min(self._burst, bucket.left + (clock - bucket.at) * self._rate)
