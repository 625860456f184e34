from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.app import listening
from gateway.whole import Gateway
from tests.kit.gateway import Hand, running, settings
from tests.kit.open311 import PARTNERS, Client

RULES = {
    "api_keys": PARTNERS,
    "contact": "open311@example.cn",
    "endpoint_type": "test",
    "jurisdiction": "taian.gov.cn",
}
FREE = {"address_per_second": 1e6, "address_burst": 1e6}


@pytest.fixture
async def gateway(database: str, tmp_path: Path, clock: Hand) -> AsyncIterator[Gateway]:
    given = settings(database, tmp_path, open311=RULES, portal=FREE, public_url="https://12345.example.cn/")
    async with running(given, clock=clock) as opened:
        yield opened


@pytest.fixture
async def client(gateway: Gateway, clock: Hand) -> AsyncIterator[Client]:
    async with listening(gateway.app, "127.0.0.1", 0) as port, ClientSession() as http:
        yield Client(http, f"http://127.0.0.1:{port}", gateway, clock)
