from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.app import listening
from gateway.whole import Gateway
from tests.kit.api import App
from tests.kit.gateway import Hand, running, settings
from tests.kit.wechat import raw_settings

FREE = {"address_per_second": 1e6, "address_burst": 1e6, "session_per_second": 1e6, "session_burst": 1e6}
SMS = {
    "kind": "kannel",
    "api_base": "http://127.0.0.1:9",
    "callback_secret": "a-secret-of-16-characters",
    "username": "jiesu",
    "password": "testSecret",
    "sender": "12345",
}
CHANNELS = {"wx": raw_settings(), "sms": SMS}
"""Nobody listens at port 9: what is to be sent stays promised."""


@pytest.fixture
async def gateway(database: str, tmp_path: Path, clock: Hand) -> AsyncIterator[Gateway]:
    async with running(settings(database, tmp_path, portal=FREE, channels=CHANNELS), clock=clock) as opened:
        yield opened


@pytest.fixture
async def app(gateway: Gateway, clock: Hand) -> AsyncIterator[App]:
    async with listening(gateway.app, "127.0.0.1", 0) as port, ClientSession() as http:
        stranger = App(http, f"http://127.0.0.1:{port}", gateway, clock)
        yield await stranger.another()
