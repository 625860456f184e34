"""The desk joined: its door, its operations, its page and its stream, with their addresses added."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.desk.drafts import Drafts
from gateway.pace import Pace
from gateway.runtime import Ids
from gateway.web.desk.backchannel import Backchannel
from gateway.web.desk.door import Door
from gateway.web.desk.live import Hub
from gateway.web.desk.login import Login
from gateway.web.desk.me import Me
from gateway.web.desk.pages import Pages
from gateway.web.desk.reading import Reading
from gateway.web.desk.session import Sessions
from gateway.web.desk.sso import Sso
from gateway.web.desk.talks import Talks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.desk.accounts import Accounts
    from gateway.desk.desk import Desk
    from gateway.desk.views import Views
    from gateway.desk_settings import DeskSettings
    from gateway.media.links import Links
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.desk.files import Files
    from gateway.web.desk.operations import Operation
    from gateway.web.desk.vouching import Voucher
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
    settings: DeskSettings
    more: tuple[Operation, ...] = ()
    voucher: Voucher | None = None


class Site:
    """The addresses of the desk, made and not yet added."""

    def __init__(self, parts: Parts) -> None:
        ids, store, now, given = Ids(), parts.store, parts.now, parts.settings
        self.sessions = Sessions(
            store=store,
            sealer=parts.sealer,
            now=now,
            secure=parts.secure,
            idle=timedelta(minutes=given.idle_logout_minutes),
        )
        self.reading = Reading(store, parts.sealer, parts.channels, parts.links, parts.desk.rules, now)
        self.hub = Hub(
            store=store, reading=self.reading, now=now, woken=parts.woken, replayed=given.replay_events
        )

        async def name_of(agent: bytes) -> str:
            found = await parts.accounts.of(agent)
            return found.name if found else ""

        def looked(conversation: bytes) -> None:
            self.hub.looked(conversation)
            parts.changed()

        self.door = Door(
            sessions=self.sessions,
            gate=parts.gate,
            name_of=name_of,
            pace=Pace(per_second=given.session_per_second, burst=given.session_burst),
        )
        self.login = Login(
            accounts=parts.accounts,
            sessions=self.sessions,
            limits=parts.limits,
            gate=parts.gate,
            door=self.door,
            store=store,
            ids=ids,
            now=now,
            voucher=parts.voucher,
            passwords=parts.settings.oidc is None or parts.settings.oidc.passwords,
        )
        self.sso = _sso(parts, self.sessions, self.login)
        self.backchannel = _backchannel(parts, self.sessions, self.login)
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
        self._pages = Pages(
            door=self.door,
            hub=self.hub,
            sessions=self.sessions,
            heartbeat=given.heartbeat_seconds,
            secure=parts.secure,
            oidc=given.oidc,
        )

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app[SITE] = self
        self.login.add(app)
        if self.sso is not None:
            self.sso.add(app)
        if self.backchannel is not None:
            self.backchannel.add(app)
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


def _sso(parts: Parts, sessions: Sessions, login: Login) -> Sso | None:
    if parts.settings.oidc is None or parts.voucher is None:
        return None
    return Sso(
        settings=parts.settings.oidc,
        voucher=parts.voucher,
        accounts=parts.accounts,
        sessions=sessions,
        limits=parts.limits,
        gate=parts.gate,
        sealer=parts.sealer,
        noted=login.noted,
        now=parts.now,
        secure=parts.secure,
    )


def _backchannel(parts: Parts, sessions: Sessions, login: Login) -> Backchannel | None:
    if parts.voucher is None:
        return None
    return Backchannel(
        voucher=parts.voucher,
        accounts=parts.accounts,
        sessions=sessions,
        limits=parts.limits,
        noted=login.noted,
    )


SITE = web.AppKey("desk", Site)
"""Where an application keeps its desk."""
