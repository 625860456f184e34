"""The servers that the intake benchmark loads, each started as a process of its own: ``python -m tests.bench.servers``.

``echo`` answers every POST with its body: the floor. ``stage`` is the real gateway with nothing but the bot's turn
left out: verified, decrypted, durable, acknowledged in an encrypted reply.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from aiohttp import web

from gateway import app as gateway
from gateway import runtime
from gateway.batch import Answer, Decider, Fate
from gateway.settings import load
from gateway.turns import Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bots.contract import Moment
    from gateway.batch import Item
    from gateway.store.rows import Rows
    from gateway.store.store import Batch


class AcceptOnly(Decider):
    """Writes every message down and acknowledges it in words; nobody reads it."""

    async def decide(
        self,
        batch: Batch,
        items: Sequence[Item],
        rows: Rows,
        moment: Moment,
        clock: float,
        *,
        looks: bool,
    ) -> dict[Item, Fate]:
        """Note each message and answer with its own number."""
        fates = {}
        for item in items:
            row_id = self._ids()
            self._note(item, row_id, rows, "done", said=Said())
            fates[item] = Fate("accepted", Answer(row_id, f"已收到，编号{row_id.hex()}"))
        return fates


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def echo() -> None:
    """Serve the floor."""
    app = web.Application()
    app.router.add_post("/channels/wx", _echo)
    async with gateway.listening(app, "127.0.0.1", 0) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


async def stage(config: Path, *, accept_only: bool) -> None:
    """Serve the gateway of a configuration, whole or without the bot's turn."""
    runtime.configure_logs("warning")
    settings = load(config, {})
    decider = AcceptOnly if accept_only else Decider
    async with (
        gateway.running(settings, decider=decider) as running,
        gateway.listening(running.app, "127.0.0.1", 0) as port,
    ):
        print(port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run the server named on the command line and print its port."""
    kind, *rest = sys.argv[1:]
    if kind == "echo":
        uvloop.run(echo())
    else:
        uvloop.run(stage(Path(rest[0]), accept_only=kind == "accept"))


if __name__ == "__main__":
    main()
