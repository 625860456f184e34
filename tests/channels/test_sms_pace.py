import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import SendError, SendReason
from channels.sms.pace import Pace, Rate, backoff


@pytest.mark.parametrize(("rate", "span"), [(3.0, 1.0), (0.5, 2.0), (2.5, 0.8)])
async def test_no_span_ever_sees_more_than_its_rate(rate, span):
    now, passed = [0.0], []

    async def sleep(seconds):
        now[0] += seconds

    bucket = Rate(rate, Pace(lambda: now[0], sleep))
    for _ in range(20):
        await bucket.turn()
        passed.append(now[0])
    most = max(int(rate), 1)
    assert all(later - earlier >= span - 1e-9 for earlier, later in zip(passed, passed[most:], strict=False))
    assert passed[most - 1] == 0.0


async def test_who_asks_together_goes_in_turn():
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio.sleep(0)

    bucket = Rate(1, Pace(lambda: 0.0, sleep))
    await asyncio.gather(*(bucket.turn() for _ in range(4)))
    assert slept == [1.0, 2.0, 3.0]


async def test_who_would_wait_too_long_is_sent_away_and_takes_no_turn():
    now = [0.0]
    bucket = Rate(0.1, Pace(lambda: now[0]), patience=5.0)
    await bucket.turn()
    for _ in range(2):
        with pytest.raises(SendError) as full:
            await bucket.turn()
        assert (full.value.reason, full.value.retry_after) == (SendReason.THROTTLED, 10.0)
    now[0] = 10.0
    await bucket.turn()


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_grows_and_stays_within_bounds(failures, chance):
    assert 0.5 <= backoff(failures, chance) <= 60
    assert backoff(failures + 1, chance) >= backoff(failures, chance)
