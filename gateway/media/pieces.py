"""The pieces of uploads: each lies on the shelf under its upload until the file is whole."""

from __future__ import annotations

import asyncio
import os
from itertools import zip_longest
from typing import TYPE_CHECKING

from gateway.store.uploads import Piece

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gateway.blobs import Blobs

SIZE = 2 * 1024 * 1024
_FOLDER = "uploads"


class Pieces:
    """Writes and reads pieces."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def write(
        self, ident: str, at: int, left: int, stream: AsyncIterator[bytes]
    ) -> AsyncIterator[Piece]:
        """Yield the pieces of a stream, each durable: ``left`` bytes from ``at`` on, and nothing beyond.

        While one piece is being written, the next is already read.
        """
        held, writing = bytearray(), None
        try:
            async for part in stream:
                if left == 0:
                    break
                held += part[: left - len(held)]
                if len(held) < min(SIZE, left):
                    continue
                if writing is not None:
                    yield await writing
                writing = asyncio.create_task(self._one(ident, at, bytes(held)))
                at, left, held = at + len(held), left - len(held), bytearray()
            if writing is not None:
                yield await writing
            if held:
                yield await self._one(ident, at, bytes(held))
        finally:
            if writing is not None:
                writing.cancel()

    async def joined(self, pieces: Sequence[Piece]) -> AsyncIterator[bytes]:
        """Yield the content of pieces in order, the next being read while one is worked on; raises NotFound."""
        coming: asyncio.Task[bytes] | None = None
        try:
            for piece, after in zip_longest(pieces, pieces[1:]):
                content = await (coming or self._read(piece))
                coming = asyncio.create_task(self._read(after)) if after else None
                yield content
        finally:
            if coming is not None:
                coming.cancel()

    async def clear(self, ident: str) -> None:
        """Remove all pieces of an upload."""
        await self._blobs.clear_at(f"{_FOLDER}/{ident}")

    async def _one(self, ident: str, at: int, content: bytes) -> Piece:
        # Two that write at the same place do not overwrite one another: the database says whose counts.
        name = f"{_FOLDER}/{ident}/{at:012d}-{os.urandom(4).hex()}"
        await self._blobs.put_at(name, content)
        return Piece(at, name, len(content))

    async def _read(self, piece: Piece) -> bytes:
        return await self._blobs.get_at(piece.name, piece.size)
