"""Looks through an archive's list without unpacking it: how much it would become, how deep it goes, what it would do.

Refused are bombs (too much, too dense, too deep, too many) and whatever would reach outside the folder it is unpacked
to: links, devices, paths that climb.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from normalizer.media import ACCEPTED, Breach, NotAccepted, Refusal, Trait, mime_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = 5000
DENSEST = 100
"""How many times smaller than its content an archive may be, once the content is more than ``SMALL``."""
SMALL = 8 * 1024 * 1024
DEPTH = 2
"""How many archives may lie in one another inside the outermost."""
INNER = 32 * 1024 * 1024
"""Bytes of an inner archive that is looked into; a larger one is refused."""
_PIECE = 256 * 1024

READERS = frozenset(
    mime
    for mime, kind in ACCEPTED.items()
    if mime in {"application/zip", "application/x-tar", "application/gzip", "application/ofd"}
    or ("openxml" in mime and Trait.OFFICE in kind.traits)
)
"""The types that are archives whose list can be read."""


class _Survey:
    def __init__(self, limit: int) -> None:
        self.names: list[str] = []
        self._limit = limit
        self._total = 0

    def add(self, name: str, size: int) -> None:
        self.names.append(name)
        self.more(size)
        if len(self.names) > MEMBERS:
            raise NotAccepted(Breach(Refusal.BOMB))
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or path.drive or name[1:2] == ":":
            raise NotAccepted(Breach(Refusal.ARCHIVE))

    def more(self, size: int) -> None:
        self._total += size
        if self._total > self._limit:
            raise NotAccepted(Breach(Refusal.BOMB))


def survey(file: BinaryIO, mime: str, limit: int) -> list[str]:
    """Return the names of what an archive holds; ``limit`` is the most bytes it may unpack to. Raises NotAccepted."""
    found = _Survey(limit)
    _look(file, mime, found, DEPTH)
    return found.names


def _look(file: BinaryIO, mime: str, found: _Survey, depth: int) -> None:
    if depth < 0:
        raise NotAccepted(Breach(Refusal.BOMB))
    if mime == "application/x-tar":
        _tar(file, found, depth)
    elif mime == "application/gzip":
        _gzip(file, found, depth)
    else:
        _zip(file, found, depth)


def _zip(file: BinaryIO, found: _Survey, depth: int) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        whole = sum(member.file_size for member in members)
        packed = sum(member.compress_size for member in members)
        if whole > SMALL and whole > DENSEST * max(packed, 1):
            raise NotAccepted(Breach(Refusal.BOMB))
        for member in members:
            found.add(member.filename, member.file_size)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise NotAccepted(Breach(Refusal.ARCHIVE))
            if not member.is_dir() and not member.flag_bits & 1:
                with archive.open(member) as inner:
                    _inner(inner, found, depth)


def _tar(file: IO[bytes], found: _Survey, depth: int) -> None:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            found.add(member.name, member.size)
            if not (member.isreg() or member.isdir()):
                raise NotAccepted(Breach(Refusal.ARCHIVE))
            inner = archive.extractfile(member)
            if inner is not None:
                _inner(inner, found, depth)


def _gzip(file: BinaryIO, found: _Survey, depth: int) -> None:
    """Unpack a stream, keeping nothing, to see how much comes out; then look whether a tar is in it."""
    packed = file.seek(0, io.SEEK_END)
    file.seek(0)
    total = 0
    with gzip.open(file) as unpacked:
        begin = unpacked.read(8192)
        total = len(begin)
        while piece := unpacked.read(_PIECE):
            total += len(piece)
            found.more(len(piece))
            if total > SMALL and total > DENSEST * max(packed, 1):
                raise NotAccepted(Breach(Refusal.BOMB))
        if _nested(begin) == "application/x-tar":
            unpacked.seek(0)
            _tar(cast("IO[bytes]", unpacked), _Survey(total * 2), depth)


def _inner(inner: IO[bytes], found: _Survey, depth: int) -> None:
    begin = inner.read(8192)
    mime = _nested(begin)
    if not mime:
        return
    content = begin + b"".join(_pieces(inner))
    _look(io.BytesIO(content), mime, found, depth - 1)


def _pieces(inner: IO[bytes]) -> Iterator[bytes]:
    held = 0
    while piece := inner.read(_PIECE):
        held += len(piece)
        if held > INNER:
            raise NotAccepted(Breach(Refusal.BOMB))
        yield piece


def _nested(begin: bytes) -> str:
    mime = mime_of(begin)
    return mime if mime in READERS else ""
