"""The only place where the parts are joined: settings in, a running gateway out."""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import signal as signals
import tomllib
from contextlib import AsyncExitStack, asynccontextmanager
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
from gateway import pages
from gateway import profile as profiles
from gateway.answers import Answers
from gateway.batch import Decider
from gateway.blobs import Blobs, LocalBlobs
from gateway.calendar import Calendar
from gateway.carriers import Carriers
from gateway.cases.book import CaseBook
from gateway.cases.detour import Detour
from gateway.cases.lookup import Lookup
from gateway.cases.office import Office
from gateway.consents import Consents
from gateway.cursors import Cursors
from gateway.desk import clocks
from gateway.desk.accounts import HASHER, Accounts
from gateway.desk.desk import Desk
from gateway.desk.drafts import Drafts
from gateway.desk.grams import Grams
from gateway.desk.indexing import Indexing
from gateway.desk.line import Line
from gateway.desk.routing import Rules
from gateway.desk.rules import hours_of, mark_of, rules_of
from gateway.desk.voice import Voice
from gateway.fetching import Fetching
from gateway.forgetting import Forgetting
from gateway.inbox import Inbox
from gateway.knowledge.book import Book
from gateway.media import reading
from gateway.media import room as media
from gateway.media.door import Door
from gateway.media.speech import Hearing
from gateway.metrics import Metrics
from gateway.opinions import Opinions
from gateway.pace import Pace
from gateway.parts import Parts
from gateway.pipeline import Pipeline
from gateway.receipts import Receipts
from gateway.runtime import Ids, millis, now
from gateway.safety import Safety
from gateway.sending import Sending
from gateway.store import migrate
from gateway.store.seal import Sealer, load_key
from gateway.store.store import make_ready, open_store
from gateway.turns import Turns
from gateway.unions import Joining, Unions
from gateway.uploaded import Uploaded
from gateway.web import hooks
from gateway.web.direct import Direct
from gateway.whole import Books, Gateway
from normalizer.errors import Misconfigured
from normalizer.message import SourceChannel
from outbox.route import Quiet
from outbox.sender import Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from argon2 import PasswordHasher

    from channels.contract import Channel, Take
    from gateway.cases.restraint import Restraint
    from gateway.media.retention import Spans
    from gateway.settings import Settings
    from gateway.web.desk.vouching import Voucher

log = structlog.get_logger()

ZONE = ZoneInfo("Asia/Shanghai")
DEFERRED_PAUSE = 0.5
SUPERVISE_PAUSE = 30.0
SUPERVISED = 100
STOP_PATIENCE = 20.0
SWEEP_PAUSE = 600.0
READ_PAUSE = 10.0
HEAR_PAUSE = 5.0
SWEEP_AGE = 24 * 3600.0
"""Seconds after which a file that was received and neither kept nor dropped is what a crash left behind."""
CALL_SECONDS = 15.0
DESK = "desk"
"""The topic of the live views of the desk: there is a new ``desk_event``."""
ROUTER = "router"
ROUTE_PAUSE = 2.0
"""Seconds after which the router looks at the clocks and the queue though nobody woke it."""
INDEX_PAUSE = 5.0
"""Seconds between two looks for what is to be indexed for the desk's search."""
FORGET_PAUSE = 60.0
"""Seconds between two looks whether a pass through what may be over is due."""
PORTION_PAUSE = 0.2
"""Seconds from one portion of a pass to the next: some ten thousand rows are looked at in a second, and a thousand go."""
TELL_PAUSE = 30.0
"""Seconds between two looks at who waits; the words change by bands of minutes."""
MEDIA = "media"
"""The topic of files that are to be fetched."""
JOINED = "joined"
"""The topic of talks that proved to be somebody's."""
SPREAD_PAUSE = 1.0
"""Seconds from one look at the joined talks to the next, however many join."""
TALKS = "talks"
"""The topic of the pages that show a talk while it goes on."""


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
    hasher: PasswordHasher = HASHER,
) -> AsyncIterator[Gateway]:
    """Join all parts and keep them running inside the block; raises Misconfigured.

    On leaving, what is in hand is finished: the pipeline's line first, then what is being sent.
    """
    async with AsyncExitStack() as stack:
        books = await stack.enter_async_context(open_books(settings))
        bus = await buses.open_bus(settings.redis)
        stack.push_async_callback(bus.close)
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=CALL_SECONDS)))
        gateway = _join(settings, books, bus=bus, http=http, clock=clock, decider=decider, hasher=hasher)
        await gateway.knowledge.refresh()
        if gateway.indexing is None:
            await indexing(books).clear()
        mark = mark_of(settings.desk, Calendar.of(gateway.cities.current))
        if moved := await clocks.reset(books.store, gateway.desk.rules, mark, millis(clock())):
            log.info("desk.clocks_reset", talks=moved)
        async with _kept_running(gateway, bus):
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 100)
            yield gateway


