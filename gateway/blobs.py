"""The media store: files sealed on the local disk, each under a keyed hash of its content.

A file is on the disk, with its folder's entry, before its key is given out; a message that names it is committed
afterwards. What a crash leaves behind in between is a file that nothing names.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from normalizer.errors import Busy, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.seal import Sealer

_KEY = 64


class LocalBlobs:
    """Implements ``channels.contract.Blobs`` on a folder."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder = folder
        self._sealer = sealer

    async def put(self, content: bytes) -> str:
        """Write a file durably and return its key; the same content has the same key. Raises Busy."""
        try:
            return await asyncio.to_thread(self._put, content)
        except OSError as error:
            raise Busy(f"the file could not be written: {error.strerror}") from error

    async def get(self, key: str) -> bytes:
        """Return a file; raises NotFound."""
        return await asyncio.to_thread(self._get, key)

    def _put(self, content: bytes) -> str:
        key = self._sealer.hash_bytes(content).hex()
        path = self._path(key)
        if path.exists():
            return key
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{key}.{os.getpid()}.{os.urandom(4).hex()}")
        with part.open("wb") as file:
            file.write(self._sealer.seal(content))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        for folder in (path.parent, path.parent.parent):
            _sync(folder)
        return key

    def _get(self, key: str) -> bytes:
        if len(key) != _KEY or not key.isalnum():
            raise NotFound("no such file")
        try:
            return self._sealer.open(self._path(key).read_bytes())
        except FileNotFoundError as error:
            raise NotFound("no such file") from error

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
