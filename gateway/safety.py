"""Has what came by a mini-program looked at by its provider, after it was taken: the case is marked for review, no more.

A complaint about something obscene is obscene; so nothing is ever refused or held up for it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from channels.contract import LooksAtWords, SendError
from gateway.runtime import millis
from gateway.store import flags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.store.store import Store
    from normalizer.message import Address

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds that what is under way may take when the gateway stops."""


class Safety:
    """Looks beside the work; what is lost by a kill is a hint, and nothing else."""

    def __init__(self, *, channels: Mapping[str, object], store: Store, now: Callable[[], datetime]) -> None:
        self._channels = channels
        self._store = store
        self._now = now
        self._under_way: set[asyncio.Task[None]] = set()

    def look(self, case_no: str, person: Address | None, text: str) -> None:
        """Begin to have a case's words looked at, where its citizen's account does that."""
        channel = self._channels.get(person.account) if person is not None else None
        if person is None or not isinstance(channel, LooksAtWords):
            return
        task = asyncio.create_task(self._look(channel, case_no, person, text))
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
