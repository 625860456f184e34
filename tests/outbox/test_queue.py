import asyncio
import random
from datetime import time, timedelta

import pytest
from sqlalchemy import insert, select, update

from channels.contract import Capabilities, SendError, SendReason
from channels.memory import Memory
from gateway.bus import MemoryBus
from gateway.runtime import Ids, instant, millis
from gateway.store.tables import ATTEMPT, CONVERSATION, OUTGOING
from normalizer.message import SourceChannel
from outbox import queue
from outbox.route import Quiet
from outbox.sender import Sender
from outbox.tables import OutState
from tests.kit.cases import NOW
from tests.kit.gateway import Hand

IDS = Ids()
QUIET = Quiet(time(21), time(8))


class NoMeter:
    def sent(self, account: str, outcome: str) -> None:
        pass


class House:
    """A queue with one account, and a channel that does as it is told."""

    def __init__(self, store, *, passive=False, templates=None) -> None:
        self.store = store
        self.clock = Hand()
        able = Capabilities(
            SourceChannel.WECHAT, 2048, passive=passive, windowed=passive, templates=templates or {}
        )
        self.channel = Memory("wx", able)
        self.sender = self.another_sender()

    def another_sender(self) -> Sender:
        return Sender(
            store=self.store,
            channels={"wx": self.channel},
            unseal=bytes,
            quiet=QUIET,
            elsewhere=lambda connection, row: "",
            wake=MemoryBus(),
            meter=NoMeter(),
            now=self.clock,
            random=lambda: 0.5,
        )

    async def owes(self, person: str, *texts: str, notice="reply", epoch=0, key=None) -> list[bytes]:
        who = person.encode().ljust(16, b"0")[:16]
        return await self.store.write(lambda c: _put(c, who, texts, notice, epoch, key, millis(self.clock())))

    async def states(self) -> list[str]:
        query = select(OUTGOING.c.state).order_by(OUTGOING.c.id)
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def attempts(self) -> list[tuple[str, str]]:
        query = select(ATTEMPT.c.route, ATTEMPT.c.outcome).order_by(ATTEMPT.c.outgoing, ATTEMPT.c.n)
        return [tuple(row) for row in await self.store.read(lambda c: c.execute(query).all())]

    async def change(self, person: str, **values) -> None:
        who = person.encode().ljust(16, b"0")[:16]
        await self.store.write(
            lambda c: c.execute(update(CONVERSATION).where(CONVERSATION.c.id == who).values(values))
        )

    def sent(self) -> list[str]:
        return [message.text for message in self.channel.sent]


def _put(connection, who, texts, notice, epoch, key, at):
    if connection.execute(select(CONVERSATION.c.id).where(CONVERSATION.c.id == who)).first() is None:
        connection.execute(
            insert(CONVERSATION).values(
                id=who, account="wx", address=who, state=b"", owner="bot", epoch=0, version=1, waiting=0,
                window_until=at + 3_600_000, window_left=5, opted_out=False, last_in_at=at, skill="", urgent=False,
            )
        )  # fmt: skip
    ids = [IDS() for _ in texts]
    for row, words in zip(ids, texts, strict=True):
        connection.execute(
            insert(OUTGOING).values(
                id=row, conversation=who, account="wx", case_no="", notice=notice, notice_key=key, epoch=epoch,
                state="queued", route="", body=words.encode(), attempts=0, next_at=at, lease_until=0, created_at=at,
                outcome="",
            )
        )  # fmt: skip
    return ids


async def test_one_persons_messages_go_in_order_one_after_the_other(house):
    await house.owes("a", "一", "二", "三")
    while await house.sender.once():
        pass
    assert house.sent() == ["一", "二", "三"]


async def test_order_is_kept_when_the_second_is_held_up(house):
    await house.owes("a", "一", "二", "三")
    house.channel.outcomes.extend([None, SendError(SendReason.THROTTLED, retry_after=90)])
    while await house.sender.once():
        pass
    assert house.sent() == ["一"]
    house.clock.wait(seconds=100)
    while await house.sender.once():
        pass
    assert house.sent() == ["一", "二", "三"]


async def test_what_always_fails_blocks_nobody_else(house):
    await house.owes("bad", "坏")
    await house.owes("good", "好")
    house.channel.outcomes.append(SendError(SendReason.CONTENT))
    while await house.sender.once():
        pass
    assert sorted(await house.states()) == ["dead", "sent"]


async def test_a_timed_out_send_is_unknown_and_never_repeated(house):
    await house.owes("a", "一")
    house.channel.outcomes.append(SendError(SendReason.TIMEOUT))
    await house.sender.once()
    house.clock.wait(hours=1)
    assert await house.sender.once() == 0
    assert await house.states() == ["unknown"]
    assert await house.attempts() == [("custom", "unknown")]


