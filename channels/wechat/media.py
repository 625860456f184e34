"""Fetches what people sent: the platform keeps it for three days (wechat.md 2.7).

A film comes as JSON that names where it is; errors come as JSON with status 200. Whatever it is, it is passed on as it
comes and never held whole.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from channels.contract import Loss, Lost, SendError, SendReason
from channels.fetch import PIECE, Fetcher, is_public, is_public_or_loopback
from channels.wechat.errors import TOKEN_DEAD, error_of
from normalizer.errors import InvalidInput, NotFound, TooLarge
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientResponse, ClientSession

    from channels.wechat.tokens import TokenProvider
    from normalizer.message import Part

PATH = "/cgi-bin/media/get"
SECONDS, SILENCE = 120.0, 15.0
_HOSTS = (".qq.com", ".qpic.cn", ".weixin.qq.com")
"""Where the platform's own addresses of pictures and films lead."""
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_SUCH_MEDIA = frozenset({40007, 41006})
_LARGEST_JSON = 64 * 1024


class MediaApi:
    """Fetches the files of one account; ``base`` is where its interfaces are."""

    def __init__(self, base: str, http: ClientSession, tokens: TokenProvider) -> None:
        self._base = base
        self._http = http
        self._tokens = tokens
        # A stand-in on this machine names itself; the platform names its own hosts, and nothing else is reached.
        self._tried_here = URL(base).host in _HERE
        self._fetcher = Fetcher(is_public_or_loopback if self._tried_here else is_public)

    @asynccontextmanager
    async def open(self, part: Part, largest: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the content of a part as it comes; raises Lost or SendError."""
        answer, said = await self._answer(part)
        try:
            if said is None:
                yield _passed(answer.content.iter_chunked(PIECE), largest)
                return
        finally:
            answer.release()
        async with self._elsewhere(self._address(part, said), largest) as stream:
            yield stream

    async def _answer(self, part: Part) -> tuple[ClientResponse, dict[str, Any] | None]:
        """Return the answer, and the JSON object that it is, if it is one."""
        token = await self._tokens.token()
        answer = await self._ask(token, part.media_id)
        said = await _said(answer)
        if said is not None and said.get("errcode") in TOKEN_DEAD:
            answer.release()
            answer = await self._ask(await self._tokens.renewed(token), part.media_id)
            said = await _said(answer)
        return answer, said

    def _address(self, part: Part, said: dict[str, Any]) -> str:
        """Return where else a file is; raises Lost, SendError."""
        url = str(said.get("video_url", ""))
        gone = said.get("errcode") in _NO_SUCH_MEDIA
        if not url and not gone and (refusal := error_of(said)) is not None:
            raise refusal
        if gone and part.kind is PartKind.IMAGE:
            url = part.url
        if not url or not self._ours(url):
            raise Lost(Loss.EXPIRED if gone else Loss.GONE)
        return url

    async def _ask(self, token: str, media_id: str) -> ClientResponse:
        timeout = aiohttp.ClientTimeout(total=SECONDS, sock_connect=SILENCE, sock_read=SILENCE)
        query = {"access_token": token, "media_id": media_id}
        try:
            answer = await self._http.get(
                f"{self._base}{PATH}", params=query, timeout=timeout, allow_redirects=False
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            # Nothing was changed by asking, so an answer that did not come may be asked for again.
            raise SendError(SendReason.CONNECTION, type(error).__name__) from error
        if answer.status != 200:
            answer.release()
            raise SendError(SendReason.BUSY, f"HTTP {answer.status}")
        return answer

    def _ours(self, url: str) -> bool:
        host = URL(url).host or ""
        return host in _HERE if self._tried_here else f".{host}".endswith(_HOSTS)

    @asynccontextmanager
    async def _elsewhere(self, url: str, largest: int) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            async with self._fetcher.open(url, largest) as stream:
                yield _passed(stream, largest)
        except NotFound as error:
            raise SendError(SendReason.CONNECTION, "the file's own address does not answer") from error
        except InvalidInput as error:
            raise Lost(Loss.GONE, "an address that may not be reached") from error


async def _said(answer: ClientResponse) -> dict[str, Any] | None:
    """Return the JSON object that an answer is, None when it is a file; a file is not read here."""
    if not answer.content_type.startswith(("application/json", "text/plain")):
        return None
    raw = await _whole(answer)
    try:
        said = json.loads(raw)
    except ValueError as error:
        raise SendError(SendReason.BUSY, "an answer that is no JSON") from error
    if not isinstance(said, dict):
        raise SendError(SendReason.BUSY, "an answer that is no object")
    return said


async def _whole(answer: ClientResponse) -> bytes:
    try:
        return await answer.content.readexactly(_LARGEST_JSON)
    except asyncio.IncompleteReadError as error:
        # One read gives what has come so far; this one gives all there is.
        return error.partial
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SendError(SendReason.CONNECTION, type(error).__name__) from error


async def _passed(stream: AsyncIterator[bytes], largest: int) -> AsyncIterator[bytes]:
    """Pass a stream on as far as it may go; a line that breaks is told from a file that ends."""
    size = 0
    try:
        async for piece in stream:
            size += len(piece)
            if size > largest:
                raise Lost(Loss.TOO_LARGE)
            yield piece
    except TooLarge as error:
        raise Lost(Loss.TOO_LARGE) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise SendError(SendReason.CONNECTION, type(error).__name__) from error
