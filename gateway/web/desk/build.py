"""The desk joined: its door, its operations, its page and its stream, with their addresses added."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.desk.drafts import Drafts
from gateway.runtime import Ids
from gateway.web.desk.door import Door
from gateway.web.desk.live import Hub
from gateway.web.desk.login import Login
from gateway.web.desk.me import Me
from gateway.web.desk.pages import Pages
from gateway.web.desk.reading import Reading
from gateway.web.desk.session import IDLE, Sessions
from gateway.web.desk.talks import Talks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.desk.accounts import Accounts
    from gateway.desk.desk import Desk
    from gateway.desk.views import Views
    from gateway.media.links import Links
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.desk.files import Files
    from gateway.web.desk.operations import Operation
    from gateway.web.gate import Gate
    from gateway.web.limits import Limits


@dataclass(frozen=True, slots=True)
class Parts:
    """What the desk's addresses are made of; ``woken`` waits so many seconds at most for something to happen."""

    desk: Desk
    accounts: Accounts
    store: Store
    sealer: Sealer
    channels: Mapping[str, Channel]
    links: Links
    gate: Gate
    limits: Limits
    now: Callable[[], datetime]
    woken: Callable[[float], Awaitable[None]]
    changed: Callable[[], None]
    files: Files
    views: Views
    secure: bool
    idle: timedelta = IDLE
    more: tuple[Operation, ...] = ()


class Site:
    """The addresses of the desk, made and not yet added."""

    def __init__(self, parts: Parts) -> None:
        ids, store, now = Ids(), parts.store, parts.now
        self.sessions = Sessions(
            store=store, sealer=parts.sealer, now=now, secure=parts.secure, idle=parts.idle
        )
        self.reading = Reading(store, parts.sealer, parts.channels, parts.links, parts.desk.rules, now)
        self.hub = Hub(store=store, reading=self.reading, now=now, woken=parts.woken)

        async def name_of(agent: bytes) -> str:
            found = await parts.accounts.of(agent)
            return found.name if found else ""

        def looked(conversation: bytes) -> None:
            self.hub.looked(conversation)
            parts.changed()

        self.door = Door(sessions=self.sessions, gate=parts.gate, name_of=name_of)
        self.login = Login(
            accounts=parts.accounts,
            sessions=self.sessions,
            limits=parts.limits,
            gate=parts.gate,
            door=self.door,
            store=store,
            ids=ids,
            now=now,
        )
        talks = Talks(
            desk=parts.desk,
            reading=self.reading,
            store=store,
            sealer=parts.sealer,
            ids=ids,
            now=now,
            looked=looked,
            drafts=Drafts(store, parts.sealer, now),
            views=parts.views,
            files=parts.files,
        )
        me = Me(desk=parts.desk, store=store, sessions=self.sessions, now=now)
        self.operations = (
            *self.login.operations(),
            *parts.files.operations(),
            *me.operations(),
            *talks.operations(),
            *parts.more,
        )
        self._pages = Pages(door=self.door, hub=self.hub, sessions=self.sessions, secure=parts.secure)

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app[SITE] = self
        self.login.add(app)
        self._pages.add(app)
        self.door.add(app, self.operations)
        app.cleanup_ctx.append(self._followed)
        app.on_shutdown.append(self._closed)

    async def _followed(self, app: web.Application) -> AsyncIterator[None]:
        """Follow the events while the pages are served."""
        reader = asyncio.create_task(self.hub.run(), name="desk")
        yield
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader

    async def _closed(self, app: web.Application) -> None:
        self.hub.close()


SITE = web.AppKey("desk", Site)
"""Where an application keeps its desk."""
