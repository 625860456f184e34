"""A citizen's browser at a gateway: pages over real HTTP, forms sent as the pages carry them, no JavaScript."""

from __future__ import annotations

import html
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from gateway.settings import Settings
from gateway.store.tables import OUTGOING
from gateway.whole import Gateway
from tests.kit.gateway import settings

PHONE = "13812345678"
WORDS = "泰山区东岳大街88号门前井盖丢失，晚上很危险"


@dataclass
class Page:
    """A page as it came: its status, where it was found at last, its headers and text."""

    status: int
    path: str
    headers: Any
    html: str
    response: ClientResponse

    @property
    def text(self) -> str:
        """What stands on it, without marks."""
        bare = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", self.html)
        return re.sub(r"\s+", " ", html.unescape(bare))

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.html)
        return html.unescape(found.group(1)) if found else ""


class Browser:
    """One browser with its cookies."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.last = ""

    async def get(self, path: str, *, follow: bool = True, **more: Any) -> Page:
        return await self._page(await self.client.get(path, allow_redirects=follow, **more))

    async def csrf(self) -> str:
        return (await self.get("/scope")).hidden("csrf")

    async def post(
        self, path: str, fields: Any = None, *, follow: bool = True, csrf: str | None = None, **more: Any
    ) -> Page:
        token = await self.csrf() if csrf is None else csrf
        data = [("csrf", token), *(fields.items() if isinstance(fields, dict) else fields or ())]
        return await self._page(await self.client.post(path, data=data, allow_redirects=follow, **more))

    async def raw(self, method: str, path: str, **more: Any) -> Page:
        return await self._page(await self.client.request(method, path, allow_redirects=False, **more))

    def cookie(self, name: str = "jiesu") -> str:
        return next((c.value for c in self.client.session.cookie_jar if c.key == name), "")

    def carry(self, value: str, name: str = "jiesu") -> None:
        self.client.session.cookie_jar.update_cookies({name: value}, self.client.make_url("/"))

    async def writes(self, **changes: str) -> Page:
        """Fill the form up to its check."""
        asked = {
            "text": WORDS,
            "place": "东岳大街88号",
            "when": "今天",
            "demand": "尽快修好",
            "name": "张三",
            "phone": PHONE,
        } | changes
        await self.post("/report/what", {"text": asked.pop("text")})
        await self.post("/report/where", {"place": asked.pop("place")})
        when = {name: asked.pop(name) for name in ("when", "demand", "kind") if name in asked}
        await self.post("/report/when", when)
        await self.post("/report/files")
        return await self.post("/report/contact", asked)

    async def reports(self, **changes: str) -> str:
        """Report a matter and return its number."""
        await self.writes(**changes)
        done = await self.post("/report/check")
        assert done.path == "/report/done", done.text
        return told(done)[0]

    async def proves(self, gateway: Gateway, phone: str = PHONE) -> Page:
        """Prove a telephone by the code that was sent to it."""
        await self.post("/login", {"phone": phone})
        return await self.post("/login/code", {"code": await code_sent(gateway)})

    async def _page(self, response: ClientResponse) -> Page:
        text = await response.text(errors="replace")
        return Page(response.status, response.url.path, response.headers, text, response)


async def outgoing(gateway: Gateway) -> list[tuple[str, str, str]]:
    """Return (account, notice, words) of everything that was promised."""
    query = select(OUTGOING.c.account, OUTGOING.c.notice, OUTGOING.c.body).order_by(OUTGOING.c.id)
    rows = await gateway.books.store.read(lambda c: c.execute(query).all())
    return [(row.account, row.notice, gateway.books.sealer.open(row.body).decode()) for row in rows]


async def code_sent(gateway: Gateway) -> str:
    """Return the last code that was sent."""
    words = [words for _, notice, words in await outgoing(gateway) if notice == "otp"]
    return first("[0-9]{6}", words[-1])


def told(done: Page) -> tuple[str, str]:
    """Return number and query code from the page after a report was submitted."""
    code = first("(?<=查询码 )[0-9]{3} [0-9]{3}", done.text)
    return first("(?<=/cases/)[0-9]{17}", done.html), code.replace(" ", "")


def first(pattern: str, text: str) -> str:
    """Return what is found first in a text."""
    found = re.search(pattern, text)
    assert found is not None, text
    return found.group()


def portal_settings(database: str, folder: Path, **changes: Any) -> Settings:
    """Return settings of pages and an account of telephones that keeps what it is given."""
    channels = {"web": {"kind": "web"}, "sms": {"kind": "memory", "phones": True}}
    fast = {"session_burst": 1e6, "address_burst": 1e6}
    return settings(database, folder, **({"channels": channels, "portal": fast} | changes))


@asynccontextmanager
async def browsing(gateway: Gateway):
    """Serve a gateway, and give a maker of browsers."""
    server = TestServer(gateway.app)
    await server.start_server()
    clients = []

    def browser() -> Browser:
        # As behind a proxy that ends TLS: cookies that want it are kept.
        jar = CookieJar(unsafe=True, treat_as_secure_origin=server.make_url("/").origin())
        clients.append(TestClient(server, cookie_jar=jar, headers={"Accept": "text/html"}))
        return Browser(clients[-1])

    try:
        yield browser
    finally:
        for client in clients:
            await client.session.close()
        await server.close()