async def test_a_sender_that_dies_leaves_its_rows_unknown(house):
    await house.owes("a", "一")
    now = millis(house.clock())
    await house.store.write(lambda c: queue.claim(c, now, 5, now + 60_000))
    assert await house.sender.once() == 0
    house.clock.wait(seconds=61)
    await house.sender.once()
    assert (await house.states(), house.sent()) == (["unknown"], [])


async def test_two_senders_never_send_one_row(house):
    for person in range(30):
        await house.owes(f"p{person}", "一", "二")
    other = house.another_sender()
    while sum(await asyncio.gather(house.sender.once(), other.once())):
        pass
    assert len(house.sent()) == 60
    assert set(await house.states()) == {"sent"}


async def test_an_outage_is_waited_out(house):
    await house.owes("a", "一")
    house.channel.outcomes.extend([SendError(SendReason.CONNECTION)] * 5)
    for _ in range(6):
        await house.sender.once()
        house.clock.wait(minutes=10)
    assert house.sent() == ["一"]
    assert [outcome for _, outcome in await house.attempts()] == ["queued"] * 5 + ["sent"]


async def test_a_provider_that_stays_busy_is_given_up_and_can_be_revived(house):
    (row,) = await house.owes("a", "一")
    house.channel.outcomes.extend([SendError(SendReason.BUSY)] * 3)
    for _ in range(4):
        await house.sender.once()
        house.clock.wait(minutes=1)
    assert await house.states() == ["dead"]
    assert await house.store.write(lambda c: queue.revive(c, row, millis(house.clock())))
    await house.sender.once()
    assert await house.states() == ["sent"]
    assert not await house.store.write(lambda c: queue.bury(c, row))


async def test_what_was_written_under_an_earlier_owner_is_not_sent(house):
    await house.owes("a", "旧", epoch=0)
    await house.change("a", epoch=1)
    await house.owes("a", "新", epoch=1)
    await house.owes("a", "通知", notice="dispatched", epoch=-1)
    while await house.sender.once():
        pass
    assert (await house.states(), house.sent()) == (["stale", "sent", "sent"], ["新", "通知"])


async def test_the_count_of_the_window_is_spent_and_then_nothing_is_sent(store):
    house = House(store, passive=True)
    await house.owes("a", "一")
    await house.change("a", window_left=1)
    await house.owes("a", "二")
    while await house.sender.once():
        pass
    assert (await house.states(), house.sent()) == (["sent", "dead"], ["一"])


async def test_past_the_window_a_notice_goes_by_its_template(store):
    house = House(store, passive=True, templates={"dispatched": "T1"})
    await house.owes("a", "已转办", notice="dispatched", epoch=-1)
    await house.change("a", window_until=0)
    await house.sender.once()
    assert [message.template for message in house.channel.sent] == ["T1"]


async def test_a_window_that_proves_closed_sends_the_notice_the_other_way(store):
    house = House(store, passive=True, templates={"accepted": "T1"})
    await house.owes("a", "已受理", notice="accepted", epoch=-1)
    house.channel.outcomes.append(SendError(SendReason.WINDOW, "errcode 45015"))
    while await house.sender.once():
        pass
    assert [message.template for message in house.channel.sent] == ["T1"]
    assert [route for route, _ in await house.attempts()] == ["custom", "template"]


async def test_at_night_what_can_wait_waits(house):
    house.clock.now = NOW.replace(hour=15)
    await house.owes("a", "请评价", notice="rate", epoch=-1)
    await house.owes("b", "已受理", notice="accepted", epoch=-1)
    await house.owes("c", "您好")
    while await house.sender.once():
        pass
    assert sorted(house.sent()) == ["已受理", "您好"]
    house.clock.wait(hours=9, minutes=1)
    await house.sender.once()
    assert "请评价" in house.sent()


async def test_whoever_wants_no_reminders_gets_answers_only(house):
    await house.owes("a", "您好")
    await house.change("a", opted_out=True)
    await house.owes("a", "已转办", notice="dispatched", epoch=-1)
    while await house.sender.once():
        pass
    assert (house.sent(), await house.states()) == (["您好"], ["sent", "buried"])


async def test_depth_and_age_tell_how_far_behind_we_are(house):
    await house.owes("a", "一")
    house.clock.wait(seconds=30)
    now = millis(house.clock())
    assert await house.store.read(lambda c: queue.depth_and_age(c, now)) == (1, 30_000)


async def test_a_loop_that_runs_sends_what_comes_and_stops_cleanly(house):
    running = asyncio.create_task(house.sender.run())
    for n in range(20):
        await house.owes(f"p{random.randrange(5)}", str(n))
    while len(house.sent()) < 20:
        await asyncio.sleep(0.02)
    house.sender.stop()
    await asyncio.wait_for(running, 10)
    assert set(await house.states()) == {OutState.SENT}


@pytest.fixture
async def house(store):
    return House(store)


def test_the_clock_of_the_kit_is_in_the_morning():
    assert instant(millis(NOW)) - NOW < timedelta(milliseconds=1)
