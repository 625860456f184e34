"""Has what came by a mini-program looked at by its provider, after it was taken: the case is marked for review, no more.

A complaint about something obscene is obscene; so nothing is ever refused or held up for it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from channels.contract import LooksAtFiles, LooksAtWords, SendError
from gateway.media.links import Variant
from gateway.runtime import millis
from gateway.store import flags, media
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

    from gateway.media.room import Room
    from normalizer.message import Address

log = structlog.get_logger()

FETCHED = timedelta(hours=1)
"""How long the provider may take to fetch a file (wechat.md 2.9: its word comes within half an hour)."""
_SEEN = {PartKind.IMAGE: Variant.PREVIEW, PartKind.VOICE: Variant.PLAY}
PATIENCE = 5.0
"""Seconds that what is under way may take when the gateway stops."""


class Safety:
    """Looks beside the work; what is lost by a kill is a hint, and nothing else."""

    def __init__(
        self, *, channels: Mapping[str, object], room: Room, site: str, now: Callable[[], datetime]
    ) -> None:
        self._channels = channels
        self._room = room
        self._store = room.store
        self._site = site
        self._now = now
        self._under_way: set[asyncio.Task[None]] = set()

    def look(self, case_no: str, person: Address | None, text: str) -> None:
        """Begin to have a case's words looked at, where its citizen's account does that."""
        channel = self._channels.get(person.account) if person is not None else None
        if person is None or not isinstance(channel, LooksAtWords):
            return
        self._begin(self._look(channel, case_no, person, text))

    def look_at(self, case_no: str, person: Address | None, keys: Sequence[str]) -> None:
        """Begin to have a case's pictures and recordings looked at; the provider fetches them by a link of ours."""
        channel = self._channels.get(person.account) if person is not None else None
        if keys and self._site and person is not None and isinstance(channel, LooksAtFiles):
            self._begin(self._look_at(channel, case_no, person, keys))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Finish what is under way, as far as it is quick."""
        if self._under_way:
            _, left = await asyncio.wait(self._under_way, timeout=PATIENCE)
            for task in left:
                task.cancel()

    async def _look(self, channel: LooksAtWords, case_no: str, person: Address, text: str) -> None:
        try:
            opinion = await channel.opinion(person.user, text)
            if opinion is not None:
                note = partial(
                    flags.add,
                    case_no=case_no,
                    kind=f"{person.account} {opinion.advice}",
                    label=opinion.label,
                    at=millis(self._now()),
                )
                await self._store.write(note)
        except SendError as error:
            log.warning("safety.not_looked", account=person.account, reason=error.reason.value)
        except Exception:
            log.exception("safety.failed", account=person.account)

    async def _look_at(
        self, channel: LooksAtFiles, case_no: str, person: Address, keys: Sequence[str]
    ) -> None:
        try:
            files = await self._store.read(partial(media.of, owner=case_no))
            for file in files:
                if file.key in keys and (variant := _SEEN.get(PartKind(file.kind))) is not None:
                    url = self._site + self._room.links.sign(case_no, file.key, variant, FETCHED)
                    name = await channel.look_at(person.user, PartKind(file.kind), url)
                    asked = partial(
                        flags.asked,
                        account=person.account,
                        name=name,
                        case_no=case_no,
                        at=millis(self._now()),
                    )
                    await self._store.write(asked)
        except SendError as error:
            log.warning("safety.not_looked", account=person.account, reason=error.reason.value)
        except Exception:
            log.exception("safety.failed", account=person.account)
