"""A gateway with a mini-program's account, the platform that knows whose login code it is, and telephones before it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from gateway.app import listening
from gateway.sandbox.mini import Mini, MiniSettings
from gateway.whole import Gateway
from normalizer.case import Case, Stage
from tests.kit.api import WORDS, App
from tests.kit.cases import STEPS
from tests.kit.gateway import Hand, embedded, running, settings
from tests.kit.phone import Phone, Screen, phone

ACCOUNT, SECRET = "mini", "a-secret-of-this-app"
FREE = {"address_per_second": 1e6, "address_burst": 1e6, "session_per_second": 1e6, "session_burst": 1e6}
PHONE = "13812345678"


@dataclass
class World:
    """A gateway and its mini-program's platform."""

    gateway: Gateway
    platform: Mini
    app: App
    folder: Path

    def phone(self, person: str = "o-zhang", **changes: Any) -> AbstractAsyncContextManager[Phone]:
        """Hold somebody's telephone: signed in as whom it belongs to, as often as is asked for."""
        return self._held(person, {"account": ACCOUNT} | changes)

    @asynccontextmanager
    async def _held(self, person: str, changes: dict[str, Any]) -> AsyncIterator[Phone]:
        async with phone(self.folder / person, self.app.base, **changes) as held:
            await held.has(codes=[self.platform.code(person) for _ in range(3)])
            yield held

    def file(self, name: str, content: bytes) -> str:
        """Keep a file where a camera would, and return its path."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    async def office(self, number: str, stage: Stage) -> None:
        """Let the office bring a case to a stage."""
        for command in STEPS[stage]:
            await self.gateway.office.act(number, command)

    async def case(self, number: str) -> Case:
        case = await self.gateway.lookup.case(number)
        assert case is not None
        return case

    async def ends_session(self, held: Phone) -> None:
        """End the session of a telephone at the gateway; the telephone does not know."""
        headers = {"Authorization": f"Bearer {held.stored['token']}"}
        assert (await self.app.ask("DELETE", "/session", headers=headers)).status == 204


@asynccontextmanager
async def opened(folder: Path, form: str = "xml", **changes: Any) -> AsyncIterator[World]:
    """Run all of it inside the block; messages are pushed in a form, ``changes`` are the gateway's settings."""
    clock = Hand()
    platform = Mini(MiniSettings("wx-mini", SECRET), lambda: clock().timestamp())
    served = web.Application()
    platform.add(served)
    async with listening(served, "127.0.0.1", 0) as away:
        account = {
            "kind": "miniprogram",
            "app_id": "wx-mini",
            "secret": SECRET,
            "token": "a-token-of-callbacks",
            "mode": "plain",
            "format": form,
            "api_base": f"http://127.0.0.1:{away}",
        }
        made = settings(embedded(folder), folder, portal=FREE, channels={ACCOUNT: account}, **changes)
        async with (
            running(made, clock=clock) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as port,
            ClientSession() as http,
        ):
            app = App(http, f"http://127.0.0.1:{port}", gateway, clock)
            yield World(gateway, platform, app, folder)


async def begins(held: Phone, text: str = WORDS) -> Screen:
    """Agree to the notice where it is asked, say what it is, and stand before the place."""
    screen = await held.opens("report")
    if screen.page == "privacy":
        screen = await held.taps("同意并继续")
    assert screen.page == "report"
    await held.writes(text=text)
    return await held.taps("下一步")


async def to_files(held: Phone, text: str = WORDS) -> Screen:
    """Write a report until files are asked for."""
    await begins(held, text)
    await held.taps("下一步")
    return await held.taps("下一步")


async def to_check(held: Phone) -> Screen:
    """Go from the files to the read-back."""
    await held.taps("下一步")
    await held.writes(phone=PHONE, name="李四")
    return await held.taps("下一步")


async def reports(held: Phone, text: str = WORDS) -> str:
    """Report with no files and return the number."""
    await to_files(held, text)
    await to_check(held)
    return number_on(await held.taps("提交"))


def number_on(screen: Screen) -> str:
    """Return the number on the page that says that a case was opened."""
    assert screen.page == "done", screen.text
    found = re.search(r"\d{17}", screen.text)
    assert found is not None
    return found.group()
