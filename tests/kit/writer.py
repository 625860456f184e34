"""People who write by text message and by mail to a gateway's inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from channels.contract import Capabilities
from gateway.store.tables import OUTGOING
from gateway.whole import Gateway
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel
from tests.kit.gateway import Hand, running, settings

PHONE = "13812345678"


@dataclass
class Writer:
    """Somebody whose channel answers by the outbox."""

    gateway: Gateway
    clock: Hand
    account: str = "sms"
    user: str = PHONE
    source: SourceChannel = SourceChannel.SMS
    sent: list[str] = field(default_factory=list)

    async def accept(self, words: str, **letter: Any) -> None:
        self.sent.append(words)
        now, parts = self.clock(), (Part(PartKind.TEXT, text=words),)
        number = str(len(self.sent))
        message = InboundMessage(self.account, self.user, number, self.source, now, now, parts, b"", **letter)
        await self.gateway.inbox.accept(message)
        self.clock.wait(milliseconds=1)

    async def says(self, words: str, **letter: Any) -> str:
        known = len(await outgoing(self.gateway))
        await self.accept(words, **letter)
        said = (await outgoing(self.gateway))[known:]
        return "\n".join(words for account, words in said if account == self.account)


@asynccontextmanager
async def reached(database: str, folder: Path, clock: Hand, **changes: Any) -> AsyncIterator[Gateway]:
    """A gateway with accounts for text messages and for mail beside the others."""
    channels = {**settings(database, folder).channels, "sms": {"kind": "memory"}, "mail": {"kind": "memory"}}
    async with running(settings(database, folder, channels=channels, **changes), clock=clock) as opened:
        opened.channels["sms"].capabilities = Capabilities(SourceChannel.SMS, 2048, phones=True)
        opened.channels["mail"].capabilities = Capabilities(SourceChannel.EMAIL, 65536)
        yield opened


async def outgoing(gateway: Gateway) -> list[tuple[str, str]]:
    query = select(OUTGOING.c.account, OUTGOING.c.body).order_by(OUTGOING.c.id)
    rows = await gateway.books.store.read(lambda c: c.execute(query).all())
    return [(row.account, gateway.books.sealer.open(row.body).decode()) for row in rows]
