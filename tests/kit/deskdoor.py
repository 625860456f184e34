"""The desk's own door over a gateway: somebody of the staff who is logged in and asks operations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from gateway.app import listening
from gateway.desk.rights import Role
from gateway.pace import Pace
from gateway.web.desk.casework import Casework
from gateway.web.desk.door import Door
from gateway.web.desk.operations import CSRF, PREFIX
from gateway.web.desk.session import Sessions
from gateway.web.gate import Gate
from gateway.web.session import Sessions as PageSessions
from gateway.whole import Gateway


@dataclass
class Seat:
    """One who sits at the desk."""

    http: aiohttp.ClientSession
    address: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask an operation and return status and body."""
        async with self.http.request(
            method, self.address + PREFIX + path, json=body, headers=self.headers
        ) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


def casework(gateway: Gateway, now: Callable[[], Any], sms: str = "") -> Casework:
    books = gateway.books
    return Casework(
        books.store,
        books.sealer,
        books.cases,
        gateway.office,
        gateway.lookup,
        gateway.cities,
        gateway.channels,
        gateway.desk,
        gateway.knowledge,
        sms,
        now,
    )


@asynccontextmanager
async def seated(
    gateway: Gateway, now: Callable[[], Any], login: str = "li", role: Role = Role.AGENT
) -> AsyncIterator[Seat]:
    """Serve the case work inside the block, with somebody logged in."""
    books = gateway.books
    sessions = Sessions(store=books.store, sealer=books.sealer, now=now, secure=False)
    pages = PageSessions(store=books.store, sealer=books.sealer, now=now, secure=False)
    gate = Gate(
        sessions=pages,
        clock=lambda: 0.0,
        proxies=[],
        address_pace=Pace(per_second=1000, burst=1000),
        session_pace=Pace(per_second=1000, burst=1000),
    )

    async def name_of(agent: bytes) -> str:
        return agent.hex()

    app = web.Application()
    Door(sessions=sessions, gate=gate, name_of=name_of, pace=Pace(per_second=1000, burst=1000)).add(
        app, casework(gateway, now).operations()
    )
    password = await gateway.accounts.add(login, login, role)
    _, account = await gateway.accounts.verify(login, password)
    assert account is not None
    await gateway.accounts.change_password(account.id, "a longer password")
    _, account = await gateway.accounts.verify(login, "a longer password")
    assert account is not None
    token = await sessions.begin(account)
    async with listening(app, "127.0.0.1", 0) as port, aiohttp.ClientSession() as http:
        headers = {
            "Cookie": f"{sessions.cookie}={token}",
            CSRF: sessions.csrf(sessions.name(token)),
        }
        yield Seat(http, f"http://127.0.0.1:{port}", headers)
