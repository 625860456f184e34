"""The platform's temporary media: what people sent, fetched by id for three days (wechat.md 2.7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.sandbox.platform import error

if TYPE_CHECKING:
    from gateway.sandbox.api import Faults
    from gateway.sandbox.platform import Platform

_PIECE = 64 * 1024
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "audio/amr": "amr", "audio/mpeg": "mp3"}


class Media:
    """Answers the addresses of media."""

    def __init__(self, platform: Platform, faulty: Faults) -> None:
        self._platform = platform
        self._faulty = faulty

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app.router.add_get("/cgi-bin/media/get", self._get)
        # Recordings of a page of ours come by an address of their own, otherwise alike.
        app.router.add_get("/cgi-bin/media/get/jssdk", self._get)
        app.router.add_get("/_media/{name}", self._film)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        wrong = self._platform.token_error(request.query.get("access_token", ""))
        if wrong is not None:
            return _json(wrong)
        if (faulty := await self._faulty(request, dict)) is not None:
            return faulty
        media_id = request.query.get("media_id", "")
        kept = self._platform.media.get(media_id)
        if kept is None or self._platform.clock() >= kept.until:
            return _json(error(40007, "invalid media_id"))
        self._platform.counts["media"] += 1
        if kept.mime.startswith("video/"):
            return _json({"video_url": str(request.url.origin() / "_media" / media_id)})
        name = f"{media_id[:16]}.{_SUFFIX.get(kept.mime, 'bin')}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Type": kept.mime}
        return await _sent(request, kept.content, headers)

    async def _film(self, request: web.Request) -> web.StreamResponse:
        if (faulty := await self._faulty(request, dict)) is not None:
            return faulty
        kept = self._platform.media.get(request.match_info["name"])
        if kept is None:
            return web.Response(status=404)
        return await _sent(request, kept.content, {"Content-Type": kept.mime})


async def _sent(request: web.Request, content: bytes, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    for at in range(0, len(content), _PIECE):
        await response.write(content[at : at + _PIECE])
    await response.write_eof()
    return response


def _json(answer: dict[str, object]) -> web.Response:
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="text/plain")
