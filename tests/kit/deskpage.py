"""A desk in real browsers before a real gateway, and citizens who write to it from the sandbox's phones."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect

from gateway.app import open_books
from gateway.desk.accounts import Accounts
from gateway.desk.rights import Role
from gateway.runtime import Ids, now
from gateway.settings import load
from tests.kit.chromium import demo
from tests.kit.ports import free_port
from tests.kit.process import configure, served

AXE = Path(__file__).parents[1] / "vendor/axe.js"
LAPTOP = ViewportSize(width=1366, height=768)
TABLET = ViewportSize(width=1024, height=768)
UPRIGHT = ViewportSize(width=768, height=1024)
OPEN = '\n[desk]\nundo_seconds = 4\nhours = [["00:00", "23:59"]]\nholiday_hours = [["00:00", "23:59"]]\n'
PATIENCE = 60.0
PASSWORD = "a-long-enough-password"
STAFF = {
    "xiaoli": ("小李", Role.AGENT),
    "xiaowang": ("小王", Role.AGENT),
    "xiaozhao": ("小赵", Role.AGENT),
    "laozhou": ("老周", Role.SUPERVISOR),
}


@dataclass
class Town:
    """A gateway with its staff, and the phones of three citizens."""

    gateway: str
    phone: str
    browser: Browser
    passwords: dict[str, str]
    errors: list[str] = field(default_factory=list)

    def citizen(self, openid: str, *words: str) -> None:
        """Let a citizen write."""
        for text in words:
            self._post("say", {"openid": openid, "text": text})

    def follows(self, openid: str) -> None:
        self._post("act", {"openid": openid, "event": "subscribe"})

    def shows(self, openid: str, kind: str, content: bytes, mime: str) -> None:
        """Let a citizen send a photo, a voice or a video."""
        self._send(f"show?kind={kind}&openid={openid}", content, mime)

    def stands(self, openid: str, lon: float, lat: float, label: str) -> None:
        """Let a citizen send where he stands."""
        self._post("stand", {"openid": openid, "lon": lon, "lat": lat, "label": label})

    def heard(self, openid: str) -> str:
        """All that a citizen's phone shows."""
        people = self._state()["people"]
        return json.dumps(next(each for each in people if each["openid"] == openid), ensure_ascii=False)

    def page(self, size: ViewportSize = LAPTOP, **more: Any) -> Page:
        """Open the desk in a browser of its own."""
        context = self.browser.new_context(viewport=size, base_url=self.gateway, locale="zh-CN", **more)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto("/desk")
        return page

    def enters(self, login: str, size: ViewportSize = LAPTOP, **more: Any) -> Page:
        """Log somebody of the staff in; whoever comes first sets a password of his own."""
        page = self.page(size, **more)
        logs_in(page, login, self.passwords[login])
        if self.passwords[login] != PASSWORD:
            page.get_by_label("新密码（至少12位）").fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            self.passwords[login] = PASSWORD
        expect(page.locator(".link")).to_have_text("已连接")
        return page

    @contextmanager
    def on_duty(self, login: str) -> Iterator[Page]:
        """Have somebody at the desk inside the block; who has left is offered nothing that would lapse first."""
        page = self.enters(login)
        becomes(page, "online")
        yield page
        becomes(page, "away")
        page.context.close()

    def _post(self, verb: str, body: dict[str, Any]) -> None:
        self._send(verb, json.dumps(body).encode(), "application/json")

    def _send(self, verb: str, content: bytes, mime: str) -> None:
        """Let something be sent, and wait until the gateway has answered it: the next could overtake on its way."""
        before, give_up = self._carried(), time.monotonic() + PATIENCE
        request = urllib.request.Request(f"{self.phone}_sim/{verb}", content, {"Content-Type": mime})
        urllib.request.urlopen(request).close()
        while self._carried() == before:
            assert time.monotonic() < give_up, verb
            time.sleep(0.01)

    def _carried(self) -> int:
        counts = self._state()["counts"]
        return sum(counts.get(end, 0) for end in ("passive", "silent", "too_long", "service_faults"))

    def _state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.phone}_sim/state") as answer:
            return dict(json.load(answer))


def logs_in(page: Page, login: str, password: str) -> None:
    """Fill in the login that lies over the page."""
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()


def becomes(page: Page, state: str) -> None:
    """Choose whether one is there, and wait until the desk knows it."""
    with page.expect_response("**/desk/api/me/state"):
        page.locator("#state").select_option(state)


@contextmanager
def town(browser: Browser, folder: Path) -> Iterator[Town]:
    """Run a gateway with the sandbox's phones beside it, and make the accounts of its staff."""
    database, port = f"sqlite:///{folder}/jiesu.sqlite3", free_port()
    config = configure(folder, database, f"http://127.0.0.1:{port}")
    with config.open("a") as written:
        written.write(OPEN)
    # The browser's own loop runs in this thread.
    with ThreadPoolExecutor(1) as pool:
        passwords = pool.submit(asyncio.run, hired(config)).result()
    with (
        served(config) as (_, gateway),
        demo("--port", str(port), "--gateway-url", gateway, "--config", str(config)) as played,
    ):
        yield Town(gateway, played.phone, browser, passwords)


async def hired(config: Path) -> dict[str, str]:
    """Make the accounts and return their one-time passwords."""
    async with open_books(load(config, {})) as books:
        accounts = Accounts(store=books.store, sealer=books.sealer, ids=Ids(), now=now)
        return {login: await accounts.add(login, name, role) for login, (name, role) in STAFF.items()}


def violations(page: Page, *rules: str) -> list[str]:
    """Return what of a page breaks a rule of axe-core (one of ``rules``), or reaches over the edge of the screen."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text())
    asked = {"resultTypes": ["violations"]} | ({"runOnly": [*rules]} if rules else {})
    found = page.evaluate("asked => axe.run(asked)", asked)["violations"]
    said = [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*said, f"{wide} pixels too wide"] if wide > 0 else said


def look(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to see how it looks."""
    if folder := os.environ.get("JIESU_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/desk-{name}.png")


def row(page: Page, words: str):
    """The row of the list in which some words stand."""
    return page.locator(".row", has_text=words)


def line(page: Page, words: str):
    """The lines of the open talk in which some words stand."""
    return page.locator(".line .said", has_text=re.compile(re.escape(words)))
