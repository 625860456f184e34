"""The stand-in of 微信客服 as a server on loopback, and the account's settings for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from gateway.app import listening
from gateway.sandbox.kf import Kf, KfSettings
from gateway.sandbox.qyapi import PREFIX, QyApi
from tests.kit.wechat import AES_KEY, TOKEN

CORP_ID, KFID = "ww0123456789abcdef", "wk0123456789"


def kf_settings(port: int, **changes: Any) -> dict[str, Any]:
    base = {
        "kind": "wechat_kf",
        "corp_id": CORP_ID,
        "secret": "secret",
        "token": TOKEN,
        "aes_key": AES_KEY,
        "open_kfid": KFID,
        "api_base": f"http://127.0.0.1:{port}{PREFIX}",
    }
    return base | changes


@asynccontextmanager
async def platform(clock: Callable[[], float]) -> AsyncIterator[tuple[Kf, int]]:
    """Serve the stand-in inside the block; give it and its port."""
    kf = Kf(KfSettings(CORP_ID, "secret", TOKEN, AES_KEY, KFID), clock)
    app = web.Application()
    QyApi(kf).add(app)
    async with ClientSession() as http, listening(app, "127.0.0.1", 0) as port:
        kf.http = http
        yield kf, port
