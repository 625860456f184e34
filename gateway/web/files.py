"""``GET /files/{key}``: a file by a signed, short-lived link; ranges by RFC 9110 section 14. ``GET /f/…`` leads there.

What a citizen sent is never shown from our origin as it came: inline go only the copies made here, everything else is
a download, and both in a sandbox without script.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from gateway.media.intake import from_row
from gateway.media.links import Variant
from gateway.runtime import millis
from gateway.store import media as rows
from gateway.store import short_links
from gateway.web.asking import failed
from normalizer.errors import Busy, NotFound
from normalizer.media import UNKNOWN, NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from gateway.media.room import Room
    from gateway.store.media import MediaRow

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=300",
    "Accept-Ranges": "bytes",
}
PATIENCE = 120.0
"""Seconds a reader may take for one piece; who takes none of it is left."""
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from ``start`` up to and without ``end``."""

    start: int
    end: int


class Files:
    """Answers the address."""

    def __init__(self, room: Room, now: Callable[[], datetime]) -> None:
        self._room = room
        self._now = now

    def add(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/files/{key}", self._file)
        app.router.add_get("/f/{word}", self._short)

    async def _short(self, request: web.Request) -> web.StreamResponse:
        """Lead a short link to its file."""
        links, now = self._room.links, millis(self._now())
        try:
            number = links.number_of(request.match_info["word"])
            target = await self._room.store.read(partial(short_links.find, number=number))
        except (NotFound, Busy) as error:
            return failed(request, error)
        if target is None or target.until < now:
            return failed(request, NotFound())
        raise web.HTTPFound(
            links.sign(target.owner, target.key, Variant(target.variant)),
            headers={"Cache-Control": "no-store"},
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        try:
            owner, variant = self._room.links.check(key, request.query)
            row = await self._row(owner, key)
            copy, mime = await self._copy(row, variant)
            size = await self._room.blobs.size(copy)
        except NotAccepted:
            return failed(request, NotFound())
        except (NotFound, Busy) as error:
            return failed(request, error)
        headers = SAFE | {"ETag": f'"{copy}"', "Content-Type": mime} | self._disposition(row, variant)
        return await _answer(request, headers, size, partial(self._room.blobs.open_range, copy))

    async def _row(self, owner: str, key: str) -> MediaRow:
        row = await self._room.store.read(partial(rows.find, owner=owner, key=key))
        if row is None:
            raise NotFound("no such file")
        return row

    async def _copy(self, row: MediaRow, variant: Variant) -> tuple[str, str]:
        if variant is Variant.ORIGINAL:
            # Named by a type that no browser opens: what came is never shown, only saved.
            return row.key, UNKNOWN
        made = await self._room.derive.copy(row, variant)
        return made.key, made.mime

    def _disposition(self, row: MediaRow, variant: Variant) -> dict[str, str]:
        if variant is not Variant.ORIGINAL:
            return {"Content-Disposition": "inline"}
        taken = from_row(row, self._room.sealer)
        return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"}


def span(header: str, size: int) -> Span | None:
    """Return the one range that a Range header asks for, None where it is to be ignored; raises ValueError for none.

    Several ranges, and units other than bytes, are ignored as RFC 9110 14.2 allows.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        if last and int(last) < int(first):
            return None
        start, end = int(first), min(int(last) + 1, size) if last else size
    if start >= end:
        raise ValueError("no byte of it is there")
    return Span(start, end)


async def _answer(
    request: web.Request, headers: dict[str, str], size: int, read: Callable[[int, int], AsyncIterator[bytes]]
) -> web.StreamResponse:
    etag = headers["ETag"]
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        asked = ""
    try:
        part = span(asked, size)
    except ValueError:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    status, whole = (200, Span(0, size)) if part is None else (206, part)
    if part is not None:
        headers |= {"Content-Range": f"bytes {part.start}-{part.end - 1}/{size}"}
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = whole.end - whole.start
    # Whoever leaves the page before the picture is there does no harm.
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        if request.method != "HEAD":
            async for piece in read(whole.start, whole.end):
                await asyncio.wait_for(response.write(piece), PATIENCE)
        await response.write_eof()
    return response
