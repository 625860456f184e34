"""A whole gateway on a real database, with the clock in the test's hand."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import create_engine

from gateway import app
from gateway.settings import Settings, load
from gateway.store import migrate
from gateway.whole import Gateway
from normalizer.message import EventKind, InboundMessage, Part, PartKind, SourceChannel
from tests.kit.cases import NOW
from tests.kit.wechat import raw_settings


@dataclass
class Hand:
    """A clock that moves when it is told to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""What a password costs in tests; what it costs at a real desk, ``tests/gateway/test_cli_agent.py`` proves."""


def running(given: Settings, **more: Any) -> AbstractAsyncContextManager[Gateway]:
    """Run a gateway inside the block, its staff's passwords cheap to hash."""
    return app.running(given, hasher=CHEAP, **more)


def embedded(folder: Path, name: str = "jiesu") -> str:
    """The address of the embedded database in a folder; a new one has its tables and not a row."""
    file = folder / f"{name}.sqlite3"
    if not file.exists():
        shutil.copyfile(_made(), file)
    return f"sqlite:///{file}"


@cache
def _made() -> Path:
    """The file with all tables that each test gets a copy of."""
    folder = tempfile.TemporaryDirectory(prefix="jiesu-made-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / "jiesu.sqlite3"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        migrate.upgrade(connection)
    engine.dispose()
    return file


def settings(database: str, folder: Path, **changes: Any) -> Settings:
    values = {
        "database": database,
        "key_file": folder / "key",
        "media": f"file://{folder}/media",
        "channels": {"wx": raw_settings(), "web": {"kind": "memory"}},
    }
    return load(None, {}, **(values | changes))


@dataclass
class Person:
    """A citizen at a gateway's inbox."""

    gateway: Gateway
    clock: Hand
    user: str = "oUser"
    account: str = "wx"
    sent: list[str] = field(default_factory=list)
    source: SourceChannel = SourceChannel.WECHAT

    def message(self, text: str, number: str = "") -> InboundMessage:
        number = number or str(len(self.sent) + 1)
        self.sent.append(number)
        part = Part(PartKind.TEXT, text=text)
        if text == "(subscribe)":
            part = Part(PartKind.EVENT, event=EventKind.SUBSCRIBE)
        now = self.clock()
        return InboundMessage(self.account, self.user, number, self.source, now, now, (part,), b"<xml/>")

    async def says(self, text: str, *, written: bool = True) -> str | None:
        accepted = await self.gateway.inbox.accept(self.message(text))
        if accepted.reply is not None and written:
            accepted.written()
        self.clock.wait(milliseconds=1)
        return accepted.reply

    async def reports(self) -> str:
        """Report a matter in one sentence and return the case's number."""
        await self.says("泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678")
        done = await self.says("1")
        assert done is not None
        return done.split("单号")[1][:17]
