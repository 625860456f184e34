"""The desk over HTTP: from the citizen's telephone to the agent's page and back. Ids: desk-and-open311.md 3.6."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.kit.agent import Agent, hire
from tests.kit.gateway import Hand
from tests.kit.standin import phone, until


async def test_what_an_agent_answers_is_read_on_the_citizens_telephone(hall):
    agent, citizen = await hall.busy("li"), hall.phone
    await citizen.says("转人工")
    [row] = await agent.queue()
    assert (row["state"], row["channel"], row["agent"]) == ("queued", "wechat", None)
    async with agent.follows((await agent.get("me"))["cursor"]) as live:
        taken = await agent.does(row["id"], "take", row["epoch"])
        assert (taken.status, taken.body["row"]["agent"]["id"]) == (200, agent.id)
        epoch = taken.body["row"]["epoch"]
        written = await agent.does(row["id"], "reply", epoch, text="您好，请讲", echo="e1")
        assert (written.status, written.body["state"]) == (201, "undo")
        hall.clock.wait(seconds=11)
        await until(lambda: "您好，请讲" in citizen.heard)
        await live.hears("line", lambda data: data["line"]["state"] in {"sent", "delivered"})
        await citizen.says("我家门口的路灯坏了")
        heard = await live.hears("line", lambda data: data["line"]["who"] == "citizen")
        assert heard.data["line"]["parts"][0]["text"] == "我家门口的路灯坏了"
        row = (await live.hears("talk", lambda data: data["row"]["unread"] == 1)).data["row"]
        assert (row["last"]["who"], row["sla"]["state"]) == ("citizen", "ok")
    talk = await agent.get(f"talks/{row['id']}")
    said = [(line["who"], line["parts"][0]["text"]) for line in talk["lines"]]
    assert ("citizen", "转人工") in said
    assert said.index(("agent", "您好，请讲")) < said.index(("citizen", "我家门口的路灯坏了"))


async def _hall(database, folder):
    clock = Hand(datetime.now(UTC))
    async with phone(database, folder, clock) as opened:
        hall = Hall(opened, clock)
        try:
            yield hall
        finally:
            for agent in hall.agents:
                await agent.session.close()


class Hall:
    """A telephone, and whoever sits at the desk."""

    def __init__(self, opened, clock) -> None:
        self.phone = opened
        self.gateway = opened.gateway
        self.clock = clock
        self.agents: list[Agent] = []

    async def agent(self, login: str, **more) -> Agent:
        agent = await hire(self.gateway, self.phone.address, login, **more)
        self.agents.append(agent)
        return agent

    async def busy(self, login: str, **more) -> Agent:
        """An agent whom the router leaves alone: he takes what he wants."""
        agent = await self.agent(login, **more)
        await agent.post("me/state", {"state": "busy"})
        return agent


@pytest.fixture
async def hall(database, tmp_path):
    async for each in _hall(database, tmp_path):
        yield each
