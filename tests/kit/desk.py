"""A desk on a store: agents by one word, citizens by another, and the clock in the test's hand."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import select

from gateway.desk.desk import Desk
from gateway.desk.hours import Hours
from gateway.desk.line import Line
from gateway.desk.presence import State
from gateway.desk.routing import CHAT, Rules
from gateway.desk.voice import Voice
from gateway.runtime import Ids, millis
from gateway.store import agents
from gateway.store import desk as sql
from gateway.store.desk_tables import AGENT
from gateway.store.rows import DeskEventRow, Rows, WaitRow, new_conversation
from gateway.store.seal import Sealer
from gateway.store.store import Store
from gateway.store.tables import CONVERSATION, DESK_TALK, OUTGOING
from outbox import queue as outbox
from outbox.tables import OutState
from tests.kit.gateway import Hand

IDS = Ids()


class Floor:
    """A desk with its agents and the people who wait."""

    def __init__(self, store: Store, **rules: Any) -> None:
        self.store = store
        self.clock = Hand()
        self.sealer = Sealer(b"k" * 32)
        self.unseen: set[str] = set()
        """Accounts that nobody looks at while he talks."""
        self.woken = 0
        """How often the router was woken."""
        self.desk = self.another(**rules)

    def another(self, store: Store | None = None, **rules: Any) -> Desk:
        """A desk of another process, which shares nothing but the database; ``store`` is its own way to it."""
        return Desk(
            store=store or self.store,
            sealer=self.sealer,
            ids=IDS,
            now=self.clock,
            changed=self._changed,
            owed=lambda: None,
            rules=Rules(**rules),
            pushes=lambda account: account not in self.unseen,
        )

    def line(self, *, hours: Hours | None = None, pushes: bool = True, texts: bool = False) -> Line:
        """What tells of the queue, on channels where people look while they wait."""
        return Line(
            store=self.store,
            voice=Voice(sealer=self.sealer, ids=IDS),
            rules=self.desk.rules,
            hours=hours,
            pushes=lambda _: pushes,
            texts=lambda _: texts,
            now=self.clock,
            owed=lambda: None,
        )

    def _changed(self) -> None:
        self.woken += 1

    @property
    def now(self) -> int:
        return millis(self.clock.now)

    async def agent(
        self,
        word: str,
        *,
        role: str = "agent",
        skills: str = "",
        capacity: int = 3,
        state: str = "online",
        here: bool = True,
    ) -> bytes:
        row: dict[str, Any] = {column.name: 0 for column in AGENT.columns} | {
            "id": word.encode().ljust(16, b"."),
            "login": word,
            "name": word,
            "role": role,
            "password": "",
            "one_time": False,
            "totp": None,
            "subject": None,
            "skills": skills,
            "groups": "",
            "capacity": capacity,
            "state": state,
            "disabled": False,
        }
        await self.store.write(lambda c: agents.add(c, row))
        if here:
            await self.desk.beat(row["id"], "tab")
        return bytes(row["id"])

    async def waits(self, word: str, *, skill: str = "", urgent: bool = False, weight: int = CHAT) -> bytes:
        """Put somebody in the queue as the pipeline does, and let a second go by."""
        talk = word.encode().ljust(16, b".")
        state = self.sealer.seal(b"{}")
        boost = self.desk.rules.urgent_boost if urgent else 0
        row = new_conversation(talk, "wx", b"", state)._replace(
            owner="queued", epoch=1, version=1, enqueued_at=self.now, skill=skill, urgent=urgent
        )
        rows = Rows(
            new_conversations=[row],
            waits=[WaitRow(talk, self.now - boost, weight, self.now)],
            desk=[DeskEventRow(self.now, talk, "queued", "queued", 1)],
        )
        async with self.store.batch() as batch:
            await batch.write(rows)
        self.clock.wait(seconds=1)
        return talk

    async def talk(self, conversation: bytes) -> sql.Talk:
        found = await self.store.read(lambda c: sql.seen(c, conversation))
        assert found is not None
        return found

    async def load(self, agent: bytes) -> int:
        return await self.store.read(lambda c: sql.load(c, agent))

    async def change(self, agent: bytes, **values: Any) -> None:
        await self.store.write(lambda c: agents.change(c, agent, **values))

    async def alive(self, *these: bytes) -> None:
        """Let the agents' browsers beat once."""
        for agent in these:
            await self.desk.beat(agent, "tab")

    async def chose(self, agent: bytes, state: str) -> None:
        await self.desk.choose(agent, State(state))

    async def sends(self) -> list[str]:
        """Send all that is due, and return its words in their order."""
        sent = []
        while rows := await self.store.write(lambda c: outbox.claim(c, self.now, 10, self.now + 60_000)):
            sent += [self.sealer.open(row.body).decode() for row in rows]
            done = [outbox.Settled(row, OutState.SENT, self.now, tried="custom") for row in rows]
            await self.store.write(partial(outbox.settle, settled=done))
        return sent

    async def told(self, conversation: bytes) -> list[tuple[str, str, str]]:
        """What was written to a citizen: text, state, notice."""
        query = select(OUTGOING).where(OUTGOING.c.conversation == conversation).order_by(OUTGOING.c.id)
        rows = await self.store.read(lambda c: c.execute(query).all())
        return [(self.sealer.open(row.body).decode(), row.state, row.notice) for row in rows]

    async def kinds(self) -> list[str]:
        return [event.kind for event in await self.desk.events(0, 100_000)]

    async def broken(self) -> list[str]:
        """Return every rule that the tables break: one owner, load as owned, nobody between queue and owner."""
        joined = CONVERSATION.outerjoin(DESK_TALK, DESK_TALK.c.conversation == CONVERSATION.c.id)
        query = select(CONVERSATION.c.id, CONVERSATION.c.owner, DESK_TALK.c.agent, DESK_TALK.c.rank)
        rows = await self.store.read(lambda c: c.execute(query.select_from(joined)).all())
        wrong = []
        for row in rows:
            has = row.owner in {"offered", "agent", "wrap_up"}
            if has != (row.agent is not None) or (row.owner == "queued") != (row.rank is not None):
                wrong.append(f"{row.id!r} is {row.owner}")
        return wrong
