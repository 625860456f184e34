"""A queue that is full, and a wait that is long, on a real telephone of each kind: what is told, chosen and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from dataclasses import replace as another
from typing import Any

import pytest

from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings
from gateway.sandbox.ismg.cmpp_server import cmpp_server
from tests.kit.agent import Agent
from tests.kit.hall import Hall, opened
from tests.kit.standin import until

NUMBER = "13812345678"
CHOICES = "1 继续等 2 请回电 3 留言"
BY_TEXT = "1继续等，2请回电，3留言"


async def test_a_full_queue_is_told_by_wechat_and_a_call_back_or_a_message_is_kept_in_its_place(hall):
    agent = await hall.busy("li")
    first, second, third = (another(hall.phone, openid=f"o{name}") for name in ("first", "second", "third"))
    assert "排队的人很多" not in await first.says("转人工")
    told = await second.says("转人工")
    assert "前面还有1人" in told
    assert "排队的人很多，建议请回电或留言" in told
    assert CHOICES in told
    assert "电话号码" in await second.says("2")
    assert "已登记回电138****5678" in await second.says(NUMBER)
    assert "排队的人很多" in await third.says("转人工")
    assert "留的话" in await third.says("3")
    assert "留言已记下" in await third.says("楼上漏水，请明天联系我")
    rows = await agent.queue()
    assert [row["state"] for row in rows] == ["queued"] * 3
    assert (await agent.post(f"talks/{rows[1]['id']}/reveal"))["phone"] == NUMBER
    assert "楼上漏水，请明天联系我" in await _said(agent, rows[2])
    assert "位置一直保留" in await first.says("1")
    assert [row["id"] for row in await agent.queue()] == [row["id"] for row in rows]


async def test_a_full_queue_is_told_by_text_message_and_each_choice_is_taken(hall):
    agent = await hall.busy("li")
    await hall.phone.says("转人工")
    texts = {name: Text(hall, f"1381234567{n}") for n, name in enumerate(("waits", "called", "leaves"))}
    for text in texts.values():
        told = await text.says("RG")
        assert "排队人多" in told
        assert BY_TEXT in told
    assert "位置一直保留" in await texts["waits"].says("1")
    assert "已登记回电138****5671" in await texts["called"].says("2")
    assert "回复要留的话" in await texts["leaves"].says("3")
    assert "留言已记下" in await texts["leaves"].says("楼上漏水，请明天联系我")
    rows = await agent.queue()
    assert [row["channel"] for row in rows] == ["wechat", "sms", "sms", "sms"]
    assert (await agent.post(f"talks/{rows[2]['id']}/reveal"))["phone"] == "13812345671"
    assert "楼上漏水，请明天联系我" in await _said(agent, rows[3])


async def test_a_long_wait_is_told_once_on_both_and_the_digit_that_answers_it_is_taken(long):
    agent, phone = await long.busy("li"), long.phone
    text = Text(long, NUMBER)
    assert CHOICES in await phone.says("转人工")
    assert BY_TEXT not in await text.says("RG")
    heard = len(phone.heard), len(text.heard)
    long.clock.wait(minutes=11)
    await agent.beats()
    line = phone.gateway.line
    assert [await line.tell(), await line.tell()] == [2, 0]
    phone.gateway.desk.owed()
    await until(lambda: (len(phone.heard), len(text.heard)) == (heard[0] + 1, heard[1] + 1))
    assert all("让您久等了" in said[-1] and CHOICES in said[-1] for said in (phone.heard, text.heard))
    assert "电话号码" in await phone.says("2")
    assert "已登记回电139****5678" in await phone.says("13912345678")
    assert "已登记回电138****5678" in await text.says("2")
    rows = await agent.queue()
    assert [row["channel"] for row in rows] == ["wechat", "sms"]
    phones = [(await agent.post(f"talks/{row['id']}/reveal"))["phone"] for row in rows]
    assert phones == ["13912345678", NUMBER]


async def _said(agent: Agent, row: Any) -> list[str]:
    lines = (await agent.get(f"talks/{row['id']}"))["lines"]
    return [part["text"] for line in lines if line["who"] == "citizen" for part in line["parts"]]


@dataclass(frozen=True)
class Text:
    """A telephone that only writes text messages."""

    hall: Place
    number: str

    @property
    def heard(self) -> list[str]:
        return [line.text for line in self.hall.carrier.phone(self.number).lines if line.who != "citizen"]

    async def says(self, text: str) -> str:
        """Write, and return the answer."""
        before = len(self.heard)
        self.hall.carrier.say(self.number, text)
        await until(lambda: len(self.heard) > before)
        self.hall.clock.wait(milliseconds=1)
        return self.heard[-1]


@dataclass
class Place(Hall):
    """A hall whose city is reached by text messages too."""

    carrier: Carrier = field(kw_only=True)


@asynccontextmanager
async def _place(database: str, folder: Any, desk: dict[str, Any]) -> AsyncIterator[Place]:
    carrier = Carrier(CarrierSettings("901234", "hotline", number="12345"))
    async with cmpp_server(carrier) as server:
        sms = {
            "kind": "cmpp",
            "host": "127.0.0.1",
            "port": server.port,
            "sp_id": "901234",
            "secret": "hotline",
        }
        sms |= {"src_id": "12345", "signature": "泰安12345", "version": 2, "rate": 10_000}
        async with opened(database, folder, desk=desk, channels={"sms": sms}) as hall:
            yield Place(hall.phone, hall.clock, hall.database, hall.folder, hall.agents, carrier=carrier)


@pytest.fixture
async def hall(database, tmp_path):
    async with _place(database, tmp_path, {"queue_limit": 1}) as each:
        yield each


@pytest.fixture
async def long(database, tmp_path):
    async with _place(database, tmp_path, {}) as each:
        yield each
