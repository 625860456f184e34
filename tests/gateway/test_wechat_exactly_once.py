"""Exactly once under the platform's retries: a slow database, the same message three times, four messages in a hurry."""

import asyncio
import time

from sqlalchemy import func, select

from gateway.batch import Decider
from gateway.store.bodies import open_message
from gateway.store.tables import INBOX, OUTGOING
from tests.kit.standin import phone, until

BOT = 0.02
"""Seconds the slow bot takes over a message."""
ROUNDS = 3
WORDS = ("您好", "我要反映问题", "门前井盖丢失，行人很容易掉下去", "东岳大街88号")


class Slow(Decider):
    """A database that holds the first batch for six seconds: longer than the platform waits."""

    seconds = 6.0

    async def decide(self, batch, items, rows, moment, clock, *, looks):
        # A batch may bring nothing but marks; it is a message that shall meet with the slow database.
        if items:
            wait, Slow.seconds = Slow.seconds, 0.0
            await asyncio.sleep(wait)
        return await super().decide(batch, items, rows, moment, clock, looks=looks)


class Pondering(Decider):
    """A bot that takes its time over every message."""

    async def decide(self, batch, items, rows, moment, clock, *, looks):
        await asyncio.sleep(BOT * len(items))
        return await super().decide(batch, items, rows, moment, clock, looks=looks)


async def count(citizen, table):
    query = select(func.count()).select_from(table)
    return await citizen.gateway.books.store.read(lambda c: c.execute(query).scalar())


async def last_reply(citizen):
    """Return (state, route) of the last row that was to be sent."""
    query = select(OUTGOING.c.state, OUTGOING.c.route).order_by(OUTGOING.c.id.desc()).limit(1)
    return await citizen.gateway.books.store.read(lambda c: tuple(c.execute(query).one()))


async def written_down(citizen):
    """Return [(what was said, what was answered)] in the order in which they were written down."""
    query = (
        select(INBOX.c.body, OUTGOING.c.body)
        .join(OUTGOING, OUTGOING.c.id == INBOX.c.reply)
        .order_by(INBOX.c.id)
    )
    books = citizen.gateway.books
    rows = await books.store.read(lambda c: c.execute(query).all())
    return [
        (open_message(books.sealer, said).text, books.sealer.open(answer).decode()) for said, answer in rows
    ]


async def test_three_deliveries_at_once_with_a_slow_database_are_one_turn_and_one_reply(
    database, tmp_path, clock
):
    Slow.seconds = 0.0
    async with phone(database, tmp_path, clock, decider=Slow) as citizen:
        before = await count(citizen, INBOX), await count(citizen, OUTGOING)
        heard, custom = len(citizen.person.lines), citizen.platform.counts["custom"]
        fields = {"MsgType": "text", "Content": "门前井盖丢失，行人很容易掉下去", "MsgId": "4711"}
        citizen.platform.wrote(citizen.person)
        Slow.seconds = 6.0
        ends = await asyncio.gather(*(citizen.driver.bring(citizen.person, fields) for _ in range(3)))
        rows = await count(citizen, INBOX) - before[0], await count(citizen, OUTGOING) - before[1]
        assert rows == (1, 1)
        assert citizen.platform.counts["retries"] == 3, "the platform waited five seconds in vain each time"
        # Each of the three connections may carry the same answer: the platform shows it once.
        assert ends == ["passive"] * 3
        assert len({line.text for line in citizen.person.lines[heard:]}) == 1
        # What rode in the answer is written off as such, and not sent once more.
        await until(lambda: settled(citizen))
        assert await last_reply(citizen) == ("sent", "passive")
        assert citizen.platform.counts["custom"] == custom
        assert citizen.platform.counts["service_faults"] == 0


async def settled(citizen):
    return (await last_reply(citizen))[0] == "sent"


async def test_four_messages_in_a_hurry_are_answered_in_order_and_hardly_later_than_one(
    database, tmp_path, clock
):
    async with phone(database, tmp_path, clock, decider=Pondering) as citizen:
        more = []
        for number in range(ROUNDS):
            one, _ = await hurried(citizen, [f"在吗{number}"])
            words = [f"{number}{word}" for word in WORDS]
            four, answers = await hurried(citizen, words)
            more.append(four - one)
            told = (await written_down(citizen))[-len(words) :]
            assert [said for said, _ in told] == words
            assert answers == [answer for _, answer in told]
        assert citizen.platform.counts["retries"] == 0
        # The quickest of the rounds: on a busy machine one may have to wait, not all of them.
        assert min(more) < 0.2, more


async def hurried(citizen, words):
    """Write all the words at once, each without waiting for an answer; return the seconds and the answers."""
    heard, started = len(citizen.heard), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for word in words:
            group.create_task(citizen.driver.write(citizen.person, word))
            await asyncio.sleep(0)
    return time.perf_counter() - started, citizen.heard[heard:]
