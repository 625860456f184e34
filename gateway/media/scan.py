"""Asks a ClamAV daemon about a file (clamd INSTREAM): chunks with their length before each, a length of 0 at the end."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = structlog.get_logger()

SECONDS = 120.0
ANSWER = 4096


class Scan(StrEnum):
    """What the scanner said. ``OFF``: none is set; ``AWAY``: it gave no answer, so the file was not scanned."""

    OFF = "off"
    AWAY = "away"
    CLEAN = "clean"
    FOUND = "found"


class Scanner:
    """A clamd at an address; with an empty one nothing is scanned."""

    def __init__(self, address: str, seconds: float = SECONDS) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port or 0)
        self._seconds = seconds

    async def scan(self, content: AsyncIterator[bytes]) -> Scan:
        """Return what the scanner says of a file; one that is away or confused never stops a citizen."""
        if not self._host:
            return Scan.OFF
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.warning("media.scanner_away", reason=type(error).__name__)
            return Scan.AWAY
        if answer.endswith(b"FOUND"):
            return Scan.FOUND
        if answer.endswith(b"OK"):
            return Scan.CLEAN
        log.warning("media.scanner_confused", length=len(answer))
        return Scan.AWAY

    async def _ask(self, content: AsyncIterator[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            async for piece in content:
                writer.write(len(piece).to_bytes(4) + piece)
                await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return (await reader.read(ANSWER)).rstrip(b"\0\n ")
        finally:
            writer.close()
