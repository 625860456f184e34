"""Uploads that go on after a cut: tus 1.0 on ``/uploads`` (https://tus.io/protocols/resumable-upload).

Of tus: the core, creation, creation-with-upload, termination, expiration, checksum (SHA-1, SHA-256). Whoever uploads
shows a token of leave (``Uploads.grant``) as ``Authorization: Bearer`` or in the metadata as ``grant``. An upload's
address is its own secret.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import math
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientError, web

from gateway.media.uploads import Moved
from gateway.web.asking import failed
from normalizer.errors import Busy, NotFound
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from gateway.media.uploads import Upload, Uploads

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
ALGORITHMS = ("sha1", "sha256")
OFFSETS = "application/offset+octet-stream"
SILENCE = 60.0
"""Seconds a sender may say nothing before his upload is left as it stands."""
GRACE, LAST = 0.25, 5.0
"""Seconds of silence after which a line that was given up ends, and how long it may go on at most."""
READ = 64 * 1024
_MISMATCH = 460


class Tus:
    """Answers the addresses."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._coming: dict[str, Body] = {}

    def add(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_route("*", "/uploads", self._tus({"OPTIONS": self._options, "POST": self._create}))
        verbs = {"HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete, "OPTIONS": self._options}
        app.router.add_route("*", "/uploads/{id}", self._tus(verbs))

    def _tus(self, verbs: Mapping[str, Handler]) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = await self._done(verbs, request)
            response.headers["Tus-Resumable"] = VERSION
            return response

        return answer

    async def _done(self, verbs: Mapping[str, Handler], request: web.Request) -> web.StreamResponse:
        method = request.headers.get("X-HTTP-Method-Override", request.method)
        if method not in verbs:
            return _plain(405, Allow=", ".join(verbs))
        if method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
            return _plain(412, **{"Tus-Version": VERSION})
        try:
            return await verbs[method](request)
        except Moved:
            return _plain(409)
        except (NotAccepted, NotFound, Busy) as error:
            return failed(request, error)

    async def _options(self, request: web.Request) -> web.StreamResponse:
        return _plain(
            204,
            **{
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(self._uploads.largest),
                "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            },
        )

    async def _create(self, request: web.Request) -> web.StreamResponse:
        raw = request.headers.get("Upload-Metadata", "")
        metadata = _metadata(raw)
        length = request.headers.get("Upload-Length", "")
        if metadata is None or not length.isdecimal() or len(length) > 18:
            return _plain(400)
        grant = self._uploads.granted(bearer(request) or metadata.pop("grant", ""))
        name = metadata.get("filename") or metadata.get("name") or ""
        upload = await self._uploads.begin(grant, int(length), name, raw)
        place = {"Location": f"/uploads/{upload.id}"}
        if request.content_type != OFFSETS or not request.body_exists:
            return _stands(201, upload, **place)
        return await self._receive(request, upload, 201, place)

    async def _head(self, request: web.Request) -> web.StreamResponse:
        upload = await self._found(request)
        about = {"Upload-Length": str(upload.size), "Cache-Control": "no-store"}
        if upload.metadata:
            about["Upload-Metadata"] = upload.metadata
        return _stands(200, upload, **about)

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != OFFSETS:
            return _plain(415)
        upload = await self._found(request)
        if upload.refusal is not None:
            raise NotAccepted(upload.refusal)
        if request.headers.get("Upload-Offset") != str(upload.received):
            return _plain(409)
        if upload.ended:
            return _stands(204, upload)
        return await self._receive(request, upload, 204, {})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        await self._uploads.cancel(request.match_info["id"])
        return _plain(204)

    async def _found(self, request: web.Request) -> Upload:
        """Return the upload that a request is about, once what an older request brings of it is settled.

        Who asks anew has lost the older line; here it may look alive for a long time.
        """
        ident = request.match_info["id"]
        while body := self._coming.get(ident):
            body.leave()
            await body.settled.wait()
        return await self._uploads.find(ident)

    async def _receive(
        self, request: web.Request, upload: Upload, status: int, place: dict[str, str]
    ) -> web.StreamResponse:
        if upload.id in self._coming:
            raise Moved
        body = self._coming[upload.id] = Body(request)
        try:
            return await self._append(request, body, upload, status, place)
        finally:
            del self._coming[upload.id]
            body.settled.set()

    async def _append(
        self, request: web.Request, body: Body, upload: Upload, status: int, place: dict[str, str]
    ) -> web.StreamResponse:
        given = request.headers.get("Upload-Checksum")
        if given is None:
            upload = await self._uploads.append(upload, body.stream())
            there = body.whole or upload.received == upload.size
            return _stands(status, upload, **place) if there else _plain(408)
        checksum = _checksum(given)
        if checksum is None:
            return _plain(400)
        before = upload.received
        upload = await self._uploads.append(
            upload, checksum.through(body.stream()), whole=lambda: body.whole and checksum.right
        )
        if upload.received == before:
            return _plain(_MISMATCH if body.whole else 408)
        return _stands(status, upload, **place)


class Body:
    """A request's body; when the line breaks or falls silent it ends, and is not ``whole``."""

    def __init__(self, request: web.Request) -> None:
        self._content = request.content
        self._silence, self._end = SILENCE, math.inf
        self._patience: asyncio.Timeout | None = None
        self.whole = False
        self.settled = asyncio.Event()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield what comes."""
        try:
            while piece := await self._read():
                yield piece
        except (ClientError, ConnectionError, TimeoutError, web.RequestPayloadError):
            return
        self.whole = True

    def leave(self) -> None:
        """Take what has come already, and end."""
        loop = asyncio.get_running_loop()
        if self._silence == SILENCE:
            self._silence, self._end = GRACE, loop.time() + LAST
        if self._patience is not None:
            self._patience.reschedule(loop.time() + GRACE)

    async def _read(self) -> bytes:
        if asyncio.get_running_loop().time() > self._end:
            raise TimeoutError
        try:
            async with asyncio.timeout(self._silence) as self._patience:
                return await self._content.read(READ)
        finally:
            self._patience = None


@dataclass(slots=True)
class Checksum:
    """What a request says that its body adds up to."""

    digest: Any
    expected: bytes

    async def through(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the body on and add it up."""
        async for piece in stream:
            self.digest.update(piece)
            yield piece

    @property
    def right(self) -> bool:
        """Whether it adds up."""
        return hmac.compare_digest(self.digest.digest(), self.expected)


def _checksum(header: str) -> Checksum | None:
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        return None
    try:
        return Checksum(hashlib.new(algorithm, usedforsecurity=False), base64.b64decode(value, validate=True))
    except binascii.Error:
        return None


def _metadata(header: str) -> dict[str, str] | None:
    """Return what Upload-Metadata says, None when it is not well formed."""
    pairs: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in header.split(","))):
        name, _, value = item.partition(" ")
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except ValueError:
            return None
    return pairs


def bearer(request: web.Request) -> str:
    """Return the token of an Authorization header, empty for none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _stands(status: int, upload: Upload, **headers: str) -> web.Response:
    expires = format_datetime(upload.expires_at.replace(microsecond=0), usegmt=True)
    return _plain(status, **{"Upload-Offset": str(upload.received), "Upload-Expires": expires} | headers)


def _plain(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers=headers)
