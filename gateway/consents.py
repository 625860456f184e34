"""Who agreed to be sent which template, written down before the provider is thanked for telling."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from gateway.runtime import millis
from normalizer.errors import Busy
from outbox import consents

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import Address


class Consents:
    """Implements ``channels.contract.Consents``."""

    def __init__(self, *, store: Store, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now

    async def note(self, address: Address, template: str, *, given: bool, once: bool) -> None:
        """Note that a person agreed, or agrees no more; raises Busy."""
        conversation = self._sealer.conversation(address.account, address.user)
        work = partial(
            consents.note,
            conversation=conversation,
            template=template,
            at=millis(self._now()),
            given=given,
            once=once,
        )
        try:
            await self._store.write(work)
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