def _join(
    settings: Settings,
    books: Books,
    *,
    bus: buses.Bus,
    http: ClientSession,
    clock: Callable[[], datetime],
    decider: type[Decider],
    hasher: PasswordHasher,
) -> Gateway:
    metrics, cities = Metrics(), profiles.load(settings.profile, settings.public_url)
    calendar, spans = Calendar.of(cities.current), cities.current.spans
    channels: dict[str, Channel] = {}
    carriers = Carriers(channels)

    queued = _waker(bus, "outbox", TALKS)
    handed = _waker(bus, DESK, ROUTER)
    settled = _waker(bus, "outbox", TALKS, DESK)

    knowledge = Book(store=books.store, region=cities.current.region, now=clock)
    hours = hours_of(settings.desk, calendar)
    rules = rules_of(settings.desk, hours)
    line = Line(
        store=books.store,
        voice=Voice(sealer=books.sealer, ids=Ids(), source=carriers.source),
        rules=rules,
        hours=hours,
        pushes=carriers.looked_at,
        texts=carriers.texts,
        now=clock,
        owed=queued,
    )
    decides = _decider(
        decider,
        books,
        channels,
        cities=cities,
        calendar=calendar,
        knowledge=knowledge,
        rules=rules,
        line=line,
    )
    pipeline = Pipeline(
        ids=Ids(),
        store=books.store,
        decider=decides,
        metrics=metrics,
        moment=lambda: Moment(clock(), cities.city),
        now=clock,
        queued=queued,
        handed=handed,
        wanted=partial(bus.wake, MEDIA),
        joined=partial(bus.wake, JOINED),
        pending=settings.limits.pending,
    )
    blobs = open_blobs(settings, books.sealer)
    room = media.join(settings, blobs=blobs, store=books.store, sealer=books.sealer, now=clock)
    pace = Pace(per_second=settings.limits.sender_per_second, burst=settings.limits.sender_burst)
    inbox = Inbox(pipeline=pipeline, pace=pace, sealer=books.sealer, store=books.store)
    others = _accounts(settings)
    detour = Detour(carriers, others, books.cases, books.sealer, notice_words(), clock)
    tools = Tools(
        inbox=inbox,
        receipts=Receipts(
            store=books.store, metrics=metrics, now=clock, elsewhere=detour.take, queued=queued
        ),
        consents=Consents(store=books.store, sealer=books.sealer, now=clock),
        opinions=Opinions(store=books.store, now=clock),
        unions=Unions(store=books.store, sealer=books.sealer, now=clock),
        parts=Parts(store=books.store, sealer=books.sealer, now=clock),
        cursors=Cursors(books.store),
        uploaded=Uploaded(store=books.store, now=clock),
        blobs=blobs,
        media=Door(room.intake, books.sealer, spans.talks),
        keys=bus,
        http=http,
        meter=metrics,
        now=clock,
        sign=books.sealer.hash,
    )
    channels.update(make_channels(settings, tools))
    _prove(others, channels)
    office = _office(books, cities, carriers, detour=detour, metrics=metrics, now=clock, queued=settled)
    quiet = cities.current.quiet
    sender = Sender(
        store=books.store,
        channels=channels,
        unseal=books.sealer.open,
        quiet=Quiet(quiet.start, quiet.until),
        elsewhere=detour.take,
        wake=bus,
        meter=metrics,
        now=clock,
        random=random.random,
    )
    fetching = Fetching(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        intake=room.intake,
        channels=channels,
        now=clock,
        woken=partial(bus.wait, MEDIA),
        queued=queued,
        kept=spans.talks,
    )
    desk = Desk(
        store=books.store,
        sealer=books.sealer,
        ids=Ids(),
        now=clock,
        changed=handed,
        owed=queued,
        rules=rules,
        pushes=carriers.looked_at,
        source=carriers.source,
    )
    accounts = Accounts(
        store=books.store, sealer=books.sealer, ids=Ids(), now=clock, changed=handed, hasher=hasher
    )
    gateway = Gateway(
        books,
        office,
        Lookup(store=books.store, book=books.cases, sealer=books.sealer, now=clock),
        channels,
        inbox,
        pipeline,
        sender,
        metrics,
        cities,
        room,
        fetching,
        Safety(channels=channels, room=room, site=settings.public_url.rstrip("/"), now=clock),
        knowledge,
        _reads(settings),
        Joining(store=books.store, sealer=books.sealer, channels=channels, unions=tools.unions, now=clock),
        Hearing(settings.speech, room, http, bus) if settings.speech.url else None,
        desk,
        Drafts(books.store, books.sealer, clock),
        indexing(books) if settings.desk.search else None,
        Sending(
            room, books.cases, channels, bus, settings.public_url.rstrip("/"), clock, queued, spans.talks
        ),
        line,
        accounts,
        _voucher(settings, http, clock),
        forgetting(books, spans, now=clock, forgot=metrics.forgot),
        web.Application(),
    )
    pages.add(gateway, settings, clock, partial(bus.wait, TALKS), partial(bus.wait, DESK))
    return gateway


