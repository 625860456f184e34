"""A router that is a process of its own, and can be killed: ``python -m tests.kit.routers DATABASE``.

It gives out the queue until it is killed, one dot on its output for each talk.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.kit.desk import Floor


@asynccontextmanager
async def routing(database: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run such a process inside the block; it is killed with signal 9 at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kit.routers", database), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def _main(database: str) -> None:
    from tests.conftest import open_any  # noqa: PLC0415 - only a process of its own needs it

    floor = Floor(await open_any(database))
    floor.desk.changed = lambda: print(".", end="", flush=True)
    while True:
        await floor.desk.route()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
