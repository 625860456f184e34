from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.mini import World, opened
from tests.kit.phone import needed


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway with a mini-program's account; skipped by name where pages cannot be rendered."""
    needed()
    async with opened(tmp_path) as made:
        yield made
