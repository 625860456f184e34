"""What is owed to several people by several accounts, with a sender, a clock and channels in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from channels.contract import Capabilities, Channel, SendError, SendResult
from channels.memory import Memory
from gateway.bus import MemoryBus
from gateway.runtime import Ids, millis
from gateway.store.store import Store
from gateway.store.tables import ATTEMPT, CONVERSATION, OUTGOING
from normalizer.message import OutboundMessage, SourceChannel
from outbox import sender
from outbox.route import Quiet
from outbox.sender import Sender

MORNING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
QUIET = Quiet(time(21), time(8))
WECHAT = Capabilities(
    SourceChannel.WECHAT, 2048, passive=True, windowed=True, templates={"dispatched": "T1", "accepted": "T2"}
)
PLAIN = Capabilities(SourceChannel.SMS, 2048)
IDS = Ids()


class Counted:
    """A meter that remembers."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[str, str]] = []

    def sent(self, account: str, outcome: str) -> None:
        self.outcomes.append((account, outcome))


class Told(Memory):
    """Answers as it is told for a text, success otherwise; ``hangs`` makes it never answer."""

    def __init__(self, account: str, able: Capabilities = WECHAT) -> None:
        super().__init__(account, able)
        self.answers: dict[str, list[Exception]] = {}
        self.hangs = False
        self.begun = 0

    async def send(self, message: OutboundMessage) -> SendResult:
        self.begun += 1
        if self.hangs:
            await asyncio.Event().wait()
        if waiting := self.answers.get(message.text):
            raise waiting.pop(0)
        await asyncio.sleep(0)
        return await super().send(message)


class Owed:
    """A queue with its senders; a person is named by one word, ids grow in the order of promises."""

    def __init__(self, store: Store, able: Capabilities = WECHAT) -> None:
        self.store = store
        self.now = MORNING
        self.bus = MemoryBus()
        self.meter = Counted()
        self.wechat = Told("wx", able)
        self.sender = self.another()

    def another(
        self,
        store: sender.Store | None = None,
        *,
        channels: Mapping[str, Channel] | None = None,
        unseal: Callable[[bytes], bytes] = bytes,
        patience: float = 5.0,
    ) -> Sender:
        return Sender(
            store=store or self.store,
            channels=channels or {"wx": self.wechat},
            unseal=unseal,
            quiet=QUIET,
            elsewhere=lambda connection, row: "",
            wake=self.bus,
            meter=self.meter,
            now=lambda: self.now,
            random=lambda: 0.5,
            patience=patience,
        )

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def at(self) -> int:
        return millis(self.now)

    async def owe(
        self, who: str, *texts: str, notice: str = "reply", account: str = "wx", **values: Any
    ) -> list[bytes]:
        """Promise texts to a person in one commit, and wake whoever sends."""
        rows = await self.store.write(lambda c: self.put(c, who, texts, notice, account, values))
        self.bus.wake("outbox")
        return rows

    async def owe_all(self, people: list[str], *, account: str) -> None:
        """Promise one text to each of many, in one commit."""
        await self.store.write(
            lambda c: [self.put(c, who, ("您好",), "reply", account, {}) for who in people]
        )
        self.bus.wake("outbox")

    def put(
        self,
        c: Connection,
        who: str,
        texts: tuple[str, ...],
        notice: str,
        account: str,
        values: dict[str, Any],
    ) -> list[bytes]:
        if c.execute(select(CONVERSATION.c.id).where(CONVERSATION.c.id == person(who))).first() is None:
            c.execute(insert(CONVERSATION), [_conversation(who, account, self.at())])
        epoch = 0 if notice == "reply" else -1
        rows = [
            _row(who, text, self.at()) | {"notice": notice, "account": account, "epoch": epoch} | values
            for text in texts
        ]
        c.execute(insert(OUTGOING), rows)
        return [row["id"] for row in rows]

    async def change(self, who: str, **values: Any) -> None:
        change = update(CONVERSATION).where(CONVERSATION.c.id == person(who)).values(values)
        await self.store.write(lambda c: c.execute(change))

    async def left(self, who: str) -> int | None:
        query = select(CONVERSATION.c.window_left).where(CONVERSATION.c.id == person(who))
        return await self.store.read(lambda c: c.execute(query).scalar_one())

    async def drain(self, *senders: Sender) -> None:
        """Send what is due until nothing is."""
        while sum(await asyncio.gather(*(sender.once() for sender in senders or (self.sender,)))):
            pass

    async def states(self) -> list[str]:
        query = select(OUTGOING.c.state).order_by(OUTGOING.c.id)
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def outcome(self, row: bytes) -> str:
        query = select(OUTGOING.c.outcome).where(OUTGOING.c.id == row)
        return str(await self.store.read(lambda c: c.execute(query).scalar_one()))

    async def attempts(self, row: bytes) -> list[tuple[int, str, str]]:
        query = select(ATTEMPT.c.n, ATTEMPT.c.route, ATTEMPT.c.outcome).where(ATTEMPT.c.outgoing == row)
        return [
            tuple(one)
            for one in await self.store.read(lambda c: c.execute(query.order_by(ATTEMPT.c.n)).all())
        ]

    def sent(self) -> list[str]:
        return [message.text for message in self.wechat.sent]


def person(who: str) -> bytes:
    return who.encode().ljust(16, b".")[:16]


def refuses(channel: Told, text: str, *errors: SendError) -> None:
    channel.answers[text] = list(errors)


def _conversation(who: str, account: str, at: int) -> dict[str, Any]:
    return {
        "id": person(who), "account": account, "address": who.encode(), "state": b"", "owner": "bot", "epoch": 0,
        "version": 1, "waiting": 0, "window_until": at + 86_400_000, "window_left": 100, "last_in_at": at,
    }  # fmt: skip


def _row(who: str, text: str, at: int) -> dict[str, Any]:
    return {
        "id": IDS(), "conversation": person(who), "state": "queued", "body": text.encode(), "next_at": at,
        "created_at": at,
    }  # fmt: skip
