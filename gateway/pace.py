"""How fast one sender may be served: a bucket that fills steadily (gateways.md, "rate limit").

Beyond it nothing is refused: the message is written down and takes its turn a little later, so that a flood from
one person costs the others nothing.
"""

from __future__ import annotations

KEPT = 20_000
"""Senders in one generation; whoever is forgotten was quiet, or begins with a full bucket."""


class Pace:
    """Buckets by sender, in the memory of one process; what is kept is when each will be full again."""

    def __init__(self, *, per_second: float, burst: float) -> None:
        self._step = 1 / per_second
        self._whole = burst / per_second
        self._full_at: dict[bytes, float] = {}
        self._before: dict[bytes, float] = {}

    def over(self, sender: bytes, clock: float) -> bool:
        """Count one message of a sender at ``clock`` (seconds) and return whether it is one too many."""
        full_at = self._full_at.get(sender) or self._before.get(sender, clock)
        after = max(full_at, clock) + self._step
        latest = clock + self._whole
        if len(self._full_at) >= KEPT:
            self._before, self._full_at = self._full_at, {}
        self._full_at[sender] = min(after, latest)
        return after > latest
