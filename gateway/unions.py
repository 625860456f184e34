"""One person in several apps of one owner: joined when the platform gives the same union id for both (wechat.md 2.9).

A union counts only among accounts that the settings place on one open platform.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from channels.contract import KnowsUnions, SendError
from gateway.runtime import millis
from gateway.store import unions
from normalizer.errors import Busy
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from channels.contract import Unions as Notes
    from gateway.store.seal import Sealer
    from gateway.store.store import Store

log = structlog.get_logger()

ASKED = 100
"""People that the platform is asked about at once."""
ASK_AGAIN = timedelta(days=1)
PAUSE = 300.0
"""Seconds between two rounds over all talks."""


class Unions:
    """Implements ``channels.contract.Unions``."""

    def __init__(self, *, store: Store, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now

    async def note(self, address: Address, platform: str, union: str) -> None:
        """Note who somebody is on an open platform (empty: it does not say) and join his talks; raises Busy."""
        conversation = self._sealer.conversation(address.account, address.user)
        person = self._sealer.hash(f"union {platform}\0{union}")[:16] if union else None
        work = partial(unions.note, conversation=conversation, union=person, at=millis(self._now()))
        try:
            await self._store.write(work)
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error


class Joining:
    """Asks the platform who the people are that wrote to accounts whose platform does not say so with each message."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        channels: Mapping[str, object],
        unions: Notes,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._channels = channels
        self._unions = unions
        self._now = now

    async def run(self) -> None:
        """Ask until cancelled; return at once where no account knows unions."""
        while any(self._knowing()):
            await asyncio.sleep(PAUSE)
            try:
                await self.once()
            except Exception:
                log.exception("unions.failed")

    async def once(self) -> int:
        """Go over all talks whose union is not known, and return how many people were asked about."""
        asked = 0
        for account, channel in self._knowing():
            try:
                asked += await self._account(account, channel)
            except SendError as error:
                log.warning("unions.not_asked", account=account, reason=error.reason)
        at = millis(self._now())
        for union in await self._store.read(partial(unions.parted, limit=ASKED)):
            await self._store.write(partial(unions.join, union=union, at=at))
        return asked

    def _knowing(self) -> list[tuple[str, KnowsUnions]]:
        return [
            (account, channel)
            for account, channel in self._channels.items()
            if isinstance(channel, KnowsUnions) and channel.open_platform
        ]

    async def _account(self, account: str, channel: KnowsUnions) -> int:
        asked, after, before = 0, b"", millis(self._now() - ASK_AGAIN)
        find = partial(unions.unknown, account=account, before=before, limit=ASKED)
        while found := await self._store.read(partial(find, after=after)):
            people = [self._sealer.open(address).decode() for _, address in found]
            known = await channel.unions_of(people)
            for user in people:
                await self._unions.note(Address(account, user), channel.open_platform, known.get(user, ""))
            after, asked = found[-1][0], asked + len(found)
        return asked
