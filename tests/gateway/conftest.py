from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway import app
from gateway.whole import Gateway
from tests.kit.browser import Browser, browsing, portal_settings
from tests.kit.gateway import Hand, Person, embedded, running, settings


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody but the test sweep, forget and take up what waits: a busy machine gives the gateway time to do so."""

    async def never(*_: object) -> None:
        return None

    for loop in ("_sweep", "_forget"):
        monkeypatch.setattr(app, loop, never)
    monkeypatch.setattr(app, "DEFERRED_PAUSE", 3_600.0)


@pytest.fixture
async def gateway(database: str, tmp_path: Path, clock: Hand) -> AsyncIterator[Gateway]:
    async with running(settings(database, tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
def person(gateway: Gateway, clock: Hand) -> Person:
    return Person(gateway, clock)


@pytest.fixture
async def portal(tmp_path: Path, clock: Hand) -> AsyncIterator[Gateway]:
    """A gateway with pages and an account of telephones, on the embedded store."""
    async with running(portal_settings(embedded(tmp_path), tmp_path), clock=clock) as opened:
        yield opened


@pytest.fixture
async def browsers(portal: Gateway) -> AsyncIterator[Callable[[], Browser]]:
    async with browsing(portal) as maker:
        yield maker
