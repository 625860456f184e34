"""Everything that is served by HTTP, joined: pages, doors of other programs, hooks of providers, health."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from channels.contract import SignsIn, troubles
from channels.fetch import Fetcher
from gateway.pace import Pace
from gateway.runtime import millis, now
from gateway.web import assets, files, health, hooks, upload_form, uploads
from gateway.web.api import build as api
from gateway.web.desk import build as desk
from gateway.web.desk.casework import Casework
from gateway.web.desk.files import Files
from gateway.web.gate import Gate, guard
from gateway.web.limits import Limits
from gateway.web.open311 import keys as open311
from gateway.web.open311.desk import Desk
from gateway.web.open311.pages import Pages
from gateway.web.open311.photos import Photos
from gateway.web.open311.services import Services
from gateway.web.portal import build as portal
from gateway.web.portal.proof import Proof
from gateway.web.session import ACCOUNT, ANONYMOUS, Sessions
from outbox import queue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from aiohttp import web

    from gateway.settings import Settings
    from gateway.whole import Gateway

ZONE = ZoneInfo("Asia/Shanghai")
OWN_ACCOUNTS: Mapping[str, Mapping[str, object]] = {
    ACCOUNT: {"kind": "web"},
    open311.ACCOUNT: {"kind": "web"},
}
"""The accounts of the hotline's own pages and of Open311, which are there without being set up."""


def add(
    gateway: Gateway,
    settings: Settings,
    clock: Callable[[], datetime],
    woken: Callable[[float], Awaitable[None]],
    happened: Callable[[float], Awaitable[None]],
) -> None:
    """Add every address; ``woken`` waits so many seconds at most for something to be said in an open talk.

    ``happened`` waits so for something to happen at the desk.
    """
    app = gateway.app
    app.on_response_prepare.append(guard)
    assets.add(app)
    parts = _portal(gateway, settings, clock, woken)
    portal.add(app, parts)
    api.add(app, parts, gateway.knowledge)
    _open311(gateway, settings, parts).add(app)
    desk.Site(_desk(gateway, settings, parts, happened)).add(app)
    hooks.add(app, gateway.channels)
    files.Files(gateway.media, clock).add(app)
    upload_form.UploadForm(gateway.media.uploads).add(app)
    uploads.Tus(gateway.media.uploads).add(app)
    health.Health(
        store=gateway.books.store,
        metrics=gateway.metrics,
        draining=lambda: gateway.pipeline.stopping,
        refresh=partial(_measure, gateway),
        troubles=partial(troubles, gateway.channels),
    ).add(app)


def casework(gateway: Gateway, settings: Settings, clock: Callable[[], datetime]) -> Casework:
    """Return the desk's case work of a gateway."""
    phones = (account for account, channel in gateway.channels.items() if channel.capabilities.phones)
    return Casework(
        store=gateway.books.store,
        sealer=gateway.books.sealer,
        book=gateway.books.cases,
        office=gateway.office,
        lookup=gateway.lookup,
        profiles=gateway.cities,
        channels=gateway.channels,
        desk=gateway.desk,
        knowledge=gateway.knowledge,
        sms=settings.routes.sms or next(phones, ""),
        now=clock,
        by_words=settings.desk.search,
    )


def _desk(
    gateway: Gateway,
    settings: Settings,
    parts: portal.Parts,
    happened: Callable[[float], Awaitable[None]],
) -> desk.Parts:
    work = casework(gateway, settings, parts.now)
    return desk.Parts(
        desk=gateway.desk,
        accounts=gateway.accounts,
        store=parts.store,
        sealer=parts.sealer,
        channels=gateway.channels,
        links=gateway.media.links,
        gate=parts.gate,
        limits=parts.limits,
        now=parts.now,
        woken=happened,
        changed=gateway.desk.changed,
        files=Files(uploads=gateway.media.uploads, sending=gateway.sending, now=parts.now),
        secure=parts.secure,
        settings=settings.desk,
        views=work.views(),
        more=work.operations(),
        voucher=gateway.voucher,
    )


def _open311(gateway: Gateway, settings: Settings, parts: portal.Parts) -> Pages:
    books, partners = gateway.books, settings.open311.api_keys
    services = Services(gateway.cities.current.place_categories)
    cases = Desk(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        office=gateway.office,
        lookup=gateway.lookup,
        profiles=gateway.cities,
        services=services,
        keys=open311.Keys(partners, store=books.store, metrics=gateway.metrics, now=parts.now),
        photos=Photos(intake=gateway.media.intake, uploads=gateway.media.uploads, fetcher=Fetcher()),
        sources=frozenset(partner.source for partner in partners.values()),
        now=parts.now,
    )

    def over(request: web.Request) -> bool:
        return parts.gate.over(request, parts.sessions.begin(ANONYMOUS))

    return Pages(settings.open311, settings.public_url, services, cases, over)


def _portal(
    gateway: Gateway,
    settings: Settings,
    clock: Callable[[], datetime],
    woken: Callable[[float], Awaitable[None]],
) -> portal.Parts:
    store, sealer = gateway.books.store, gateway.books.sealer
    secure = settings.public_url.startswith("https://")
    phones = (account for account, channel in gateway.channels.items() if channel.capabilities.phones)
    sessions = Sessions(store=store, sealer=sealer, now=clock, secure=secure)
    limits = Limits(store=store, sealer=sealer, now=clock)
    texts, pages = next(phones, ""), settings.portal
    gate = Gate(
        sessions=sessions,
        clock=time.monotonic,
        proxies=pages.trusted_proxies,
        address_pace=Pace(per_second=pages.address_per_second, burst=pages.address_burst),
        session_pace=Pace(per_second=pages.session_per_second, burst=pages.session_burst),
    )
    proof = Proof(
        office=gateway.office,
        limits=limits,
        store=store,
        sealer=sealer,
        sessions=sessions,
        texts=texts,
        now=clock,
    )
    return portal.Parts(
        settings=pages,
        gate=gate,
        proof=proof,
        city=gateway.cities.city,
        office=gateway.office,
        lookup=gateway.lookup,
        book=gateway.books.cases,
        knowledge=gateway.knowledge,
        inbox=gateway.inbox,
        store=store,
        sealer=sealer,
        sessions=sessions,
        limits=limits,
        media=gateway.media,
        texts=texts,
        now=clock,
        zone=ZONE,
        secure=secure,
        woken=woken,
        channels=gateway.channels,
        safety=gateway.safety,
        site=settings.public_url,
        signs={name: each for name, each in gateway.channels.items() if isinstance(each, SignsIn)},
    )


async def _measure(gateway: Gateway) -> None:
    depth, age = await gateway.books.store.read(partial(queue.depth_and_age, now_ms=millis(now())))
    gateway.metrics.depths(inbox=gateway.pipeline.depth, outbox=depth, outbox_age=age / 1000)