def _voucher(settings: Settings, http: ClientSession, clock: Callable[[], datetime]) -> Voucher | None:
    if settings.desk.oidc is None:
        return None
    from gateway.web.desk.provider import Provider  # noqa: PLC0415 - slow to import, and for those who set it

    return Provider(settings.desk.oidc, http=http, site=settings.public_url, now=clock)


def _waker(bus: buses.Bus, *topics: str) -> Callable[[], None]:
    def wake() -> None:
        for topic in topics:
            bus.wake(topic)

    return wake


def _office(
    books: Books,
    cities: profiles.Profiles,
    carriers: Carriers,
    *,
    detour: Detour,
    metrics: Metrics,
    now: Callable[[], datetime],
    queued: Callable[[], None],
) -> Office:
    return Office(
        store=books.store,
        sealer=books.sealer,
        book=books.cases,
        profiles=cities,
        calendar=Calendar.of(cities.current),
        now=now,
        queued=queued,
        moved=metrics.moved,
        zone=ZONE,
        random_int=secrets.randbelow,
        wording=carriers.wording,
        detour=detour,
    )


def _decider(
    kind: type[Decider],
    books: Books,
    channels: Mapping[str, Channel],
    *,
    cities: profiles.Profiles,
    calendar: Calendar,
    knowledge: Book,
    rules: Rules,
    line: Line,
) -> Decider:
    ids = Ids()
    turns = Turns(
        sealer=books.sealer,
        ids=ids,
        book=books.cases,
        channels=channels,
        profiles=cities,
        calendar=calendar,
        rules=rules,
    )
    answers = Answers(
        book=books.cases,
        knowledge=knowledge,
        sealer=books.sealer,
        region=cities.current.region,
        zone=ZONE,
        random_int=secrets.randbelow,
        line=line.view,
    )
    return kind(
        sealer=books.sealer,
        turns=turns,
        answers=answers,
        channels=channels,
        ids=ids,
        failed_reply=say("zh", "failed"),
    )


