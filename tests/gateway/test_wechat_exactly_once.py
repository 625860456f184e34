"""Exactly once under the platform's retries: a slow database, the same message three times, four messages in a hurry."""

import asyncio
import time

import pytest
from sqlalchemy import func, select

from gateway.batch import Decider
from gateway.store.tables import INBOX, OUTGOING
from tests.kit.standin import phone, until


class Slow(Decider):
    """A database that holds the first batch for six seconds: longer than the platform waits."""

    seconds = 6.0

    async def decide(self, batch, items, rows, moment, clock):
        wait, Slow.seconds = Slow.seconds, 0.0
        await asyncio.sleep(wait if items else 0)
        return await super().decide(batch, items, rows, moment, clock)


class Pondering(Decider):
    """A bot that takes its time over every message."""

    async def decide(self, batch, items, rows, moment, clock):
        await asyncio.sleep(0.04 if items else 0)
        return await super().decide(batch, items, rows, moment, clock)


async def count(citizen, table):
    query = select(func.count()).select_from(table)
    return await citizen.gateway.books.store.read(lambda c: c.execute(query).scalar())


async def test_three_deliveries_at_once_with_a_slow_database_are_one_turn_and_one_reply(
    database, tmp_path, clock
):
    Slow.seconds = 0.0
    async with phone(database, tmp_path, clock, decider=Slow) as citizen:
        before = await count(citizen, INBOX), await count(citizen, OUTGOING)
        heard = len(citizen.heard)
        fields = {"MsgType": "text", "Content": "门前井盖丢失，行人很容易掉下去", "MsgId": "4711"}
        citizen.platform.wrote(citizen.person)
        Slow.seconds = 6.0
        await asyncio.gather(*(citizen.driver.bring(citizen.person, fields) for _ in range(3)))
        await until(lambda: len(citizen.heard) > heard)
        rows = await count(citizen, INBOX) - before[0], await count(citizen, OUTGOING) - before[1]
        assert rows == (1, 1)
        # Each of the three connections may carry the same answer: the platform shows it once.
        assert len(set(citizen.heard[heard:])) == 1
        assert citizen.platform.counts["service_faults"] == 0


@pytest.mark.parametrize(
    "words", [("您好", "我要反映问题", "门前井盖丢失，行人很容易掉下去", "东岳大街88号")]
)
async def test_four_messages_in_a_hurry_are_answered_in_order(database, tmp_path, clock, words):
    async with phone(database, tmp_path, clock, decider=Pondering) as citizen:
        started = time.perf_counter()
        await citizen.driver.write(citizen.person, "在吗")
        one = time.perf_counter() - started
        started = time.perf_counter()
        tasks = []
        for text in words:
            tasks.append(asyncio.create_task(citizen.driver.write(citizen.person, text)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        four = time.perf_counter() - started
        print(f"one {one * 1000:.0f} ms, four {four * 1000:.0f} ms")
        query = select(INBOX.c.reply).where(INBOX.c.state == "done").order_by(INBOX.c.id)
        replies = await citizen.gateway.books.store.read(lambda c: list(c.execute(query).scalars()))
        assert len(replies) == 6
        assert [each for each in replies if each] == sorted(each for each in replies if each)
        assert citizen.platform.counts["retries"] == 0
