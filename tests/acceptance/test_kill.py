"""Pull the plug under load and look at what is left. More rounds: JIESU_TEST_KILLS=20."""

import asyncio
import os
import random
import signal
from collections import defaultdict

import pytest

from tests.kit.process import Crowd, configure, jiesu, served

KILLS = int(os.environ.get("JIESU_TEST_KILLS", "2"))
PER_SECOND = 500
PASSIVE_STATES = {"sent", "passive", "unknown"}
EXPECTED = ("说您的问题", "发生了什么事", "请发送定位", "已取消")


@pytest.mark.acceptance
@pytest.mark.timeout(60 + 30 * KILLS)
def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(database, tmp_path):
    config = configure(tmp_path, database)
    crowd = Crowd()
    for _ in range(KILLS):
        with served(config) as (process, address):
            crowd.url = f"{address}/channels/wx"
            asyncio.run(_killed(crowd, process))
    with served(config) as (_, address):
        crowd.url = f"{address}/channels/wx"
        asyncio.run(_finished(crowd))
        asyncio.run(asyncio.sleep(0.2))
    assert not crowd.open
    inbox = jiesu(config, "inbox", "list", "--limit", "1000000")
    outbox = jiesu(config, "outbox", "list", "--limit", "1000000")
    _every_message_once(crowd, inbox)
    _every_reply_once_and_in_order(crowd, outbox)
    assert jiesu(config, "audit", "verify")["breaches"] == []


async def _killed(crowd, process):
    await crowd.retry()
    writing = asyncio.create_task(crowd.write(5, PER_SECOND))
    await asyncio.sleep(random.uniform(0.5, 1.5))
    process.send_signal(signal.SIGKILL)
    await writing


async def _finished(crowd):
    while crowd.open:
        await crowd.retry()


def _every_message_once(crowd, inbox):
    found = defaultdict(list)
    for row in reversed(inbox):
        found[row["sender"]].append(row["external_id"])
        assert row["state"] == "done"
    assert found == crowd.asked


def _every_reply_once_and_in_order(crowd, outbox):
    sent = defaultdict(list)
    for row in reversed(outbox):
        assert row["state"] in PASSIVE_STATES
        sent[row["address"]].append(row["text"])
    for sender, answers in crowd.answers.items():
        assert sent[sender] == answers
        assert all(EXPECTED[n % 4] in answer for n, answer in enumerate(answers))