def open_blobs(settings: Settings, sealer: Sealer) -> Blobs:
    """Return the media store of a configuration; raises Misconfigured."""
    if settings.media is not None and settings.media.startswith("s3://"):
        try:
            from gateway.buckets import open_bucket  # noqa: PLC0415 - an extra of the distribution
        except ImportError as error:
            raise Misconfigured("media", "S3 needs: pip install 'jiesu[s3]'") from error
        return Blobs(open_bucket(settings.media, settings.s3), sealer)
    return LocalBlobs(settings.media_path, sealer)


def _reads(settings: Settings) -> tuple[reading.Readable, ...]:
    """Return in which files words are read; raises Misconfigured without what reads them."""
    if settings.ocr and not reading.installed():
        raise Misconfigured("ocr", "reading photos needs: pip install 'jiesu[ocr]'")
    if settings.documents and not reading.installed("pypdf"):
        raise Misconfigured("documents", "reading PDF files needs: pip install 'jiesu[documents]'")
    wished = ((settings.ocr, reading.PHOTOS), (settings.documents, reading.PAPERS))
    return tuple(what for is_wished, what in wished if is_wished)


def _accounts(settings: Settings) -> dict[SourceChannel, str]:
    """Return the accounts that the settings name for those whom their own account does not reach."""
    named = {SourceChannel.SMS: settings.routes.sms, SourceChannel.EMAIL: settings.routes.email}
    return {source: account for source, account in named.items() if account}


def _prove(accounts: Mapping[SourceChannel, str], channels: Mapping[str, Channel]) -> None:
    """Raise Misconfigured unless each of the accounts carries what it is named for."""
    for source, account in accounts.items():
        channel = channels.get(account)
        if channel is None or channel.capabilities.source is not source:
            cure = f"name an account of [channels] that carries {source.name.lower()}, or leave it out"
            raise Misconfigured(f"routes.{source.name.lower()}", cure)


def make_channels(settings: Settings, tools: Tools) -> dict[str, Channel]:
    """Return the channels of a configuration; raises Misconfigured."""
    made: dict[str, Channel] = {}
    for account, raw in {**pages.OWN_ACCOUNTS, **settings.channels}.items():
        kind = str(raw.get("kind", ""))
        if kind not in ADAPTERS:
            known = ", ".join(sorted(ADAPTERS))
            raise Misconfigured(f"channels.{account}.kind", f"one of {known}")
        made[account] = ADAPTERS[kind](account, raw, tools)
    return made


