"""The whole way: a citizen's telephone on one side, and whoever sits at the desk on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.app import listening
from tests.kit.agent import Agent, hire
from tests.kit.gateway import Hand, running, settings
from tests.kit.standin import Phone, phone


@dataclass
class Hall:
    """A telephone, and the agents' browsers."""

    phone: Phone
    clock: Hand
    database: str
    folder: Path
    agents: list[Agent] = field(default_factory=list)

    async def agent(self, login: str, site: str = "", **more: Any) -> Agent:
        """Somebody who is online, at this gateway or at another one."""
        agent = await hire(self.phone.gateway, site or self.phone.address, login, **more)
        self.agents.append(agent)
        return agent

    async def busy(self, login: str, site: str = "", **more: Any) -> Agent:
        """Somebody whom the router leaves alone: he takes what he wants."""
        agent = await self.agent(login, site, **more)
        await agent.post("me/state", {"state": "busy"})
        return agent

    @asynccontextmanager
    async def another(self) -> AsyncIterator[str]:
        """Run a second gateway on the same database inside the block, and give its address; only SQL is shared."""
        given = settings(self.database, self.folder, channels={})
        async with (
            running(given, clock=self.clock) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as port,
        ):
            yield f"http://127.0.0.1:{port}"

    async def waits(self, agent: Agent) -> Any:
        """Let the citizen ask for a person, and return his row as an agent sees it."""
        await self.phone.says("转人工")
        [row] = await agent.queue()
        return row

    async def taken(self, agent: Agent) -> Any:
        """Let an agent take the citizen's talk, and return its row."""
        row = await self.waits(agent)
        return (await agent.does(row["id"], "take", row["epoch"])).body["row"]


@asynccontextmanager
async def opened(database: str, folder: Path, **changes: Any) -> AsyncIterator[Hall]:
    """Run the stand-in, a gateway and its desk inside the block; the clock begins now, as ids do."""
    clock = Hand(datetime.now(UTC))
    async with phone(database, folder, clock, **changes) as there:
        hall = Hall(there, clock, database, folder)
        try:
            yield hall
        finally:
            for agent in hall.agents:
                await agent.session.close()
