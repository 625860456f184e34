"""Fetches what people sent from where their providers keep it, until it is here or known to be lost.

A message is acknowledged before its files are fetched: what is wanted is written down with it, so that neither a kill
nor a provider that does not answer loses a photo without a word. Files go through the same intake as all others.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from channels.contract import Lost, SendError, fetcher
from gateway.media.intake import Claim
from gateway.media.words import lost_words, refused_words
from gateway.runtime import millis
from gateway.store import cases
from gateway.store import wanted as rows
from gateway.store.bodies import open_part
from gateway.store.media import talk_owner
from gateway.store.rows import Rows
from normalizer.errors import Busy
from normalizer.media import NotAccepted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from channels.contract import Channel
    from gateway.cases.book import CaseBook
    from gateway.media.intake import Intake, Taken
    from gateway.store.rows import WantedRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import Part

log = structlog.get_logger()

PLACES = 8
"""How many files are fetched at once; what each needs in memory does not grow with its size."""
LEASE = timedelta(minutes=10)
SWEEP_SECONDS = 5.0
PAUSE = 1.0
DELAYS = (2, 10, 60, 300, 1800)
"""Seconds between tries; the last for all that follow."""
PATIENCE = timedelta(hours=24)
"""How long a provider that does not answer is asked; it keeps files for three days (wechat.md 2.7)."""
STRAYS = 50
NOTICE = "reply"


class Fetching:
    """Works off what is wanted until cancelled; ``kept`` is how long a file stays that becomes no case's."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        book: CaseBook,
        intake: Intake,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        woken: Callable[[float], Awaitable[None]],
        queued: Callable[[], None],
        kept: timedelta,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._book = book
        self._intake = intake
        self._channels = channels
        self._now = now
        self._woken = woken
        self._queued = queued
        self._kept = kept

    async def run(self) -> None:
        """Fetch until cancelled."""
        jobs: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    # One that is slow holds up nobody: whatever place is free is taken by the next.
                    for row in await self._claimed(PLACES - len(jobs)):
                        jobs.add(asyncio.create_task(self._fetch(row)))
                    await self._store.write(partial(rows.strays, limit=STRAYS))
                except Exception:
                    log.exception("media.fetching_failed")
                    await asyncio.sleep(PAUSE)
                woken = asyncio.ensure_future(self._woken(SWEEP_SECONDS))
                await asyncio.wait({woken, *jobs}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                jobs = {job for job in jobs if not job.done()}
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def once(self) -> int:
        """Fetch what is due now, up to so many at once, and return how many were taken in hand."""
        taken = await self._claimed(PLACES)
        async with asyncio.TaskGroup() as group:
            for row in taken:
                group.create_task(self._fetch(row))
        return len(taken)

    async def _claimed(self, places: int) -> list[WantedRow]:
        if not places:
            return []
        now = self._now()
        claim = partial(rows.claim, now=millis(now), until=millis(now + LEASE), limit=places)
        return await self._store.write(claim)

    async def _fetch(self, row: WantedRow) -> None:
        part = open_part(self._sealer, row.body)
        try:
            taken = await self._taken(row, part)
        except Lost as error:
            await self._lost(row, error.loss.value, lost_words(part.kind, error.loss))
        except NotAccepted as error:
            await self._lost(row, error.breach.refusal.value, refused_words(part.kind, error.breach))
        except SendError as error:
            await self._again(row, part, error.reason.value)
        except (Busy, OSError) as error:
            await self._again(row, part, type(error).__name__)
        except Exception as error:
            log.exception("media.fetch_broke", account=row.account, ref=row.ref)
            await self._again(row, part, type(error).__name__)
        else:
            await self._store.write(partial(rows.stored, row=row, key=taken.key))
            log.info("media.fetched", account=row.account, ref=row.ref, kind=taken.kind, size=taken.size)

    async def _taken(self, row: WantedRow, part: Part) -> Taken:
        channel = fetcher(self._channels.get(row.account))
        if channel is None:
            raise Busy(f"{row.account} fetches nothing")
        claim = Claim(talk_owner(row.conversation), part.name, lives=self._kept)
        async with channel.fetch(part, self._intake.limits.largest) as stream:
            return await self._intake.take(stream, claim)

    async def _again(self, row: WantedRow, part: Part, reason: str) -> None:
        now = self._now()
        if millis(now) - row.created_at > PATIENCE / timedelta(milliseconds=1):
            await self._lost(row, reason, lost_words(part.kind, None))
            return
        delay = timedelta(seconds=DELAYS[min(row.tries, len(DELAYS) - 1)])
        log.warning("media.not_fetched", account=row.account, ref=row.ref, reason=reason)
        put_off = partial(rows.put_off, ref=row.ref, next_at=millis(now + delay), reason=reason)
        await self._store.write(put_off)

    async def _lost(self, row: WantedRow, reason: str, words: str) -> None:
        """Note the loss, and tell him once what to do; whoever holds the talk."""
        log.warning("media.lost", account=row.account, ref=row.ref, reason=reason)
        told = self._book.promise(
            row.conversation,
            row.account,
            NOTICE,
            words,
            self._now(),
            case_no=row.case_no,
            key=f"{row.ref}:lost",
        )

        def work(connection: Connection) -> None:
            if rows.lost(connection, row.ref, reason):
                cases.save(connection, Rows(outgoing=[told]))

        await self._store.write(work)
        self._queued()
