"""How long somebody will wait, as a band and never as a figure (desk-and-open311.md 3.5)."""

from __future__ import annotations

WINDOW_MS = 15 * 60_000
"""The time over which talks that were accepted are counted."""
SAMPLES = 5
"""Below so many of them nothing but the place is told."""
EDGES = (0, 3, 5, 10, 20, 30, 60)
"""Minutes between which the bands lie; the last one is open."""


def band(ahead: int, accepted: int) -> tuple[int, int] | None:
    """Return from and until how many minutes somebody with so many before him waits; until 0: more than from."""
    if accepted < SAMPLES:
        return None
    minutes = (ahead + 1) * (WINDOW_MS / 60_000) / accepted
    upper = next((n for n, edge in enumerate(EDGES) if minutes < edge), None)
    return (EDGES[-1], 0) if upper is None else (EDGES[upper - 1], EDGES[upper])
