"""The portal joined: its parts in, its addresses added."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.pace import Pace
from gateway.web.gate import Gate
from gateway.web.portal.cases import Cases
from gateway.web.portal.home import Home
from gateway.web.portal.live import Hub
from gateway.web.portal.login import Login
from gateway.web.portal.report import Report
from gateway.web.portal.site import Site
from gateway.web.portal.talk import Talk
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from aiohttp import web

    from bots.contract import City
    from channels.contract import Inbox
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.settings import Portal
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.portal.site import Visit
    from gateway.web.session import Sessions


@dataclass(frozen=True, slots=True)
class Parts:
    """What the portal is made of; ``texts`` is the account that codes go by, empty where there is none."""

    settings: Portal
    city: City
    office: Office
    lookup: Lookup
    inbox: Inbox
    store: Store
    sealer: Sealer
    sessions: Sessions
    texts: str
    now: Callable[[], datetime]
    zone: ZoneInfo
    secure: bool
    woken: Callable[[float], Awaitable[None]]
    """Returns when somebody said something in any talk, or after so many seconds."""


def add(app: web.Application, parts: Parts) -> None:
    """Add the portal's pages."""
    settings = parts.settings
    gate = Gate(
        sessions=parts.sessions,
        clock=time.monotonic,
        proxies=settings.trusted_proxies,
        address_pace=Pace(per_second=settings.address_per_second, burst=settings.address_burst),
        session_pace=Pace(per_second=settings.session_per_second, burst=settings.session_burst),
    )
    site = Site(
        sessions=parts.sessions,
        gate=gate,
        city=parts.city,
        now=parts.now,
        zone=parts.zone,
        secure=parts.secure,
        images=settings.map.origins if settings.map is not None else (),
    )

    def reach(visit: Visit) -> Address:
        """Tell by SMS whoever proved a telephone, and here whoever did not."""
        phone = visit.memory.phone
        return Address(parts.texts, phone) if phone and parts.texts else visit.session.address

    Home(site).add(app)
    Report(site, parts.office, reach, settings.map).add(app)
    Login(
        site=site,
        office=parts.office,
        lookup=parts.lookup,
        store=parts.store,
        sealer=parts.sealer,
        texts=parts.texts,
    ).add(app)
    Cases(site, parts.office, parts.lookup, bool(parts.texts)).add(app)
    Talk(site, parts.inbox, parts.store, parts.sealer, _hub(app, parts)).add(app)


def _hub(app: web.Application, parts: Parts) -> Hub:
    """Return the hub of live talks, which lives as long as the pages are served."""
    hub = Hub(store=parts.store, now=parts.now, woken=parts.woken)

    async def running(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(hub.run(), name="talks")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(app: web.Application) -> None:
        hub.close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(close)
    return hub
