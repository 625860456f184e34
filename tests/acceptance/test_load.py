"""A province's worst minute through the stand-in: nobody is brought twice. Longer: JIESU_TEST_LOAD_SECONDS=60."""

import asyncio
import os
import statistics

import pytest

from gateway.app import listening
from gateway.sandbox.application import DRIVER, PLATFORM, create_sandbox
from gateway.sandbox.platform import SandboxSettings
from tests.bench.load import DIALOGUE
from tests.kit.process import configure, served
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN

SECONDS = int(os.environ.get("JIESU_TEST_LOAD_SECONDS", "4"))
PER_SECOND = 300
CITIZENS = 600


@pytest.mark.acceptance
@pytest.mark.timeout(120 + SECONDS)
async def test_the_platform_never_has_to_bring_a_message_again(database, tmp_path):
    account = SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY)
    sandbox = create_sandbox(account)
    async with listening(sandbox, "127.0.0.1", 0) as port:
        config = configure(tmp_path, database, f"http://127.0.0.1:{port}")
        server = served(config)
        # Starting and stopping a process may block; the load may not.
        _, address = await asyncio.to_thread(server.__enter__)
        try:
            account.callback_url = f"{address}/channels/wx"
            await _load(sandbox[PLATFORM], sandbox[DRIVER])
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
    counts, latencies = sandbox[PLATFORM].counts, sandbox[PLATFORM].latencies
    print(f"{dict(counts)}, p50 {statistics.median(latencies) * 1000:.1f} ms, worst {max(latencies):.2f} s")
    assert counts["retries"] == counts["service_faults"] == counts["too_long"] == 0
    assert counts["passive"] == SECONDS * PER_SECOND


async def _load(platform, driver):
    loop = asyncio.get_running_loop()
    start, busy = loop.time(), set()
    for n in range(SECONDS * PER_SECOND):
        await asyncio.sleep(max(0.0, start + n / PER_SECOND - loop.time()))
        person = platform.person(f"oCitizen{n % CITIZENS}")
        task = asyncio.create_task(driver.write(person, DIALOGUE[n // CITIZENS % len(DIALOGUE)]))
        busy.add(task)
        task.add_done_callback(busy.discard)
    await asyncio.gather(*busy)
