"""What Open311 clients ask of the hotline: open a case, look at the public ones, add to one's own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.cases.restraint import HeldOff
from gateway.runtime import instant, millis
from gateway.store import cases, open311
from gateway.store.open311 import Wanted
from gateway.store.rows import Conflict
from gateway.web.open311 import shown
from gateway.web.open311.faults import KEY, TWICE, faulty
from gateway.web.open311.keys import ACCOUNT
from gateway.web.open311.photos import linked
from gateway.web.open311.post import matter_of, media_url, notice_of, report_of
from gateway.web.open311.requests import MOST, listing_of, period
from gateway.web.open311.wire import Answer, Many, Row
from normalizer import case_no
from normalizer.case import Actor, Command, Role, Verb
from normalizer.codes import CATEGORY_LABELS
from normalizer.errors import NotFound
from normalizer.geo import metres
from normalizer.message import SourceChannel
from normalizer.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from aiohttp import MultipartReader

    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Matter, Office
    from gateway.profile import Profiles
    from gateway.store.open311 import Listed, Told
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.open311.keys import Client, Keys
    from gateway.web.open311.photos import Photos, Sent
    from gateway.web.open311.requests import Form, Listing
    from gateway.web.open311.services import Services
    from normalizer.case import Case

CHUNK = 200
"""Cases read and unsealed at a time."""
FARTHEST = 10_000
"""Cases looked through for one list at most; older ones are found by a narrower time."""
MOST_EXTENDED = 100
"""Requests in one answer with all that ``extensions=true`` adds."""
NONE, OWN = "none", "own"
TRIES = 3


class Desk:
    """Answers what was asked, from the cases."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        book: CaseBook,
        office: Office,
        lookup: Lookup,
        profiles: Profiles,
        services: Services,
        keys: Keys,
        photos: Photos,
        sources: frozenset[SourceChannel],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._book = book
        self._office = office
        self._lookup = lookup
        self._profiles = profiles
        self._services = services
        self._keys = keys
        self._photos = photos
        self._sources = tuple(sorted(source.value for source in sources | {SourceChannel.APP}))
        self._now = now

    async def read(self, parts: MultipartReader, largest: int) -> Sent:
        """Take in a form with files, whose fields have at most so many bytes; raises Faulty."""
        return await self._photos.read(parts, self._keys.right, largest)

    async def open(self, form: Form, body: bytes, mark: str, sent: Sent) -> Answer:
        """Open a case, once; raises Faulty and Refused."""
        client = self._keys.known(form.text("api_key"))
        report = report_of(form, self._services)
        await self._keys.count(client)
        files = linked(sent, report.media_url)
        if report.danger is None:  # who is in danger does not wait for a photo
            files = await self._photos.fetched(sent, report.media_url)
        matter = matter_of(report, client, self._profiles.city, mark=mark, body=body, files=files)
        await self._unheld(matter)
        opened = await self._office.open(matter)
        await self._photos.give(sent, opened.case_no, files)
        if opened.repeat and mark:
            await self._same(opened.case_no, report.text, report.service_code)
        row = {
            "service_request_id": opened.case_no,
            "service_notice": notice_of(report, opened),
            "account_id": report.account_id or None,
        }
        return _requests([row])

    async def _unheld(self, matter: Matter) -> None:
        """Raise Faulty for whom the ladder against abuse holds off; what a partner's form says of a person proves nobody."""
        try:
            await self._office.restraint.prove(matter.reach, matter.danger)
        except HeldOff as held:
            hotline = self._profiles.city.hotline
            words = (
                f"因多次不文明用语，文字提交暂停到{held.shown}，到期自动恢复；已登记的诉求照常办理。"
                f"认为不妥，请拨打{hotline}申诉；紧急情况请直接写明，或拨打110、119、120。"
            )
            raise faulty(KEY, words) from held

    async def requests(self, form: Form) -> Answer:
        """Return the public cases that were asked for, newest first."""
        listing = listing_of(form, self._now(), frozenset(CATEGORY_LABELS))
        size = min(listing.page_size, MOST_EXTENDED) if listing.extensions else listing.page_size
        skip, found = (listing.page - 1) * size, []
        async for case, moved_at in self._seen(listing):
            if skip:
                skip -= 1
                continue
            found.append((case, moved_at))
            if len(found) == size:
                break
        return _requests(await self._rows(found, extensions=listing.extensions))

    async def request(self, number: str, form: Form) -> Answer:
        """Return one public case; raises NotFound."""
        found = [await self._public(number)]
        return _requests(await self._rows(found, extensions=form.text("extensions") == "true"))

    async def token(self, token: str) -> Answer:
        """Return the number of a token; both are the same, because a number is known at once. Raises NotFound."""
        case, _ = await self._public(token)
        return _requests([{"service_request_id": case.case_no, "token": case.case_no}])

    async def updates(self, form: Form) -> Answer:
        """Return what happened to the public cases, oldest first."""
        since, until = period(form, self._now())
        page, size = form.whole("page", 1, 1, 1_000_000), form.whole("page_size", MOST, 1, MOST)
        form.check()
        if self._public_mode == NONE:
            return _updates([])
        work = partial(
            open311.told,
            wanted=self._wanted(since, until),
            verbs=[verb.value for verb in shown.NOTED],
            skip=(page - 1) * size,
            limit=size,
        )
        told = await self._store.read(work)
        return _updates(await asyncio.to_thread(self._told, told))

    async def update(self, form: Form, sent: Sent) -> Answer:
        """Add a client's words to its own case, or a unit's to one that it handles; raises Faulty, NotFound and Refused."""
        client = self._keys.known(form.text("api_key"))
        number, text = form.text("service_request_id"), clean(form.text("description", 2000))
        if not number:
            form.fault("缺少 service_request_id")
        if not text:
            form.fault("缺少 description")
        url = media_url(form)
        form.check()
        await self._may_add(client, number)
        files = await self._photos.fetched(sent, url)
        seq = await self._added(number, Command(*_adds(client), text=text, attachments=files))
        await self._photos.give(sent, number, files)
        return _updates([{"update_id": shown.update_id(number, seq)}])

    async def _added(self, number: str, command: Command) -> int:
        """Return the number of the event that says so: that of the first when a client tries again."""
        since = self._now() - timedelta(minutes=10)
        for event in await self._lookup.log(number):
            said = event.verb is command.verb and event.command.text == command.text
            if said and event.at >= since:
                return event.seq
        for _ in range(TRIES - 1):
            try:
                return (await self._office.act(number, command)).events
            except Conflict:
                continue
        return (await self._office.act(number, command)).events

    async def _may_add(self, client: Client, number: str) -> None:
        listed = await self._listed([number])
        if not listed:
            raise NotFound
        if client.partner.unit:
            return  # whether the case is its own, the state machine says
        one = listed[0]
        if one.account != ACCOUNT or one.address is None:
            raise NotFound
        if not self._sealer.open(one.address).decode().startswith(f"{client.name}/"):
            raise NotFound

    async def _same(self, number: str, text: str, category: str) -> None:
        row = await self._store.read(partial(cases.get, case_no=number))
        matter = self._book.read(row).matter if row else None
        if matter and (matter.original, matter.category) != (text, category):
            raise faulty(TWICE, "这个 Idempotency-Key 已经用于另一件诉求")

    async def _public(self, number: str) -> tuple[Case, datetime]:
        for one in await self._listed([number]):
            case = self._book.read(one.case)
            if self._open_to_all(one) and shown.may_be_seen(case):
                return case, instant(one.moved_at)
        raise NotFound

    async def _seen(self, listing: Listing) -> AsyncIterator[tuple[Case, datetime]]:
        """Go through the public cases of a listing, newest first."""
        async for chunk in self._chunks(listing):
            opened = await asyncio.to_thread(self._read, chunk)
            for one, case in zip(chunk, opened, strict=True):
                if self._open_to_all(one) and shown.may_be_seen(case) and _near(case, listing):
                    yield case, instant(one.moved_at)

    def _told(self, told: Sequence[Told]) -> list[Row]:
        opened = ((self._book.read(each.listed.case), each.event) for each in told)
        return [shown.update(case, event) for case, event in opened if shown.may_be_seen(case)]

    def _read(self, listed: Sequence[Listed]) -> list[Case]:
        return [self._book.read(one.case) for one in listed]

    async def _chunks(self, listing: Listing) -> AsyncIterator[Sequence[Listed]]:
        if self._public_mode == NONE:
            return
        if listing.numbers:
            yield await self._listed(listing.numbers)
            return
        wanted = self._wanted(listing.since, listing.until, listing.categories, shown.stages(listing.status))
        for skip in range(0, FARTHEST, CHUNK):
            chunk = await self._store.read(partial(open311.by_time, wanted=wanted, skip=skip, limit=CHUNK))
            yield chunk
            if len(chunk) < CHUNK:
                return

    async def _listed(self, numbers: Sequence[str]) -> Sequence[Listed]:
        known = [number for text in numbers if (number := case_no.parse(text))]
        return await self._store.read(partial(open311.by_number, numbers=known)) if known else []

    async def _rows(self, found: Sequence[tuple[Case, datetime]], *, extensions: bool) -> list[Row]:
        # A thousand cases are masked beside the loop, so that nobody else waits for them.
        rows = await asyncio.to_thread(_masked, found)
        if not extensions:
            return rows
        numbers = [case.case_no for case, _ in found]
        logs = await self._store.read(partial(open311.logs, numbers=numbers))
        return [
            {**row, **shown.more(case, logs[case.case_no])}
            for row, (case, _) in zip(rows, found, strict=True)
        ]

    @property
    def _public_mode(self) -> str:
        return self._profiles.current.open311.public

    def _open_to_all(self, one: Listed) -> bool:
        mode = self._public_mode
        return mode != NONE and (mode != OWN or one.account == ACCOUNT)

    def _wanted(
        self,
        since: datetime,
        until: datetime,
        categories: tuple[str, ...] = (),
        stages: tuple[str, ...] = (),
    ) -> Wanted:
        own = self._public_mode == OWN
        return Wanted(
            millis(since),
            millis(until),
            categories,
            stages,
            ACCOUNT if own else "",
            self._sources if own else (),
        )


def _masked(found: Sequence[tuple[Case, datetime]]) -> list[Row]:
    return [shown.row(case, moved_at) for case, moved_at in found]


def _near(case: Case, listing: Listing) -> bool:
    if listing.near is None or listing.numbers:
        return True
    there = shown.place(case)
    return there is not None and metres(there, listing.near) <= listing.radius


def _adds(client: Client) -> tuple[Verb, Actor]:
    unit = client.partner.unit
    if unit:
        return Verb.HANDLE, Actor(Role.UNIT, client.name, unit)
    return Verb.SUPPLEMENT, Actor(Role.CITIZEN)


def _requests(rows: Sequence[Row]) -> Answer:
    return Answer("service_requests", Many("request", rows))


def _updates(rows: Sequence[Row]) -> Answer:
    return Answer("service_request_updates", Many("request_update", rows))
