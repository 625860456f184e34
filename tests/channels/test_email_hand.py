"""The letters in hand: so many and so many bytes, each after those it belongs with."""

from __future__ import annotations

import asyncio

import pytest

from channels.email.hand import BYTES, LETTERS, Hand


@pytest.mark.parametrize(
    ("held", "letters", "size", "fits"),
    [
        pytest.param([], 1, 2 * BYTES, True, id="a large one alone"),
        pytest.param([10], LETTERS - 1, 10, True, id="as many as the hand holds"),
        pytest.param([10], LETTERS, 10, False, id="one more than the hand holds"),
        pytest.param([BYTES // 2], 1, BYTES // 2, True, id="as many bytes"),
        pytest.param([BYTES // 2], 1, BYTES // 2 + 1, False, id="a byte more"),
    ],
)
async def test_what_fits(held, letters, size, fits):
    hand = Hand()
    for uid, each in enumerate(held):
        hand.take(uid, each, [], asyncio.Event().wait)
    assert hand.fits(letters, size) is fits
    await hand.drop()


async def test_a_letter_is_written_after_each_that_shares_a_key_even_one_that_shared_it_with_another():
    order = []
    hand, gate = Hand(), asyncio.Event()

    def write(number, waits=None):
        async def written():
            if waits is not None:
                await waits.wait()
            order.append(number)
            return "Processed"

        return written

    hand.take(1, 1, ["a"], write(1, gate))
    hand.take(2, 1, ["a", "b"], write(2))
    hand.take(3, 1, ["b"], write(3))
    hand.take(4, 1, ["c", ""], write(4))
    hand.take(5, 1, [""], write(5))
    await hand.some()
    while len(order) < 2:
        await asyncio.sleep(0)
    assert order == [4, 5]
    assert hand.written() == {4: "Processed", 5: "Processed"}
    gate.set()
    while hand:
        await hand.some()
        hand.written()
    assert order == [4, 5, 1, 2, 3]
