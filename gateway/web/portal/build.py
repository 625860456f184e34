"""The portal joined: its parts in, its addresses added."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.contract import KnowsVisitors
from gateway import runtime
from gateway.web.portal.cases import Cases
from gateway.web.portal.guesses import Guesses
from gateway.web.portal.home import Home
from gateway.web.portal.likes import Likes
from gateway.web.portal.live import Hub
from gateway.web.portal.login import Login
from gateway.web.portal.materials import Materials
from gateway.web.portal.me import Me
from gateway.web.portal.own import Own
from gateway.web.portal.reading import Reading
from gateway.web.portal.report import Report
from gateway.web.portal.same import Same
from gateway.web.portal.site import Site
from gateway.web.portal.slip import Slips
from gateway.web.portal.talk import Talk
from gateway.web.portal.visitor import Visitors
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from aiohttp import web

    from bots.contract import City
    from channels.contract import Inbox, SignsIn
    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.knowledge.book import Book
    from gateway.media.room import Room
    from gateway.safety import Safety
    from gateway.settings import Portal
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.gate import Gate
    from gateway.web.limits import Limits
    from gateway.web.portal.proof import Proof
    from gateway.web.portal.site import Visit
    from gateway.web.session import Sessions


@dataclass(frozen=True, slots=True)
class Parts:
    """What the portal is made of; ``texts`` is the account that codes go by, empty where there is none."""

    settings: Portal
    gate: Gate
    proof: Proof
    city: City
    office: Office
    lookup: Lookup
    book: CaseBook
    knowledge: Book
    inbox: Inbox
    store: Store
    sealer: Sealer
    sessions: Sessions
    limits: Limits
    media: Room
    texts: str
    now: Callable[[], datetime]
    zone: ZoneInfo
    secure: bool
    woken: Callable[[float], Awaitable[None]]
    """Returns when somebody said something in any talk, or after so many seconds."""
    channels: Mapping[str, object]
    site: str
    """The address of our pages, empty where it is not set."""
    safety: Safety
    signs: Mapping[str, SignsIn]
    """The channels by whose accounts one signs in."""


def add(app: web.Application, parts: Parts) -> None:
    """Add the portal's pages."""
    site = Site(
        sessions=parts.sessions,
        gate=parts.gate,
        city=parts.city,
        now=parts.now,
        zone=parts.zone,
        secure=parts.secure,
        images=parts.settings.map.origins if parts.settings.map is not None else (),
    )

    def reach(visit: Visit) -> Address:
        """Tell by SMS whoever proved a telephone, and here whoever did not."""
        phone = visit.memory.phone
        return Address(parts.texts, phone) if phone and parts.texts else visit.session.address

    limits = parts.limits
    Home(site).add(app)
    materials = Materials(parts.media.uploads, parts.media.links)
    likes = likes_of(parts)
    Same(site, likes, reach).add(app)
    Report(site, parts.office, materials, reach, likes, limits, parts.settings.map).add(app)
    Login(site, parts.proof).add(app)
    knows = {name: each for name, each in parts.channels.items() if isinstance(each, KnowsVisitors)}
    visitors = Visitors(site, parts.lookup, knows, parts.site.rstrip("/"))
    visitors.add(app)
    Cases(site, parts.office, parts.lookup, materials, bool(parts.texts), visitors.offered).add(app)
    Slips(site, parts.office, parts.lookup, materials, parts.sealer).add(app)
    Reading(site, parts.knowledge, limits, parts.store).add(app)
    guesses = Guesses(parts.lookup, limits)
    talk = Talk(
        site, parts.inbox, guesses, parts.store, parts.sealer, _hub(app, parts), parts.office.restraint
    )
    talk.add(app)
    Me(site, own_of(parts)).add(app)


def likes_of(parts: Parts) -> Likes:
    """Return what finds the same matter."""
    return Likes(
        office=parts.office,
        lookup=parts.lookup,
        book=parts.book,
        store=parts.store,
        sealer=parts.sealer,
        sessions=parts.sessions,
        limits=parts.limits,
        now=parts.now,
    )


def own_of(parts: Parts) -> Own:
    """Return what keeps one's own data."""
    return Own(
        office=parts.office,
        lookup=parts.lookup,
        store=parts.store,
        sealer=parts.sealer,
        sessions=parts.sessions,
        limits=parts.limits,
        now=parts.now,
    )


def _hub(app: web.Application, parts: Parts) -> Hub:
    """Return the hub of live talks, which lives as long as the pages are served."""
    hub = Hub(store=parts.store, now=runtime.now, woken=parts.woken)  # ids are made by this clock

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
