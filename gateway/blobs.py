"""The media store: sealed files, each under a keyed hash of its content.

A file is durable before its key is given out; a message that names it is committed afterwards. What a crash leaves
behind in between is a file that nothing names.

Format: ``MAGIC``, then chunks of ``CHUNK`` bytes, each sealed by itself with the file's id and its number, then a
sealed end with the size and the SHA-256. So any range is opened by its own chunks alone, memory is that of a few chunks,
and chunks that were cut off, exchanged or brought from another file do not open. Files of before (sealed in one
piece, their first byte is the cipher's) are read as ever.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

from gateway.shelves import LocalShelf
from normalizer.errors import Busy, InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from gateway.shelves import Shelf
    from gateway.store.seal import Sealer

MAGIC = b"\x02JIESU1\n"
CHUNK = 512 * 1024
BATCH = 4
"""Chunks that are sealed and written in one go."""
INCOMING = "incoming"
_KEY = 64
_ID = 16
_HEAD = _ID + 8
_OVER = 1 + 12 + 16 + _HEAD
_SEALED = CHUNK + _OVER
_END = _OVER + 8 + 32
_LAST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is kept: its key, its size in bytes, and the SHA-256 of its content."""

    key: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came in and is not kept yet: ``name`` is where it lies meanwhile."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class _Outline:
    id: bytes
    size: int
    sealed: int


