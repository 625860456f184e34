"""The files that pages are made of: compressed once, named by their content, and then kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(str(resources.files("gateway") / "static"))
SMALL = 1024
"""Bytes below which compressing gains nothing."""
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; ``packed`` is empty where compressing gains nothing."""

    body: bytes
    packed: bytes
    kind: str
    mark: str


def add(app: web.Application) -> None:
    """Serve the files below ``/static``."""
    _assets()
    app.router.add_get("/static/{path:.+}", serve)


def address(path: str) -> str:
    """Return where a browser finds a file, named so that a changed one has another address."""
    found = asset(path)
    return f"/static/{path}?v={found.mark}" if found is not None else ""


def address_in(folder: str, name: str) -> str:
    """Return where a browser finds a file whose neighbours it asks for by relative names: all have their own folder's mark."""
    return f"/static/{folder}@{_mark(folder)}/{name}"


def names(folder: str, suffix: str) -> list[str]:
    """Return the names of a folder's files with a suffix, in order."""
    return sorted(path.removeprefix(f"{folder}/") for path in _within(folder) if path.endswith(suffix))


async def serve(request: web.Request) -> web.Response:
    """Serve one file, from memory."""
    folder, _, marked = request.match_info["path"].partition("@")
    mark, _, name = marked.partition("/")
    found = asset(f"{folder}/{name}" if marked else folder)
    if found is None:
        raise web.HTTPNotFound
    same = mark == _mark(folder) if marked else request.query.get("v") == found.mark
    kept = _FOR_EVER if same else _ASK_AGAIN
    headers = {
        hdrs.CACHE_CONTROL: kept,
        hdrs.ETAG: f'"{found.mark}"',
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
        "X-Content-Type-Options": "nosniff",
    }
    if any(tag.value == found.mark for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if found.packed and takes_gzip(request):
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=found.packed, content_type=found.kind, headers=headers)
    return web.Response(body=found.body, content_type=found.kind, headers=headers)


def takes_gzip(request: web.BaseRequest) -> bool:
    """Return whether whoever asks can unpack gzip."""
    return "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()


def asset(path: str) -> Asset | None:
    """Return a file of the package, None for what is not there."""
    return _assets().get(path)


def _within(folder: str) -> list[str]:
    return [path for path in _assets() if path.startswith(f"{folder}/")]


@cache
def _mark(folder: str) -> str:
    """Return the mark of a folder: another one whenever any of its files is."""
    marks = "".join(_assets()[path].mark for path in sorted(_within(folder)))
    return hashlib.sha256(marks.encode()).hexdigest()[:12]


@cache
def _assets() -> Mapping[str, Asset]:
    """Read all files once; there are few, and what asks for another name must not fill the memory."""
    paths = (path for path in FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in paths}


def pack(body: bytes) -> bytes:
    """Return a body as gzip packs it, the same each time."""
    return gzip.compress(body, mtime=0)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = kind.startswith(("text/", "application/"))
    packed = pack(body) if text and len(body) > SMALL else b""
    return Asset(body, packed, kind, hashlib.sha256(body).hexdigest()[:12])
