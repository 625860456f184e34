"""Conversations' states that were written lately, so that the next message finds its own without opening and reading it.

A state is found by the sealed bytes it lies in, which differ at every writing: whatever another process wrote
meanwhile is simply not found, and a commit that failed leaves nothing that could be mistaken for what stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bots.state import State

KEPT = 4_000
"""States in one generation: some ten megabytes; whoever is forgotten is read from the database."""


class Recent:
    """States by the bytes that hold them, in the memory of one process."""

    def __init__(self) -> None:
        self._now: dict[bytes, State] = {}
        self._before: dict[bytes, State] = {}

    def get(self, sealed: bytes) -> State | None:
        """Return the state that these bytes hold, None when it must be read."""
        return self._now.get(sealed) or self._before.get(sealed)

    def keep(self, sealed: bytes, state: State) -> None:
        """Remember what was just sealed."""
        if len(self._now) >= KEPT:
            self._before, self._now = self._now, {}
        self._now[sealed] = state