class Blobs:
    """Implements ``channels.contract.Blobs`` on a shelf, and streams.

    Every verb raises Busy when the shelf does not answer.
    """

    def __init__(self, shelf: Shelf, sealer: Sealer) -> None:
        self._shelf = shelf
        self._sealer = sealer

    async def put(self, content: bytes) -> str:
        """Write a file durably and return its key; the same content has the same key. Raises Busy."""
        key = self._sealer.hash_bytes(content).hex()
        if not await self.has(key):
            received = await self.receive(_once(content))
            await self._keep(received, key)
        return key

    async def get(self, key: str) -> bytes:
        """Return a whole file; raises NotFound."""
        return b"".join([piece async for piece in self.open_range(key, 0, None)])

    async def put_stream(self, stream: AsyncIterator[bytes]) -> Stored:
        """Write a file durably as it comes, in constant memory; the same content has the same key."""
        return await self.keep(await self.receive(stream))

    async def receive(self, stream: AsyncIterator[bytes]) -> Received:
        """Write a file durably aside, to be looked at before it is kept or dropped.

        Whatever the stream raises passes through, and nothing stays behind.
        """
        return await self._receive(f"{INCOMING}/{os.urandom(16).hex()}", stream)

    async def put_at(self, name: str, content: bytes) -> None:
        """Write a small file durably at a place on the shelf, under no key; it is in memory as a whole."""
        sealed = await asyncio.to_thread(self._sealed_whole, content)
        try:
            writing = await self._shelf.write(name)
            await writing.write(sealed)
            await writing.finish()
        except OSError as error:
            raise Busy(f"the file could not be written: {error.strerror}") from error

    async def get_at(self, name: str, size: int) -> bytes:
        """Return a whole file of so many bytes that lies at a place on the shelf; raises NotFound."""
        raw = await self._read(name, 0, len(MAGIC) + size + _OVER * -(-size // CHUNK))
        return await asyncio.to_thread(self._opened_whole, raw, size)

    async def clear_at(self, folder: str) -> None:
        """Remove all that lies in a folder of the shelf."""
        try:
            await self._shelf.clear(folder, 0)
        except OSError as error:
            raise Busy from error

    async def keep(self, received: Received) -> Stored:
        """Keep a file that was received, under its key."""
        key = self.key(received)
        await self._keep(received, key)
        return Stored(key, received.size, received.sha256)

    def key(self, received: Received) -> str:
        """Return the key under which a file that was received would be kept."""
        return self._sealer.hash_bytes(b"sha256\0" + received.sha256).hex()

    async def drop(self, received: Received) -> None:
        """Forget a file that was received."""
        await self._shelf.delete(received.name)

    async def has(self, key: str) -> bool:
        """Return whether there is a file under a key."""
        try:
            await self._shelf.size(_path(key))
        except NotFound:
            return False
        except OSError as error:
            raise Busy from error
        return True

    async def size(self, key: str) -> int:
        """Return the size of a file in bytes; raises NotFound."""
        return await self.size_at(_path(key))

    async def size_at(self, name: str) -> int:
        """Return the size of a file that lies at a place on the shelf."""
        return (await self._outline(name)).size

    def open_range(self, key: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` up to and without ``end`` (None: to the last); raises NotFound."""
        return self.range_at(_path(key), start, end)

    async def range_at(self, name: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        """Yield a range of a file that lies at a place on the shelf, such as one received."""
        outline = await self._outline(name)
        end = outline.size if end is None else min(end, outline.size)
        if not outline.id:
            whole = self._sealer.open(await self._read(name, 0, outline.sealed))
            yield whole[start:end]
            return
        while start < end:
            number = start // CHUNK
            begin = start - number * CHUNK
            piece = (await self._chunk(name, outline, number))[begin : begin + end - start]
            yield piece
            start += len(piece)

    async def delete(self, key: str) -> None:
        """Remove a file; one that is not there is well."""
        try:
            await self._shelf.delete(_path(key))
        except OSError as error:
            raise Busy from error

    async def clear_incoming(self, older: float) -> int:
        """Remove what was received more than ``older`` seconds ago and neither kept nor dropped (a crash)."""
        return await self._shelf.clear(INCOMING, older)

    async def _receive(self, name: str, stream: AsyncIterator[bytes]) -> Received:
        try:
            writing = await self._shelf.write(name)
            try:
                size, digest = await self._fill(stream, writing.write)
                await writing.finish()
            except BaseException:
                await writing.abandon()
                raise
        except OSError as error:
            raise Busy(f"the file could not be written: {error.strerror}") from error
        return Received(name, size, digest)

    async def _keep(self, received: Received, key: str) -> None:
        try:
            if await self.has(key):
                await self._shelf.delete(received.name)
            else:
                await self._shelf.move(received.name, _path(key))
        except OSError as error:
            raise Busy(f"the file could not be kept: {error.strerror}") from error

    async def _fill(
        self, stream: AsyncIterator[bytes], write: Callable[[bytes], Awaitable[None]]
    ) -> tuple[int, bytes]:
        ident, digest = os.urandom(_ID), hashes.Hash(hashes.SHA256())
        size = number = 0
        await write(MAGIC)
        async for batch in _batches(stream):
            await write(await asyncio.to_thread(self._sealed, ident, number, batch, digest))
            size, number = size + len(batch), number + BATCH
        whole = digest.finalize()
        await write(self._sealer.seal(_head(ident, _LAST) + size.to_bytes(8) + whole))
        return size, whole

    def _sealed(self, ident: bytes, number: int, batch: bytes, digest: hashes.Hash) -> bytes:
        digest.update(batch)
        return self._chunks(ident, number, batch)

    def _chunks(self, ident: bytes, number: int, content: bytes) -> bytes:
        """Return content as sealed chunks, numbered from ``number``."""
        view, starts = memoryview(content), range(0, len(content), CHUNK)
        return b"".join(
            self._sealer.seal(_head(ident, number + n) + view[at : at + CHUNK]) for n, at in enumerate(starts)
        )

    def _sealed_whole(self, content: bytes) -> bytes:
        ident = os.urandom(_ID)
        end = self._sealer.seal(_head(ident, _LAST) + len(content).to_bytes(8) + bytes(32))
        return MAGIC + self._chunks(ident, 0, content) + end

    def _opened_whole(self, raw: bytes, size: int) -> bytes:
        starts = range(len(MAGIC), len(raw), _SEALED)
        plain = [self._sealer.open(raw[at : at + _SEALED]) for at in starts]
        numbers = [chunk[_ID:_HEAD] for chunk in plain]
        if numbers != [n.to_bytes(8) for n in range(len(plain))] or len({chunk[:_ID] for chunk in plain}) > 1:
            raise InvalidInput("a stored file was changed")
        content = b"".join(chunk[_HEAD:] for chunk in plain)
        if len(content) != size:
            raise InvalidInput("a stored file was cut")
        return content

    async def _outline(self, name: str) -> _Outline:
        try:
            sealed = await self._shelf.size(name)
        except OSError as error:
            raise Busy from error
        if await self._read(name, 0, len(MAGIC)) != MAGIC:
            return _Outline(b"", sealed - (_OVER - _HEAD), sealed)
        end = self._sealer.open(await self._read(name, sealed - _END, _END))
        full, rest = divmod(sealed - len(MAGIC) - _END, _SEALED)
        size = full * CHUNK + max(rest - _OVER, 0)
        if end[_ID:_HEAD] != _LAST.to_bytes(8) or int.from_bytes(end[_HEAD : _HEAD + 8]) != size:
            raise InvalidInput("a stored file was cut or changed")
        return _Outline(end[:_ID], size, sealed)

    async def _chunk(self, name: str, outline: _Outline, number: int) -> bytes:
        at = len(MAGIC) + number * _SEALED
        sealed = await self._read(name, at, min(_SEALED, outline.sealed - _END - at))
        plain = await asyncio.to_thread(self._sealer.open, sealed)
        if plain[:_HEAD] != _head(outline.id, number):
            raise InvalidInput("a stored file was changed")
        return plain[_HEAD:]

    async def _read(self, name: str, start: int, length: int) -> bytes:
        try:
            return await self._shelf.read(name, start, length)
        except OSError as error:
            raise Busy(f"the file could not be read: {error.strerror}") from error


class LocalBlobs(Blobs):
    """The media store on a folder."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        super().__init__(LocalShelf(folder), sealer)


def _path(key: str) -> str:
    if len(key) != _KEY or not key.isalnum():
        raise NotFound("no such file")
    return f"{key[:2]}/{key}"


def _head(ident: bytes, number: int) -> bytes:
    return ident + number.to_bytes(8)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _batches(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the stream in pieces of exactly ``BATCH`` chunks, the last of what remains."""
    held = bytearray()
    async for piece in stream:
        held += piece
        while len(held) >= BATCH * CHUNK:
            with memoryview(held) as view:
                batch = bytes(view[: BATCH * CHUNK])
            del held[: BATCH * CHUNK]
            yield batch
    if held:
        yield bytes(held)
