"""Calls to providers: what a broken answer means, and nothing secret in a log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from channels.contract import SendError, SendReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientResponse, ClientSession, FormData
    from yarl import URL

LARGEST = 1024 * 1024
_TOO_MANY = 429
_SERVER = 500
_NO_ANSWER_BEHIND = 504


async def post_json(
    http: ClientSession,
    url: str,
    body: Mapping[str, Any],
    *,
    query: Mapping[str, str] | None = None,
    seconds: float,
) -> dict[str, Any]:
    """Post JSON and return the JSON object of the answer, whatever content type it claims; raises SendError."""
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    return await post(http, url, data, headers=headers, query=query, seconds=seconds)


async def post(
    http: ClientSession,
    url: str | URL,
    body: bytes,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    seconds: float,
) -> dict[str, Any]:
    """Post bytes as they are, for bodies that are signed, and return the JSON object of the answer; raises SendError.

    Once the request may have left, an answer that does not come or cannot be read is TIMEOUT: nobody knows what
    the provider did with it.
    """
    status, raw = await _ask(http, url, seconds, data=body, params=query, headers=headers)
    return _object(status, raw)


async def post_form(
    http: ClientSession, url: str, form: FormData, *, query: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    """Bring a file as a form and return the JSON object of the answer; raises SendError.

    Only for what nobody is sent: an answer that does not come is CONNECTION, so that the file is brought once more.
    """
    try:
        status, raw = await _ask(http, url, seconds, data=form, params=query)
        return _object(status, raw)
    except SendError as error:
        if error.reason is not SendReason.TIMEOUT:
            raise
        raise SendError(SendReason.CONNECTION, error.detail) from error


async def get_json(
    http: ClientSession,
    url: str,
    *,
    query: Mapping[str, str],
    seconds: float,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Ask by GET, where a provider knows no other way, and return the JSON object of the answer; raises SendError.

    Only for what tells and sends nothing: the client repeats a GET by itself when the line breaks.
    """
    status, raw = await _ask(http, url, seconds, method="GET", params=query, headers=headers)
    return _object(status, raw)


async def post_text(
    http: ClientSession, url: str, body: bytes, *, headers: Mapping[str, str], seconds: float
) -> tuple[int, str]:
    """Post bytes and return status and text of the answer, for providers that speak no JSON; raises SendError.

    Nothing is ever sent by GET: the client repeats a GET by itself when the line breaks, and a citizen is told twice.
    """
    status, raw = await _ask(http, url, seconds, data=body, headers=headers)
    return status, raw.decode("utf-8", "replace")


async def _ask(
    http: ClientSession, url: str | URL, seconds: float, *, method: str = "POST", **request: Any
) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with http.request(method, url, timeout=timeout, allow_redirects=False, **request) as response:
            return response.status, await _whole(response)
    except aiohttp.ClientConnectorError as error:
        raise SendError(SendReason.CONNECTION, type(error).__name__) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise SendError(SendReason.TIMEOUT, type(error).__name__) from error


async def _whole(response: ClientResponse) -> bytes:
    # One read returns what has come so far, which need not be all.
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST:
            break
    return bytes(raw)


def _object(status: int, raw: bytes) -> dict[str, Any]:
    if status == _TOO_MANY:
        raise SendError(SendReason.THROTTLED, f"HTTP {status}")
    if status == _NO_ANSWER_BEHIND:
        raise SendError(SendReason.TIMEOUT, f"HTTP {status}")
    if status >= _SERVER:
        raise SendError(SendReason.BUSY, f"HTTP {status}")
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise SendError(SendReason.TIMEOUT, f"HTTP {status}, an answer that is no JSON") from error
    if not isinstance(answer, dict):
        raise SendError(SendReason.TIMEOUT, f"HTTP {status}, an answer that is no object")
    return answer
