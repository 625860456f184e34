"""The only place where the parts are joined: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import gc
import secrets
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import aiohttp_jinja2
import jinja2
import structlog
from aiohttp import ClientSession, ClientTimeout, web

from bots.contract import Moment
from bots.words import say
from channels.contract import Tools
from channels.registry import ADAPTERS
from gateway import bus as buses
from gateway import profile as profiles
from gateway.batch import Decider
from gateway.calendar import Calendar
from gateway.cases.answers import Answers
from gateway.cases.book import CaseBook
from gateway.cases.office import Office
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.pace import Pace
from gateway.pipeline import Pipeline
from gateway.runtime import Ids, now
from gateway.store.seal import Sealer, load_key
from gateway.store.store import make_ready, open_store
from gateway.turns import Turns
from gateway.web import health, hooks, portal
from normalizer.errors import Misconfigured
from outbox.sender import Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
    from datetime import datetime

    from channels.contract import Channel
    from gateway.settings import Settings
    from gateway.store.store import Store

log = structlog.get_logger()

ZONE = ZoneInfo("Asia/Shanghai")
DEFERRED_PAUSE = 1.0
SUPERVISE_PAUSE = 30.0
SUPERVISED = 100
STOP_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: what the web pages, the command line and the sandbox may use of it."""

    settings: Settings
    store: Store
    sealer: Sealer
    book: CaseBook
    office: Office
    channels: Mapping[str, Channel]
    pipeline: Pipeline
    sender: Sender
    metrics: Metrics
    app: web.Application


@asynccontextmanager
async def open_case_book(settings: Settings) -> AsyncIterator[tuple[Store, Sealer, CaseBook]]:
    """Open the database with its key, for commands that only read or settle; raises Misconfigured."""
    sealer = Sealer(load_key(settings.key_path))
    store = await open_store(settings.database)
    try:
        await make_ready(store, sealer.mark, migrates=settings.migrate == "auto")
        yield store, sealer, CaseBook(sealer, Ids(), notice_words())
    finally:
        await store.close()


@asynccontextmanager
async def running(settings: Settings, *, clock: Callable[[], datetime] = now) -> AsyncIterator[Gateway]:
    """Join all parts and keep them running inside the block; raises Misconfigured.

    On leaving, what is in hand is finished: the pipeline's line first, then what is being sent.
    """
    async with AsyncExitStack() as stack:
        store, sealer, book = await stack.enter_async_context(open_case_book(settings))
        bus = await buses.open_bus(settings.redis)
        stack.push_async_callback(bus.close)
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=15)))
        gateway, inbox = _join(settings, store, sealer, book, bus, http, clock)
        async with _kept_running(gateway, inbox, bus):
            gc.collect()
            gc.freeze()
            yield gateway


def _join(
    settings: Settings,
    store: Store,
    sealer: Sealer,
    book: CaseBook,
    bus: buses.Bus,
    http: ClientSession,
    clock: Callable[[], datetime],
) -> tuple[Gateway, Inbox]:
    metrics, ids = Metrics(), Ids()
    cities = profiles.load(settings.profile)
    calendar = Calendar.of(cities.current)
    channels: dict[str, Channel] = {}
    queued = partial(bus.wake, "outbox")
    turns = Turns(sealer=sealer, ids=ids, book=book, channels=channels, profiles=cities, calendar=calendar)
    answers = Answers(
        book=book,
        sealer=sealer,
        region=cities.current.region,
        zone=ZONE,
        random_int=secrets.randbelow,
    )
    pipeline = Pipeline(
        store=store,
        decider=Decider(
            sealer=sealer,
            turns=turns,
            answers=answers,
            channels=channels,
            ids=ids,
            failed_reply=say("zh", "failed"),
        ),
        metrics=metrics,
        moment=lambda: Moment(clock(), profiles.city(cities.current)),
        now=clock,
        queued=queued,
        pending=settings.limits.pending,
    )
    pace = Pace(per_second=settings.limits.sender_per_second, burst=settings.limits.sender_burst)
    inbox = Inbox(pipeline=pipeline, pace=pace, sealer=sealer, store=store)
    channels.update(_channels(settings, Tools(inbox=inbox, keys=bus, http=http, meter=metrics, now=clock)))
    office = Office(
        store=store,
        book=book,
        profiles=cities,
        calendar=calendar,
        now=clock,
        queued=queued,
        moved=metrics.moved,
    )
    sender = Sender(store=store, channels=channels)
    gateway = Gateway(
        settings, store, sealer, book, office, channels, pipeline, sender, metrics, web.Application()
    )
    _pages(gateway, cities)
    return gateway, inbox


def _channels(settings: Settings, tools: Tools) -> dict[str, Channel]:
    made = {}
    for account, raw in settings.channels.items():
        kind = str(raw.get("kind", ""))
        if kind not in ADAPTERS:
            known = ", ".join(sorted(ADAPTERS))
            raise Misconfigured(f"channels.{account}.kind", f"one of {known}")
        made[account] = ADAPTERS[kind](account, raw, tools)
    return made


def _pages(gateway: Gateway, cities: profiles.Profiles) -> None:
    app = gateway.app
    aiohttp_jinja2.setup(app, loader=jinja2.PackageLoader("gateway", "templates"), autoescape=True)
    app.router.add_static("/static", Path(str(resources.files("gateway") / "static")))
    portal.add(app, lambda: profiles.city(cities.current))
    hooks.add(app, gateway.channels)
    health.Health(
        store=gateway.store,
        metrics=gateway.metrics,
        draining=lambda: gateway.pipeline.stopping,
        refresh=partial(_measure, gateway),
    ).add(app)


async def _measure(gateway: Gateway) -> None:
    depth, age = await gateway.store.read(partial(queue.depth_and_age, now_ms=millis(now())))
    gateway.metrics.depths(inbox=gateway.pipeline.depth, outbox=depth, outbox_age=age / 1000)


@asynccontextmanager
async def _kept_running(gateway: Gateway, inbox: Inbox) -> AsyncIterator[None]:
    """Run what must run beside the pages; on leaving, the pipeline's line and what is being sent are finished."""
    pipeline = asyncio.create_task(gateway.pipeline.run(), name="pipeline")
    sender = asyncio.create_task(gateway.sender.run(), name="sender")
    endless = [
        asyncio.create_task(work, name=name)
        for name, work in (
            ("patience", inbox.watch()),
            ("deferred", inbox.turn_deferred(DEFERRED_PAUSE)),
            ("supervise", _supervise(gateway.office)),
            *((f"channel {account}", channel.run()) for account, channel in gateway.channels.items()),
        )
    ]
    try:
        yield
    finally:
        gateway.pipeline.stop()
        gateway.sender.stop()
        async with asyncio.timeout(STOP_PATIENCE):
            await asyncio.gather(pipeline, sender)
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


async def serve(settings: Settings, ready: Callable[[Gateway], None]) -> None:
    """Run until SIGTERM or SIGINT: finish what is in hand, answer the rest with 503, and end."""
    stop = asyncio.Event()
    for signal in (signals.SIGTERM, signals.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal, stop.set)
    async with (
        running(settings) as gateway,
        listening(gateway.app, settings.host, settings.port, reuse=settings.workers > 1),
    ):
        ready(gateway)
        await stop.wait()
        gateway.pipeline.stop()


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, *, reuse: bool = False) -> AsyncIterator[int]:
    """Serve an application inside the block and return its port; requests in hand are finished on leaving."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_PATIENCE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_port=reuse or None, backlog=1024)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
