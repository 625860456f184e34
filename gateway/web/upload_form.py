"""``POST /uploads/form``: files by a plain form (RFC 7578), for pages without JavaScript, and for ``curl``.

The form's first field is ``grant`` (or the token comes as ``Authorization: Bearer``); ``next`` may name the page of ours
to go on to when all was well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.media import words
from gateway.web.asking import answer, failed, language, page, wants_page
from gateway.web.uploads import READ, SILENCE, bearer
from normalizer.errors import Busy
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.media.uploads import Uploads

FIELD = 8 * 1024
DRAINED = 64 * 1024 * 1024
"""Bytes that are read over of a file that was refused, so that the files after it are still taken in."""


class UploadForm:
    """Answers the address."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def add(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_post("/uploads/form", self._form)

    async def _form(self, request: web.Request) -> web.StreamResponse:
        tongue = language(request)
        try:
            results, onward = await self._files(request)
        except (NotAccepted, Busy) as error:
            return failed(request, error)
        except (ValueError, ClientError, HttpProcessingError, ConnectionError, TimeoutError):
            return answer(request, 400, words.notice("nothing", tongue))
        well = all(result["accepted"] for result in results)
        if well and onward:
            return web.Response(status=303, headers={"Location": onward})
        status = 200 if well else 422
        if wants_page(request):
            lines = (f"{result['name']}：{result['words']}" for result in results)
            return page(status, *lines, title=words.notice("title", tongue), tongue=tongue)
        return web.json_response({"files": results}, status=status)

    async def _files(self, request: web.Request) -> tuple[list[dict[str, Any]], str]:
        """Take in the files of a form as they come; return what became of each, and where the form leads."""
        token, onward = bearer(request), ""
        results: list[dict[str, Any]] = []
        async for part in parts_of(request):
            if part.filename:
                results.append(await self._one(part, token, language(request)))
                if not await _passed(part):
                    break
            elif part.name == "grant":
                token = await _field(part)
            elif part.name == "next":
                onward = _local(await _field(part))
        if not results:
            raise ValueError("no file in the form")
        return results, onward

    async def _one(self, part: BodyPartReader, token: str, tongue: str) -> dict[str, Any]:
        grant = self._uploads.granted(token)
        name = part.filename or ""
        try:
            taken = await self._uploads.take(grant, chunks(part), name)
        except NotAccepted as error:
            text = words.refusal(error.breach, tongue)
            reason = error.breach.refusal.value
            return {"name": name, "accepted": False, "reason": reason, "words": text}
        received = words.notice("received", tongue)
        return {"name": taken.name, "accepted": True, "key": taken.key, "size": taken.size, "words": received}


async def parts_of(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """Yield the parts of a form as they come; raises ValueError for another body, TimeoutError when it stands still."""
    if request.content_type != "multipart/form-data":
        raise ValueError("no form with files")
    reader = await request.multipart()
    while (part := await asyncio.wait_for(reader.next(), SILENCE)) is not None:
        if isinstance(part, BodyPartReader):
            yield part


def _local(address: str) -> str:
    """Return an address of our own, or nothing: a form must not lead away."""
    well = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if well else ""


async def _passed(part: BodyPartReader) -> bool:
    """Read over what is left of a file that was refused; False when there is no end of it."""
    left = DRAINED
    async for piece in chunks(part):
        left -= len(piece)
        if left < 0:
            return False
    return True


async def _field(part: BodyPartReader) -> str:
    held = b""
    async for piece in chunks(part):
        held += piece
        if len(held) > FIELD:
            raise ValueError("a field that is too long")
    return held.decode()


async def chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    """Yield the bytes of a part as they come; raises TimeoutError when it stands still."""
    while piece := await asyncio.wait_for(part.read_chunk(READ), SILENCE):
        yield piece
