"""The only place where the parts are joined: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import signal as signals
import tomllib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from aiohttp import ClientSession, ClientTimeout, web

from bots.contract import Moment
from bots.words import say
from channels.contract import Tools
from channels.registry import ADAPTERS
from gateway import bus as buses
from gateway import profile as profiles
from gateway.answers import Answers
from gateway.batch import Decider
from gateway.blobs import LocalBlobs
from gateway.calendar import Calendar
from gateway.cases.book import CaseBook
from gateway.cases.lookup import Lookup
from gateway.cases.office import Office
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.pace import Pace
from gateway.parts import Parts
from gateway.pipeline import Pipeline
from gateway.receipts import Receipts
from gateway.runtime import Ids, millis, now
from gateway.store import migrate
from gateway.store.seal import Sealer, load_key
from gateway.store.store import make_ready, open_store
from gateway.turns import Turns
from gateway.web import assets, health, hooks
from gateway.web.portal import build as portal
from gateway.web.session import ACCOUNT, Sessions
from normalizer.errors import Misconfigured
from outbox import queue
from outbox.route import Quiet
from outbox.sender import Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.settings import Settings
    from gateway.store.store import Store

log = structlog.get_logger()

ZONE = ZoneInfo("Asia/Shanghai")
DEFERRED_PAUSE = 0.5
SUPERVISE_PAUSE = 30.0
SUPERVISED = 100
STOP_PATIENCE = 20.0
CALL_SECONDS = 15.0
TALKS = "talks"
"""The topic of the pages that show a talk while it goes on."""
OWN_PAGES: dict[str, Mapping[str, object]] = {ACCOUNT: {"kind": "web"}}
"""The account of the hotline's own pages, which is there without being set up."""


