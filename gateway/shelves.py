"""Where sealed files lie: a folder on the local disk, or an S3 bucket (``gateway.blobs`` seals them).

A shelf knows names and bytes, nothing of what they mean. What ``finish`` and ``move`` returned from is durable.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from normalizer.errors import NotFound

if TYPE_CHECKING:
    from typing import BinaryIO


class Writing(Protocol):
    """A file that is being written; until ``finish`` nobody can see it."""

    async def write(self, content: bytes) -> None:
        """Append."""
        ...

    async def finish(self) -> None:
        """Make it durable under its name."""
        ...

    async def abandon(self) -> None:
        """Leave nothing behind."""
        ...


class Shelf(Protocol):
    """A place for files under names like ``ab/abcd``. Every verb raises OSError when the place does not answer."""

    async def write(self, name: str) -> Writing:
        """Begin a file."""
        ...

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; raises NotFound."""
        ...

    async def size(self, name: str) -> int:
        """Return a file's size in bytes; raises NotFound."""
        ...

    async def move(self, name: str, to: str) -> None:
        """Give a file another name."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a file; one that is not there is well."""
        ...

    async def clear(self, folder: str, older: float) -> int:
        """Remove what lies in a folder and was written more than ``older`` seconds ago; return how many.

        With 0 all goes, and the folder.
        """
        ...


class _LocalWriting:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    async def write(self, content: bytes) -> None:
        await asyncio.to_thread(self._file.write, content)

    async def finish(self) -> None:
        await asyncio.to_thread(self._finish)

    async def abandon(self) -> None:
        await asyncio.to_thread(self._abandon)

    def _finish(self) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        part = Path(self._file.name)
        part.replace(self._path)
        _sync(self._path.parent)

    def _abandon(self) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


class LocalShelf:
    """Implements ``Shelf`` on a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, name: str) -> Writing:
        """Begin a file."""
        path = self._folder / name
        return _LocalWriting(path, await asyncio.to_thread(_create, self._folder, path))

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; raises NotFound."""
        return await asyncio.to_thread(_read, self._folder / name, start, length)

    async def size(self, name: str) -> int:
        """Return a file's size in bytes; raises NotFound."""
        try:
            return (await asyncio.to_thread((self._folder / name).stat)).st_size
        except FileNotFoundError as error:
            raise NotFound("no such file") from error

    async def move(self, name: str, to: str) -> None:
        """Give a file another name."""
        await asyncio.to_thread(_move, self._folder, self._folder / name, self._folder / to)

    async def delete(self, name: str) -> None:
        """Remove a file; one that is not there is well."""
        await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    async def clear(self, folder: str, older: float) -> int:
        """Remove what lies in a folder and was written more than ``older`` seconds ago; return how many."""
        count = await asyncio.to_thread(_clear, self._folder / folder, time.time() - older)
        if not older:
            with suppress(OSError):  # others still lie in it
                await asyncio.to_thread((self._folder / folder).rmdir)
        return count


def _create(root: Path, path: Path) -> BinaryIO:
    _make(root, path.parent)
    # Not under its name before it is whole.
    return path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}").open("wb", buffering=0x10000)


def _read(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, start)
    except FileNotFoundError as error:
        raise NotFound("no such file") from error


def _move(root: Path, path: Path, to: Path) -> None:
    _make(root, to.parent)
    path.replace(to)
    _sync(to.parent)


def _clear(folder: Path, before: float) -> int:
    count = 0
    for path in folder.glob("*"):
        # Another process may clear the same folder.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime <= before:
                path.unlink()
                count += 1
    return count


def _make(root: Path, folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        folder = folder.parent
        _sync(folder)
        if folder in {root, folder.parent}:
            return


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
