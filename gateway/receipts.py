"""What providers say later of what was sent, written down before they are thanked for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.runtime import millis
from normalizer.errors import Busy
from outbox import queue, receipts
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.metrics import Metrics
    from gateway.store.store import Store
    from normalizer.message import Receipt
    from outbox.queue import Claimed

log = structlog.get_logger()


class Receipts:
    """Implements ``channels.contract.Receipts``."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: Metrics,
        now: Callable[[], datetime],
        elsewhere: Callable[[Connection, Claimed], str],
        queued: Callable[[], None],
    ) -> None:
        self._store = store
        self._elsewhere = elsewhere
        self._queued = queued
        self._metrics = metrics
        self._now = now

    async def receive(self, receipt: Receipt) -> None:
        """Write the receipt down and return after the commit; raises Busy."""
        work = partial(self._receive, receipt=receipt)
        try:
            became = await self._store.write(work)
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
        if became is not None:
            self._metrics.sent(receipt.account, became.value)
        if became is OutState.UNDELIVERED:
            log.warning("outbox.undelivered", account=receipt.account, detail=receipt.detail)
            self._queued()

    def _receive(self, connection: Connection, receipt: Receipt) -> OutState | None:
        """Write a receipt down; what did not arrive is told by the next address, once."""
        became = receipts.receive(connection, receipt, millis(self._now()))
        if became is OutState.UNDELIVERED:
            row = queue.sent_as(connection, receipt.account, receipt.provider_id)
            if row is not None and (way := self._elsewhere(connection, row)):
                queue.moved(connection, row.id, f"{receipt.detail}; told by {way}")
        return became

    async def case_of(self, account: str, names: Sequence[str]) -> str:
        """Return the case that a message under one of these names was about; empty when unknown. Raises Busy."""
        try:
            return await self._store.read(partial(receipts.case_of, account=account, names=names))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
