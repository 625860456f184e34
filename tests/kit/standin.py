"""A gateway with the stand-in of WeChat before it, both in this process: what a citizen does on his phone, and sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app import listening
from gateway.batch import Decider
from gateway.sandbox.application import (
    BUTTONS,
    DRIVER,
    MENU,
    NOTIFY,
    PLATFORM,
    VISITORS,
    create_sandbox,
)
from gateway.sandbox.buttons import Buttons
from gateway.sandbox.driver import Driver
from gateway.sandbox.menu import Menu
from gateway.sandbox.notify import Notify
from gateway.sandbox.platform import Person, Platform, SandboxSettings
from gateway.sandbox.visitors import Visitors
from gateway.whole import Gateway
from tests.kit.gateway import Hand, running, settings
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN, raw_settings

PATIENCE = 15.0


@dataclass(frozen=True)
class Phone:
    """A citizen's phone."""

    gateway: Gateway
    platform: Platform
    driver: Driver
    clock: Hand
    address: str
    notify: Notify
    menu: Menu
    visitors: Visitors
    buttons: Buttons
    openid: str = "oUser"

    @property
    def person(self) -> Person:
        return self.platform.person(self.openid)

    @property
    def heard(self) -> list[str]:
        """What the account said."""
        return [line.text for line in self.person.lines if line.who == "account"]

    async def says(self, text: str) -> str:
        """Write, and return the answer, empty when there is none at once."""
        before = len(self.heard)
        await self.driver.write(self.person, text)
        self.clock.wait(milliseconds=1)
        return "\n".join(self.heard[before:])

    async def shows(self, kind: str, content: bytes, mime: str) -> str:
        """Send a file, and return its media id."""
        media_id = await self.driver.show(self.person, kind, content, mime)
        self.clock.wait(seconds=6)
        return media_id

    async def reports(
        self, text: str = "泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678"
    ) -> str:
        """Report a matter in one sentence and return the case's number."""
        await self.says(text)
        return (await self.says("1")).split("单号")[1][:17]


@asynccontextmanager
async def phone(database: str, folder: Path, clock: Hand, **changes: Any) -> AsyncIterator[Phone]:
    """Run the stand-in and a gateway inside the block; ``changes`` are the gateway's settings."""
    decider = changes.pop("decider", Decider)
    account = SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY)
    sandbox = create_sandbox(account, clock=lambda: clock().timestamp())
    async with listening(sandbox, "127.0.0.1", 0) as port:
        here = f"http://127.0.0.1:{port}"
        wx = raw_settings(api_base=here, open_base=here) | changes.pop("wx", {})
        channels = {"wx": wx} | changes.pop("channels", {})
        given = settings(database, folder, channels=channels, **changes)
        async with (
            running(given, clock=clock, decider=decider) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as own,
        ):
            account.callback_url = f"http://127.0.0.1:{own}/channels/wx"
            made = Phone(
                gateway,
                sandbox[PLATFORM],
                sandbox[DRIVER],
                clock,
                f"http://127.0.0.1:{own}",
                sandbox[NOTIFY],
                sandbox[MENU],
                sandbox[VISITORS],
                sandbox[BUTTONS],
            )
            await made.driver.act(made.person, "subscribe")
            clock.wait(seconds=1)
            yield made


async def until(true: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Wait until something is true; it is told of by nothing but itself."""
    async with asyncio.timeout(patience):
        while True:
            found = true()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.02)
