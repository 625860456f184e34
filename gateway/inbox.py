"""Where every message comes in: written down once, whoever brings it and however often."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from channels.contract import Accepted
from gateway.batch import Answer, Item
from gateway.store import waiting
from gateway.store.bodies import open_message
from normalizer.errors import Busy

if TYPE_CHECKING:
    from channels.contract import Shape
    from gateway.pace import Pace
    from gateway.pipeline import Pipeline
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import InboundMessage

log = structlog.get_logger()

PATIENCE = 4.5
"""Seconds a provider is kept waiting for the commit before it is told to come again (WeChat hangs up after 5)."""
SWEEP = 0.25
DEFERRED = 128
"""How many waiting messages are taken up at a time."""


def _nothing() -> None:
    """Nothing rode in the answer, so there is nothing to note."""


_ACKNOWLEDGED = Accepted(reply=None, repeat=False, written=_nothing)
_KNOWN = Accepted(reply=None, repeat=True, written=_nothing)


class Inbox:
    """Implements ``channels.contract.Inbox`` over the pipeline."""

    def __init__(self, *, pipeline: Pipeline, pace: Pace, sealer: Sealer, store: Store) -> None:
        self._pipeline = pipeline
        self._pace = pace
        self._sealer = sealer
        self._store = store
        self._loop = asyncio.get_running_loop()

    async def accept(self, message: InboundMessage, shape: Shape | None = None) -> Accepted:
        """Write the message down, let the bot answer, and return after the commit; raises Busy."""
        waiter: asyncio.Future[tuple[Answer, bytes | None]] = self._loop.create_future()
        conversation = self._sealer.conversation(message.account, message.sender)
        clock = self._loop.time()
        over = self._pace.over(conversation, clock)
        self._pipeline.submit(Item(message, conversation, clock, [waiter], later=over, shape=shape))
        answer, shaped = await waiter
        if answer.reply is None:
            return _KNOWN if answer.repeat else _ACKNOWLEDGED
        return Accepted(answer.text, answer.repeat, partial(self._pipeline.written, answer.reply), shaped)

    async def watch(self) -> None:
        """Tell those to come again whose message could not be written down in time."""
        while True:
            await asyncio.sleep(SWEEP)
            self._pipeline.expire(self._loop.time() - PATIENCE)

    async def turn_deferred(self, pause: float) -> None:
        """Take up messages that were accepted and not turned, oldest first; look every ``pause`` seconds."""
        while True:
            try:
                rows = await self._store.read(lambda connection: waiting.messages(connection, DEFERRED))
                for row in rows:
                    self._take_up(row.id, row.conversation, row.body)
            except Exception:
                log.exception("deferred.failed")
            await asyncio.sleep(pause)

    def _take_up(self, row_id: bytes, conversation: bytes, body: bytes) -> None:
        message = open_message(self._sealer, body)
        item = Item(message, conversation, self._loop.time(), row_id=row_id)
        try:
            self._pipeline.submit(item)
        except Busy:
            log.info("deferred.busy", message=row_id.hex())
