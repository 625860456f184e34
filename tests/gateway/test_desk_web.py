"""The desk over HTTP: from the citizen's telephone to the agent's page and back. Ids: desk-and-open311.md 3.6."""

from __future__ import annotations

import pytest

from tests.kit.hall import opened
from tests.kit.standin import until


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


@pytest.fixture
async def hall(database, tmp_path):
    async with opened(database, tmp_path) as each:
        yield each
