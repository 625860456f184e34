"""Calls to providers: what a broken answer means, and nothing secret in a log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from channels.contract import SendError, SendReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

LARGEST = 1024 * 1024
_TOO_MANY = 429
_SERVER = 500


async def post_json(
    http: ClientSession,
    url: str,
    body: Mapping[str, Any],
    *,
    query: Mapping[str, str] | None = None,
    seconds: float,
) -> dict[str, Any]:
    """Post JSON and return the JSON object of the answer, whatever content type it claims; raises SendError.

    Once the request may have left, an answer that does not come or cannot be read is TIMEOUT: nobody knows what
    the provider did with it.
    """
    data = json.dumps(body, ensure_ascii=False).encode()
    try:
        async with http.post(
            url,
            data=data,
            params=query,
            headers={"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
        ) as response:
            raw = await response.content.read(LARGEST)
            return _object(response.status, raw)
    except aiohttp.ClientConnectorError as error:
        raise SendError(SendReason.CONNECTION, type(error).__name__) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise SendError(SendReason.TIMEOUT, type(error).__name__) from error


def _object(status: int, raw: bytes) -> dict[str, Any]:
    if status == _TOO_MANY:
        raise SendError(SendReason.THROTTLED, f"HTTP {status}")
    if status >= _SERVER:
        raise SendError(SendReason.BUSY, f"HTTP {status}")
    try:
        answer = json.loads(raw)
    except ValueError as error:
        raise SendError(SendReason.TIMEOUT, f"HTTP {status}, an answer that is no JSON") from error
    if not isinstance(answer, dict):
        raise SendError(SendReason.TIMEOUT, f"HTTP {status}, an answer that is no object")
    return answer
