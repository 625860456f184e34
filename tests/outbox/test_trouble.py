"""Whatever goes wrong, nothing is lost in silence, sent twice, or in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, insert, select, text

from channels.contract import SendError, SendReason
from gateway.store.rows import OutgoingRow, Rows
from gateway.store.store import Store
from normalizer.errors import InvalidInput
from outbox import queue
from outbox.queue import Settled
from outbox.sender import LEASE_MS, PLACES
from outbox.tables import FLIGHT, OutState
from tests.conftest import open_any
from tests.outbox.owed import IDS, NIGHT, PLAIN, Owed, Told, person, refuses

T = TypeVar("T")


async def test_three_hundred_messages_by_two_senders_go_once_and_in_order(
    owed: Owed, other_store: Store
) -> None:
    chance = random.Random(7)
    people = [f"p{n}" for n in range(50)]
    for who in people:
        await owed.owe(who, *(f"{who} {n}" for n in range(6)))
        refuses(owed.wechat, f"{who} {chance.randrange(6)}", SendError(SendReason.THROTTLED))
    senders = (owed.sender, owed.another(other_store))
    for _ in range(2):
        await owed.drain(*senders)
        owed.wait(minutes=5)
    assert len(owed.sent()) == 300
    for who in people:
        mine = [words for words in owed.sent() if words.startswith(f"{who} ")]
        assert mine == [f"{who} {n}" for n in range(6)]


async def test_two_claims_at_once_take_no_row_twice(owed: Owed, other_store: Store) -> None:
    for n in range(40):
        await owed.owe(f"p{n}", "一", "二")
    at = owed.at()
    stores = (owed.store, other_store) * 3
    taken = await asyncio.gather(*(s.write(lambda c: queue.claim(c, at, 10, at + LEASE_MS)) for s in stores))
    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids)) == 40


async def test_what_only_another_process_can_send_is_left_to_it_without_a_try(
    owed: Owed, other_store: Store
) -> None:
    (row,) = await owed.owe("a", "您好")
    idle = Told("wx")
    idle.sends_here = False
    elsewhere = owed.another(other_store, channels={"wx": idle})
    for _ in range(20):
        await owed.drain(elsewhere)
        owed.wait(minutes=1)
    assert (idle.begun, await owed.states()) == (0, ["queued"])
    await owed.drain()
    assert (owed.sent(), [n for n, _, _ in await owed.attempts(row)]) == (["您好"], [1])


async def test_one_notice_is_owed_once_however_often_it_is_put(owed: Owed) -> None:
    await owed.owe("a", "您好")
    for _ in range(2):
        async with owed.store.batch() as batch:
            await batch.load([person("a")], [])
            await batch.write(Rows(outgoing=[_notice(owed.at())]))
    await owed.drain()
    assert owed.sent() == ["您好", "已受理"]


async def test_a_hanging_send_is_unknown_when_patience_ends_and_never_repeated(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    owed.wechat.hangs = True
    await owed.another(patience=0.05).once()
    owed.wechat.hangs = False
    owed.wait(hours=2)
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["unknown"], [])
    assert await owed.attempts(row) == [(1, "custom", "unknown")]


async def test_a_kill_between_sending_and_recording_leaves_it_unknown(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    await _killed_after_sending(owed)
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["sending"], ["一"])
    owed.wait(seconds=61)
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["unknown"], ["一"])
    assert await owed.attempts(row) == [(1, "", "unknown")]


async def test_the_next_message_goes_once_the_lost_one_is_written_off(owed: Owed) -> None:
    await owed.owe("a", "一", "二")
    await _killed_after_sending(owed)
    owed.wait(seconds=61)
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["unknown", "sent"], ["一", "二"])


async def test_a_late_word_is_taken_after_the_row_was_written_off(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    (claimed,) = await _claimed(owed)
    owed.wait(seconds=61)
    await owed.store.write(lambda c: queue.expire(c, owed.at()))
    late = Settled(claimed, OutState.SENT, owed.at(), tried="custom", route="custom")
    await owed.store.write(lambda c: queue.settle(c, [late]))
    assert await owed.states() == ["sent"]
    assert await owed.attempts(row) == [(1, "custom", "sent")]


async def test_a_late_word_is_not_taken_for_a_row_that_was_claimed_anew(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    (claimed,) = await _claimed(owed)
    owed.wait(seconds=61)
    await owed.store.write(lambda c: queue.expire(c, owed.at()))
    await owed.store.write(lambda c: queue.revive(c, row, owed.at()))
    await _claimed(owed)
    late = Settled(claimed, OutState.DEAD, owed.at(), tried="custom", route="custom")
    await owed.store.write(lambda c: queue.settle(c, [late]))
    assert await owed.states() == ["sending"]


async def test_a_passive_reply_nobody_vouched_for_is_unknown_and_can_be_revived(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一", state="passive", route="passive", lease_until=owed.at() + 10)
    owed.wait(seconds=1)
    await owed.drain()
    assert await owed.states() == ["unknown"]
    assert await owed.store.write(lambda c: queue.revive(c, row, owed.at()))
    await owed.drain()
    assert await owed.attempts(row) == [(1, "passive", "unknown"), (2, "custom", "sent")]


async def flies(owed: Owed, members: list[tuple[str, bytes]], *, seconds: float) -> None:
    """Put passive replies into a flight that ends in some seconds."""
    until = owed.at() + round(seconds * 1000)
    joined = b"".join(person(who) + row for who, row in members)
    row = {"id": IDS(), "lease_until": until, "members": joined}
    await owed.store.write(lambda c: c.execute(insert(FLIGHT), [row]))


async def test_what_a_crash_left_flying_is_unknown_and_nothing_else(owed: Owed) -> None:
    (first,) = await owed.owe("a", "一", state="sent", route="passive")
    (second,) = await owed.owe("b", "二", state="sent", route="passive")
    (third,) = await owed.owe("c", "三", state="sent", route="custom")
    await owed.owe("d", "四", state="sent", route="passive")
    await flies(owed, [("a", first), ("b", second), ("c", third)], seconds=10)
    owed.wait(seconds=9)
    await owed.drain()
    assert await owed.states() == ["sent"] * 4
    owed.wait(seconds=2)
    await owed.drain()
    assert await owed.states() == ["unknown", "unknown", "sent", "sent"]
    assert await owed.attempts(first) == [(1, "passive", "unknown")]
    left = await owed.store.read(lambda c: c.execute(select(FLIGHT.c.id)).all())
    assert left == []
    assert await owed.store.write(lambda c: queue.revive(c, first, owed.at()))
    await owed.drain()
    assert owed.sent() == ["一"]


async def test_what_follows_a_flying_reply_waits_for_it_and_others_do_not(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一", state="sent", route="passive")
    await flies(owed, [("a", row)], seconds=10)
    await owed.owe("a", "二")
    await owed.owe("b", "三")
    await owed.drain()
    assert owed.sent() == ["三"]
    owed.wait(seconds=11)
    await owed.drain()
    assert owed.sent() == ["三", "二"]


async def test_what_was_sent_is_recorded_when_the_database_comes_back(owed: Owed) -> None:
    await owed.owe("a", "一")
    away = Away(owed.store)
    sender = owed.another(away)
    away.after = 1
    with pytest.raises(ConnectionError):
        await sender.once()
    owed.wait(minutes=5)
    away.after = 1000
    await owed.drain(sender)
    assert (await owed.states(), owed.sent()) == (["sent"], ["一"])


async def test_a_row_that_cannot_be_opened_is_dead_and_blocks_nobody(owed: Owed) -> None:
    def unseal(sealed: bytes) -> bytes:
        if sealed == "坏".encode():
            raise InvalidInput("changed")
        return sealed

    await owed.owe("bad", "坏")
    await owed.owe("good", "好")
    await owed.drain(owed.another(unseal=unseal))
    assert (await owed.states(), owed.sent()) == (["dead", "sent"], ["好"])


async def test_an_adapter_that_breaks_leaves_its_row_unknown_and_blocks_nobody(owed: Owed) -> None:
    owed.wechat.answers["坏"] = [RuntimeError("a fault of the adapter")]
    await owed.owe("bad", "坏")
    await owed.owe("good", "好")
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["unknown", "sent"], ["好"])


async def test_whatever_a_provider_says_can_be_written_down(owed: Owed) -> None:
    (row,) = await owed.owe("bad", "坏")
    await owed.owe("good", "好")
    refuses(owed.wechat, "坏", SendError(SendReason.CONTENT, "a\0b\ud800" + "长" * 9000))
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["dead", "sent"], ["好"])
    assert (await owed.outcome(row)).startswith("content: ab?长")


async def test_a_row_of_an_account_that_is_gone_is_dead_and_says_why(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一", account="old")
    await owed.drain()
    assert (await owed.states(), await owed.outcome(row)) == (["dead"], "no such account any more")


async def test_a_hanging_account_starves_no_other(owed: Owed) -> None:
    hanging, quick = Told("hanging", PLAIN), Told("quick", PLAIN)
    hanging.hangs = True
    running = asyncio.create_task(owed.another(channels={"hanging": hanging, "quick": quick}).run())
    # A few first, then more at once than there are places left.
    await owed.owe_all([f"h{n}" for n in range(10)], account="hanging")
    await _until(lambda: hanging.begun == 10)
    await owed.owe_all([f"i{n}" for n in range(3 * PLACES)], account="hanging")
    await _until(lambda: hanging.begun >= PLACES)
    await owed.owe_all([f"q{n}" for n in range(3 * PLACES)], account="quick")
    await _until(lambda: len(quick.sent) == 3 * PLACES)
    assert hanging.begun == PLACES
    await _cancelled(running)


async def test_a_notice_held_for_the_morning_is_in_nobodys_way(owed: Owed) -> None:
    owed.now = NIGHT
    await owed.owe("a", "请评价", notice="rate")
    await owed.drain()
    await owed.owe("a", "您好")
    await owed.owe("a", "已受理", notice="accepted")
    await owed.drain()
    assert owed.sent() == ["您好", "已受理"]
    owed.wait(hours=9)
    await owed.drain()
    assert owed.sent() == ["您好", "已受理", "请评价"]
    assert ("wx", "queued") in owed.meter.outcomes


async def test_a_route_that_refused_is_not_tried_again_when_the_other_is_busy(owed: Owed) -> None:
    (row,) = await owed.owe("a", "已转办", notice="dispatched")
    refuses(owed.wechat, "已转办", SendError(SendReason.REFUSED), SendError(SendReason.BUSY))
    await owed.drain()
    owed.wait(minutes=1)
    await owed.drain()
    routes = [(route, outcome) for _, route, outcome in await owed.attempts(row)]
    assert routes == [("custom", "queued"), ("template", "queued"), ("template", "sent")]


async def test_when_every_route_refused_a_person_is_told_to_call(owed: Owed) -> None:
    (row,) = await owed.owe("a", "已转办", notice="dispatched")
    refuses(owed.wechat, "已转办", SendError(SendReason.WINDOW), SendError(SendReason.REFUSED))
    await owed.drain()
    assert await owed.states() == ["dead"]
    assert "phone" in await owed.outcome(row)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        pytest.param(None, 4, id="sent: one less"),
        pytest.param(SendReason.TIMEOUT, 4, id="unknown: one less, to be safe"),
        pytest.param(SendReason.CONTENT, 5, id="not taken: none less"),
        pytest.param(SendReason.BUSY, 5, id="to be tried again: none less"),
        pytest.param(SendReason.WINDOW, 0, id="closed: none left"),
    ],
)
async def test_the_window_is_counted_in_the_commit_that_settles(
    owed: Owed, error: SendReason | None, left: int
) -> None:
    await owed.owe("a", "一")
    await owed.owe("b", "二")
    await owed.change("a", window_left=5)
    if error:
        refuses(owed.wechat, "一", SendError(error))
    await owed.sender.once()
    assert (await owed.left("a"), await owed.left("b")) == (left, 99)


async def test_stale_rows_delay_nothing(owed: Owed) -> None:
    await owed.owe("a", *"一二三四五")
    await owed.change("a", epoch=1)
    await owed.owe("a", "六", epoch=1)
    assert await owed.sender.once() == 1
    assert (await owed.states(), owed.sent()) == (["stale"] * 5 + ["sent"], ["六"])


async def test_what_is_buried_is_not_sent(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    assert await owed.store.write(lambda c: queue.bury(c, row))
    await owed.drain()
    assert (await owed.states(), owed.sent()) == (["buried"], [])


async def test_what_was_sent_can_be_neither_revived_nor_buried(owed: Owed) -> None:
    (row,) = await owed.owe("a", "一")
    await owed.drain()
    assert not await owed.store.write(lambda c: queue.revive(c, row, owed.at()))
    assert not await owed.store.write(lambda c: queue.bury(c, row))


async def test_a_stop_finishes_what_is_begun_and_begins_nothing_more(owed: Owed) -> None:
    slow = Slow("wx", PLAIN)
    for n in range(PLACES + 5):
        await owed.owe(f"p{n}", "一")
    sender = owed.another(channels={"wx": slow})
    running = asyncio.create_task(sender.run())
    await _until(lambda: slow.begun == PLACES)
    sender.stop()
    slow.go.set()
    await asyncio.wait_for(running, 5)
    assert sorted(await owed.states()) == ["queued"] * 5 + ["sent"] * PLACES


async def test_an_idle_sender_stops_at_once(owed: Owed) -> None:
    sender = owed.another()
    running = asyncio.create_task(sender.run())
    await _until(lambda: sender._woken is not None)
    sender.stop()
    await asyncio.wait_for(running, 1)


async def test_settling_and_a_batch_of_the_pipeline_never_wait_for_each_other(
    owed: Owed, other_store: Store
) -> None:
    if owed.store.dialect == "sqlite":
        pytest.skip("one writer: nothing to wait for")
    await owed.owe("b", "二")
    await owed.owe("a", "一")
    claimed = await _claimed(owed)
    settled = [Settled(row, OutState.SENT, owed.at(), tried="custom", route="custom") for row in claimed]
    async with other_store.batch() as batch:
        await batch.load([person("a")], [])
        settling = asyncio.create_task(owed.store.write(lambda c: queue.settle(c, settled)))
        await _until_waiting(owed.store)
        await asyncio.wait_for(batch.load([person("b")], []), 5)
    await asyncio.wait_for(settling, 5)
    assert await owed.states() == ["sent", "sent"]


class Away:
    """A store whose database goes away after so many writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.after = 0

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.after == 0:
            raise ConnectionError
        self.after -= 1
        return await self._store.write(work)


