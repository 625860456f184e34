"""An agent's browser at the desk: real HTTP, its cookie, its proof of origin, and the stream it follows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, CookieJar

from gateway.desk.rights import Role
from gateway.whole import Gateway

PASSWORD = "a long enough password"
PATIENCE = 15.0


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    body: Any
    headers: Any

    @property
    def kind(self) -> str:
        """What kind of problem it is."""
        return str(self.body["type"]).rpartition(":")[2]


@dataclass
class News:
    """One thing that was told."""

    id: str
    kind: str
    data: Any


class Agent:
    """One browser of one agent."""

    def __init__(self, site: str, login: str) -> None:
        self.site = site
        self.login = login
        self.csrf = ""
        self.id = ""
        jar = CookieJar(unsafe=True)
        self.session = ClientSession(cookie_jar=jar, timeout=ClientTimeout(total=PATIENCE))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.session.close()

    async def asks(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        given = {"X-CSRF": self.csrf} | headers
        url = f"{self.site}/desk/api/{path}"
        async with self.session.request(method, url, json=body, headers=given) as response:
            text = await response.text()
            return Answer(response.status, json.loads(text) if text else None, response.headers)

    async def get(self, path: str) -> Any:
        answer = await self.asks("GET", path)
        assert answer.status == 200, answer
        return answer.body

    async def post(self, path: str, body: Any = None) -> Any:
        answer = await self.asks("POST", path, body or {})
        assert answer.status < 300, answer
        return answer.body

    async def enters(self, password: str, code: str = "") -> Answer:
        answer = await self.asks("POST", "login", {"login": self.login, "password": password, "code": code})
        if answer.status == 200:
            self.csrf = answer.body["csrf"]
        return answer

    async def starts(self, one_time: str) -> Self:
        """Log in for the first time, with a password of one's own from now on, and be there."""
        assert (await self.enters(one_time)).status == 200
        changed = await self.post("me/password", {"old": one_time, "new": PASSWORD})
        self.csrf = changed["csrf"]
        self.id = (await self.get("me"))["agent"]["id"]
        await self.beats()
        return self

    async def beats(self, tab: str = "tab") -> None:
        await self.post("me/beat", {"tab": tab})

    async def queue(self, view: str = "waiting") -> list[Any]:
        return list((await self.get(f"queue?view={view}"))["items"])

    async def does(self, talk: str, verb: str, epoch: int, **more: Any) -> Answer:
        return await self.asks("POST", f"talks/{talk}/{verb}", {"epoch": epoch} | more)

    @asynccontextmanager
    async def follows(self, cursor: str = "", last: str = "") -> AsyncIterator[Following]:
        """Follow the desk inside the block."""
        headers = {"Last-Event-ID": last} if last else {}
        url = f"{self.site}/desk/live?cursor={cursor}"
        async with self.session.get(url, headers=headers, timeout=ClientTimeout(total=None)) as response:
            following = Following(response.status)
            reader = asyncio.create_task(following.read(response))
            try:
                yield following
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)


@dataclass
class Following:
    """What a page was told so far."""

    status: int
    told: list[News] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def read(self, response: Any) -> None:
        kept: dict[str, str] = {}
        try:
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    kept[name] = value
                    continue
                if "event" in kept:
                    self.told.append(News(kept.get("id", ""), kept["event"], json.loads(kept["data"])))
                    self.changed.set()
                kept = {}
        finally:
            self.ended = True
            self.changed.set()

    async def hears(self, kind: str, true: Any = lambda data: True) -> News:
        """Return the first thing of a kind of which something is true, told now or before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.changed.clear()
                for news in self.told:
                    if news.kind == kind and true(news.data):
                        return news
                await self.changed.wait()

    async def ends(self) -> None:
        """Wait until the gateway ends the stream."""
        async with asyncio.timeout(PATIENCE):
            while not self.ended:
                self.changed.clear()
                await self.changed.wait()


async def hire(
    gateway: Gateway, site: str, login: str, *, role: Role = Role.AGENT, name: str = "", **more: Any
) -> Agent:
    """Make an account and let its person log in and be there."""
    one_time = await gateway.accounts.add(login, name or f"{login}号", role, **more)
    return await Agent(site, login).starts(one_time)