@asynccontextmanager
async def _kept_running(gateway: Gateway, bus: buses.Bus) -> AsyncIterator[None]:
    """Run what must run beside the pages; on leaving, what is in hand is finished."""
    ending = [
        asyncio.create_task(gateway.pipeline.run(), name="pipeline"),
        asyncio.create_task(gateway.sender.run(), name="sender"),
    ]
    endless = [
        asyncio.create_task(gateway.inbox.watch(), name="patience"),
        asyncio.create_task(gateway.inbox.turn_deferred(DEFERRED_PAUSE), name="deferred"),
        asyncio.create_task(_supervise(gateway.office), name="supervise"),
        asyncio.create_task(_spread(gateway.office.restraint, bus), name="restraint"),
        asyncio.create_task(_sweep(gateway.media, gateway.drafts), name="sweep"),
        asyncio.create_task(_forget(gateway), name="forgetting"),
        asyncio.create_task(_route(gateway.desk, bus), name="router"),
        *([asyncio.create_task(_index(gateway, gateway.indexing), name="index")] if gateway.indexing else []),
        asyncio.create_task(_tell(gateway.line), name="line"),
        asyncio.create_task(gateway.fetching.run(), name="fetching"),
        asyncio.create_task(gateway.knowledge.keep_fresh(bus), name="knowledge"),
        *(
            [asyncio.create_task(_read(gateway.media, gateway.reads), name="reading")]
            if gateway.reads
            else []
        ),
        asyncio.create_task(gateway.joining.run(), name="joining"),
        *([asyncio.create_task(_hear(gateway.hearing), name="hearing")] if gateway.hearing else []),
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
        await gateway.safety.close()
        await gateway.media.workers.close()


async def _supervise(office: Office) -> None:
    while True:
        try:
            while await office.supervise(SUPERVISED) == SUPERVISED:
                pass
            while await office.tell_followers(SUPERVISED) == SUPERVISED:
                pass
        except Exception:
            log.exception("supervise.failed")
        await asyncio.sleep(SUPERVISE_PAUSE)


async def _spread(restraint: Restraint, bus: buses.Bus) -> None:
    """Hold people off in talks that prove to be theirs."""
    while True:
        try:
            await restraint.spread()
        except Exception:
            log.exception("restraint.failed")
        await asyncio.sleep(SPREAD_PAUSE)
        await bus.wait(JOINED, SUPERVISE_PAUSE)


async def _route(desk: Desk, bus: buses.Bus) -> None:
    while True:
        try:
            await desk.tick()
            await desk.route()
        except Exception:
            log.exception("desk.routing_failed")
        await bus.wait(ROUTER, ROUTE_PAUSE)


def indexing(books: Books) -> Indexing:
    """Return what keeps the index of the desk's search."""
    return Indexing(books.store, books.sealer, books.cases, Grams(books.sealer))


async def _index(gateway: Gateway, index: Indexing) -> None:
    """Keep the index of the desk's search, some seconds behind the talk."""
    while True:
        try:
            # It takes the place of a writer: while citizens wait for their turns it waits too.
            if not gateway.pipeline.depth:
                await index.catch_up()
        except Exception:
            log.exception("desk.indexing_failed")
        await asyncio.sleep(INDEX_PAUSE)


def forgetting(
    books: Books, spans: Spans, *, now: Callable[[], datetime], forgot: Callable[[str, int], None]
) -> Forgetting:
    """Return what forgets talks and records whose time is over."""
    return Forgetting(
        store=books.store, sealer=books.sealer, book=books.cases, now=now, spans=spans, forgot=forgot
    )


async def _forget(gateway: Gateway) -> None:
    """Forget what is over, a portion at a time; while citizens wait for their turns it waits too."""
    pause = FORGET_PAUSE
    while True:
        await asyncio.sleep(pause)
        pause = FORGET_PAUSE
        try:
            if gateway.pipeline.depth or await gateway.forgetting.some():
                pause = PORTION_PAUSE
        except Exception:
            log.exception("forgetting.failed")


async def _tell(line: Line) -> None:
    while True:
        try:
            await line.tell()
        except Exception:
            log.exception("desk.telling_failed")
        await asyncio.sleep(TELL_PAUSE)


async def _read(room: media.Room, readable: Sequence[reading.Readable]) -> None:
    while True:
        try:
            while any([await room.reading.read_some(1, what) for what in readable]):
                pass
        except Exception:
            log.exception("media.reading_failed")
        await asyncio.sleep(READ_PAUSE)


async def _hear(hearing: Hearing) -> None:
    while True:
        try:
            while (heard := await hearing.hear_some()).count and not heard.away:
                pass
        except Exception:
            log.exception("media.hearing_failed")
        await asyncio.sleep(HEAR_PAUSE)


async def _sweep(room: media.Room, drafts: Drafts) -> None:
    while True:
        try:
            await room.uploads.sweep()
            await room.retention.forget()
            await room.blobs.clear_incoming(SWEEP_AGE)
            await drafts.forget()
        except Exception:
            log.exception("sweep.failed")
        await asyncio.sleep(SWEEP_PAUSE)


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
    assert runner.server is not None
    ways: dict[str, Take] = app.get(hooks.WAYS, {})
    direct = Direct(ways, runner.server)
    try:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(direct, host, port, reuse_port=shared or None, backlog=1024)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await direct.close(STOP_PATIENCE)
    finally:
        await runner.cleanup()