class Slow(Told):
    """Answers when it is let go."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.go = asyncio.Event()

    async def send(self, message: Any) -> Any:
        self.begun += 1
        await self.go.wait()
        return await Told.send(self, message)


@pytest.fixture
def owed(store: Store) -> Owed:
    return Owed(store)


@pytest.fixture
async def other_store(store: Store, database: str) -> AsyncIterator[Store]:
    """The store as another process sees it; SQLite has one process only."""
    if store.dialect == "sqlite":
        yield store
        return
    other = await open_any(database)
    yield other
    await other.close()


def _notice(at: int) -> OutgoingRow:
    return OutgoingRow(
        id=IDS(), conversation=person("a"), account="wx", case_no="1", notice="accepted", notice_key="1:accepted:0",
        epoch=queue.ANY_OWNER, state="queued", route="", body="已受理".encode(), attempts=0, next_at=at,
        lease_until=0, created_at=at, sent_at=None, outcome="",
    )  # fmt: skip


async def _claimed(owed: Owed) -> list[queue.Claimed]:
    at = owed.at()
    return await owed.store.write(lambda c: queue.claim(c, at, 10, at + LEASE_MS))


async def _killed_after_sending(owed: Owed) -> None:
    """Let a sender hand one message to the network and die before it can write that down."""
    away = Away(owed.store)
    away.after = 1
    with pytest.raises(ConnectionError):
        await owed.another(away).once()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def _until_waiting(store: Store) -> None:
    """Return when a backend of this database waits for a lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        while not await store.read(lambda c: c.execute(query).scalar()):
            await asyncio.sleep(0.01)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