@dataclass(frozen=True, slots=True)
class Books:
    """The open database with its key, and the cases in it."""

    store: Store
    sealer: Sealer
    cases: CaseBook


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: what the pages, the command line and the sandbox may use of it."""

    books: Books
    office: Office
    lookup: Lookup
    channels: Mapping[str, Channel]
    inbox: Inbox
    pipeline: Pipeline
    sender: Sender
    metrics: Metrics
    cities: profiles.Profiles
    app: web.Application


@asynccontextmanager
async def open_books(settings: Settings) -> AsyncIterator[Books]:
    """Open the database with its key; raises Misconfigured."""
    sealer = Sealer(load_key(settings.key_path))
    store = await open_store(settings.database)
    try:
        await make_ready(store, sealer.mark, migrates=settings.migrate == "auto")
        yield Books(store, sealer, CaseBook(sealer, Ids(), notice_words()))
    finally:
        await store.close()


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now,
    decider: type[Decider] = Decider,
) -> AsyncIterator[Gateway]:
    """Join all parts and keep them running inside the block; raises Misconfigured.

    On leaving, what is in hand is finished: the pipeline's line first, then what is being sent.
    """
    async with AsyncExitStack() as stack:
        books = await stack.enter_async_context(open_books(settings))
        bus = await buses.open_bus(settings.redis)
        stack.push_async_callback(bus.close)
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=CALL_SECONDS)))
        gateway = _join(settings, books, bus=bus, http=http, clock=clock, decider=decider)
        async with _kept_running(gateway):
            gc.collect()
            gc.freeze()
            yield gateway


def _join(
    settings: Settings,
    books: Books,
    *,
    bus: buses.Bus,
    http: ClientSession,
    clock: Callable[[], datetime],
    decider: type[Decider],
) -> Gateway:
    metrics, cities = Metrics(), profiles.load(settings.profile)
    calendar = Calendar.of(cities.current)
    channels: dict[str, Channel] = {}

    def queued() -> None:
        bus.wake("outbox")
        bus.wake(TALKS)

    decides = _decider(decider, books, channels, cities, calendar)
    pipeline = Pipeline(
        store=books.store,
        decider=decides,
        metrics=metrics,
        moment=lambda: Moment(clock(), cities.city),
        now=clock,
        queued=queued,
        pending=settings.limits.pending,
    )
    pace = Pace(per_second=settings.limits.sender_per_second, burst=settings.limits.sender_burst)
    inbox = Inbox(pipeline=pipeline, pace=pace, sealer=books.sealer, store=books.store)
    tools = Tools(
        inbox=inbox,
        receipts=Receipts(store=books.store, metrics=metrics, now=clock),
        parts=Parts(store=books.store, sealer=books.sealer, now=clock),
        blobs=LocalBlobs(settings.media_path, books.sealer),
        keys=bus,
        http=http,
        meter=metrics,
        now=clock,
        sign=books.sealer.hash,
    )
    channels.update(make_channels(settings, tools))
    office = Office(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        profiles=cities,
        calendar=calendar,
        now=clock,
        queued=queued,
        moved=metrics.moved,
        zone=ZONE,
        random_int=secrets.randbelow,
        short=lambda account: account in channels and channels[account].capabilities.phones,
    )
    quiet = cities.current.quiet
    sender = Sender(
        store=books.store,
        channels=channels,
        unseal=books.sealer.open,
        quiet=Quiet(quiet.start, quiet.until),
        wake=bus,
        meter=metrics,
        now=clock,
        random=random.random,
    )
    lookup = Lookup(store=books.store, book=books.cases, sealer=books.sealer, now=clock)
    gateway = Gateway(
        books, office, lookup, channels, inbox, pipeline, sender, metrics, cities, web.Application()
    )
    _add_pages(gateway, settings, clock, partial(bus.wait, TALKS))
    return gateway


def _decider(
    kind: type[Decider],
    books: Books,
    channels: Mapping[str, Channel],
    cities: profiles.Profiles,
    calendar: Calendar,
) -> Decider:
    ids = Ids()
    turns = Turns(
        sealer=books.sealer,
        ids=ids,
        book=books.cases,
        channels=channels,
        profiles=cities,
        calendar=calendar,
    )
    answers = Answers(
        book=books.cases,
        sealer=books.sealer,
        region=cities.current.region,
        zone=ZONE,
        random_int=secrets.randbelow,
    )
    return kind(
        sealer=books.sealer,
        turns=turns,
        answers=answers,
        channels=channels,
        ids=ids,
        failed_reply=say("zh", "failed"),
    )


def make_channels(settings: Settings, tools: Tools) -> dict[str, Channel]:
    """Return the channels of a configuration; raises Misconfigured."""
    made: dict[str, Channel] = {}
    for account, raw in {**OWN_PAGES, **settings.channels}.items():
        kind = str(raw.get("kind", ""))
        if kind not in ADAPTERS:
            known = ", ".join(sorted(ADAPTERS))
            raise Misconfigured(f"channels.{account}.kind", f"one of {known}")
        made[account] = ADAPTERS[kind](account, raw, tools)
    return made


def _add_pages(
    gateway: Gateway,
    settings: Settings,
    clock: Callable[[], datetime],
    woken: Callable[[float], Awaitable[None]],
) -> None:
    app = gateway.app
    assets.add(app)
    portal.add(app, _portal(gateway, settings, clock, woken))
    hooks.add(app, gateway.channels)
    health.Health(
        store=gateway.books.store,
        metrics=gateway.metrics,
        draining=lambda: gateway.pipeline.stopping,
        refresh=partial(_measure, gateway),
    ).add(app)


def _portal(
    gateway: Gateway,
    settings: Settings,
    clock: Callable[[], datetime],
    woken: Callable[[float], Awaitable[None]],
) -> portal.Parts:
    store, sealer = gateway.books.store, gateway.books.sealer
    phones = (account for account, channel in gateway.channels.items() if channel.capabilities.phones)
    return portal.Parts(
        settings=settings.portal,
        city=gateway.cities.city,
        office=gateway.office,
        lookup=gateway.lookup,
        inbox=gateway.inbox,
        store=store,
        sealer=sealer,
        sessions=Sessions(store=store, sealer=sealer, now=clock),
        texts=next(phones, ""),
        now=clock,
        zone=ZONE,
        secure=settings.public_url.startswith("https://"),
        woken=woken,
    )


async def _measure(gateway: Gateway) -> None:
    depth, age = await gateway.books.store.read(partial(queue.depth_and_age, now_ms=millis(now())))
    gateway.metrics.depths(inbox=gateway.pipeline.depth, outbox=depth, outbox_age=age / 1000)


@asynccontextmanager
async def _kept_running(gateway: Gateway) -> AsyncIterator[None]:
    """Run what must run beside the pages; on leaving, what is in hand is finished."""
    ending = [
        asyncio.create_task(gateway.pipeline.run(), name="pipeline"),
        asyncio.create_task(gateway.sender.run(), name="sender"),
    ]
    endless = [
        asyncio.create_task(gateway.inbox.watch(), name="patience"),
        asyncio.create_task(gateway.inbox.turn_deferred(DEFERRED_PAUSE), name="deferred"),
        asyncio.create_task(_supervise(gateway.office), name="supervise"),
        *(asyncio.create_task(channel.run(), name=account) for account, channel in gateway.channels.items()),
    ]
    try:
        yield
    finally:
        gateway.pipeline.stop()
        gateway.sender.stop()
        async with asyncio.timeout(STOP_PATIENCE):
            await asyncio.gather(*ending)
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)


async def _supervise(office: Office) -> None:
    while True:
        try:
            while await office.supervise(SUPERVISED) == SUPERVISED:
                pass
        except Exception:
            log.exception("supervise.failed")
        await asyncio.sleep(SUPERVISE_PAUSE)


def notice_words() -> Mapping[str, Mapping[str, str]]:
    """Return the wording of every notice, from the package."""
    text = resources.files("gateway").joinpath("templates/notices.toml").read_text("utf-8")
    return tomllib.loads(text)


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signals.SIGTERM, signals.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def serve(settings: Settings, ready: Callable[[str], None], *, shared: bool) -> None:
    """Run until SIGTERM or SIGINT: finish what is in hand, answer the rest with 503, and end."""
    stop = stop_signal()
    async with (
        running(settings) as gateway,
        listening(gateway.app, settings.host, settings.port, shared=shared) as port,
    ):
        ready(f"http://{settings.host}:{port}")
        await stop.wait()
        gateway.pipeline.stop()


async def work(settings: Settings) -> None:
    """Send what is owed and keep the clocks until SIGTERM or SIGINT, without receiving."""
    stop = stop_signal()
    async with running(settings):
        await stop.wait()


async def migrated(settings: Settings) -> str:
    """Bring the tables up to date and return their version."""
    store = await open_store(settings.database)
    try:
        return await store.write(migrate.upgrade)
    finally:
        await store.close()


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, shared: bool = False
) -> AsyncIterator[int]:
    """Serve an application inside the block and return its port; requests in hand are finished on leaving.

    ``shared`` lets several processes listen on one port.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_PATIENCE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_port=shared or None, backlog=1024)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
