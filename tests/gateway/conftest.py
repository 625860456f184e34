from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway, running
from tests.kit.gateway import Hand, Person, settings


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
async def gateway(database: str, tmp_path: Path, clock: Hand) -> AsyncIterator[Gateway]:
    async with running(settings(database, tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
def person(gateway: Gateway, clock: Hand) -> Person:
    return Person(gateway, clock)
