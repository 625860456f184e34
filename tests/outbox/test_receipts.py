"""What a provider says later: matched whichever comes first, never falling back, all parts counted."""

from __future__ import annotations

from functools import partial

import pytest

from channels.contract import SendResult
from normalizer.message import Delivery, Receipt
from outbox import queue, receipts
from tests.outbox.owed import MORNING, PLAIN, Owed, Told

DELIVERED, FAILED, SENT = Delivery.DELIVERED, Delivery.FAILED, Delivery.SENT


class Parted(Told):
    """Sends every message in two parts, named after its text."""

    async def send(self, message) -> SendResult:
        await super().send(message)
        return SendResult((f"{message.text}-1", f"{message.text}-2"))


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        pytest.param((), (("1", SENT), ("2", SENT)), "sent", id="on its way"),
        pytest.param((), (("1", DELIVERED),), "sent", id="one part of two"),
        pytest.param((), (("2", DELIVERED), ("1", DELIVERED)), "delivered", id="both parts, out of order"),
        pytest.param((), (("1", DELIVERED), ("2", FAILED)), "undelivered", id="a part that failed"),
        pytest.param((("1", DELIVERED),), (("2", DELIVERED),), "delivered", id="one before the send was noted"),
        pytest.param((("1", DELIVERED), ("2", DELIVERED)), (), "delivered", id="both before"),
        pytest.param((("2", FAILED),), (), "undelivered", id="a failure before"),
        pytest.param(
            (), (("1", DELIVERED), ("2", DELIVERED), ("1", FAILED)), "delivered", id="a late word changes nothing"
        ),
        pytest.param((), (("1", DELIVERED), ("1", SENT), ("2", DELIVERED)), "delivered", id="none falls back"),
        pytest.param((), (("1", DELIVERED), ("1", DELIVERED)), "sent", id="the same twice is one"),
    ],
)  # fmt: skip
async def test_a_message_is_what_its_receipts_say(store, before, after, state):
    owed = Owed(store, PLAIN)
    owed.wechat = Parted("wx", PLAIN)
    for number, delivery in before:
        await receive(store, f"您好-{number}", delivery)
    await owed.owe("a", "您好")
    await owed.drain(owed.another(channels={"wx": owed.wechat}))
    for number, delivery in after:
        await receive(store, f"您好-{number}", delivery)
    assert await owed.states() == [state]


async def test_a_receipt_of_another_account_is_another_message(store):
    owed = Owed(store, PLAIN)
    await owed.owe("a", "您好")
    await owed.drain()
    name = owed.wechat.sent[0].id
    assert await receive(store, name, DELIVERED, account="other") is None
    assert await receive(store, "unknown", DELIVERED) is None
    assert await owed.states() == ["sent"]
    assert await receive(store, name, FAILED) == "undelivered"
    assert await receive(store, name, FAILED) is None


async def test_an_undelivered_message_says_why_and_can_be_sent_again(store):
    owed = Owed(store, PLAIN)
    [row] = await owed.owe("a", "您好")
    await owed.drain()
    await receive(store, row.hex(), FAILED, detail="MBBLACK\0" + "x" * 500)
    assert (await owed.outcome(row)).startswith("MBBLACKx")
    assert await store.write(partial(queue.revive, row=row, now_ms=owed.at()))
    await owed.drain()
    assert owed.sent() == ["您好", "您好"]


async def test_what_a_message_was_about_is_found_by_any_of_its_names(store):
    owed = Owed(store, PLAIN)
    [row] = await owed.owe("a", "您好", case_no="37092611240001233")
    await owed.drain()
    await store.write(lambda c: receipts.came(c, "wx", "<mail@qq.com>", "37092611240000019", 1))
    for names, number in (
        (["x", row.hex()], "37092611240001233"),
        (["<mail@qq.com>", row.hex()], "37092611240000019"),
        (["x"], ""),
        ([], ""),
    ):
        assert await store.read(partial(receipts.case_of, account="wx", names=names)) == number


async def receive(store, name, delivery, account="wx", detail=""):
    receipt = Receipt(account, name, delivery, MORNING, detail)
    return await store.write(partial(receipts.receive, receipt=receipt, at=2))
