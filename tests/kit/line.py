"""A bad line: a TCP proxy that breaks the connection after so many bytes, as often as it is told."""

from __future__ import annotations

import asyncio
from typing import Self


class Line:
    """Passes bytes to a site; each number of ``cuts`` is how many bytes go up before the next break."""

    def __init__(self, site: str, cuts: list[int]) -> None:
        host, port = site.removeprefix("http://").split(":")
        self._site = (host, int(port))
        self._cuts = list(cuts)
        self._left = self._cuts[0] if cuts else None
        self.cut = 0
        self.passed = 0
        self.url = ""
        self._lost: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for below in self._lost:
            below.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above, below = await asyncio.open_connection(*self._site)
        up = asyncio.create_task(self._up(reader, below))
        down = asyncio.create_task(_copy(above, writer))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        down.cancel()
        if up.done() and not up.cancelled() and up.exception() is None and up.result():
            # The sender is thrown out; the site learns nothing, as when a telephone loses its net.
            writer.transport.abort()
            self._lost.append(below)
            return
        up.cancel()
        writer.close()
        below.close()

    async def _up(self, reader: asyncio.StreamReader, below: asyncio.StreamWriter) -> bool:
        """Pass on; return whether the line was cut."""
        while piece := await reader.read(64 * 1024):
            if self._left is not None:
                self._left -= len(piece)
                if self._left <= 0:
                    self._cuts.pop(0)
                    self._left = self._cuts[0] if self._cuts else None
                    self.cut += 1
                    return True
            self.passed += len(piece)
            below.write(piece)
            await below.drain()
        return False


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(64 * 1024):
        writer.write(piece)
        await writer.drain()
