"""A kill while files are fetched from WeChat: the next process has every one of them, once."""

import asyncio
import sqlite3
import time
from collections import deque
from contextlib import closing

import pytest

from gateway.app import listening
from gateway.sandbox.application import DRIVER, PLATFORM, create_sandbox
from gateway.sandbox.platform import Fault, SandboxSettings
from tests.kit import media
from tests.kit.gateway import embedded
from tests.kit.process import configure, served
from tests.kit.standin import until
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN

pytestmark = pytest.mark.acceptance

GET = "/cgi-bin/media/get"
PHOTOS = 6


async def test_a_kill_while_files_are_fetched_loses_none_and_keeps_each_once(tmp_path):
    account = SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY)
    sandbox = create_sandbox(account, clock=time.time)
    platform, driver = sandbox[PLATFORM], sandbox[DRIVER]
    async with listening(sandbox, "127.0.0.1", 0) as port:
        config = configure(tmp_path, embedded(tmp_path), f"http://127.0.0.1:{port}")
        person = platform.person("oUser")
        with served(config) as (process, address):
            account.callback_url = f"{address}/channels/wx"
            await driver.act(person, "subscribe")
            for number in range(PHOTOS):
                if number == PHOTOS // 2:
                    # These hang at the platform, so that the kill finds them in hand.
                    await until(lambda: states(tmp_path).count("stored") == PHOTOS // 2)
                    platform.faults[GET] = deque([Fault("hang")] * PHOTOS)
                await driver.show(person, "image", media.photo(size=(64 + number, 64)), "image/jpeg")
            await until(lambda: tries(tmp_path) == PHOTOS)
            process.kill()
            await asyncio.to_thread(process.wait)
        assert sorted(states(tmp_path)) == ["stored"] * (PHOTOS // 2) + ["wanted"] * (PHOTOS // 2)
        platform.faults.clear()
        # What the dead process had in hand is another's when its time is over.
        overdue(tmp_path)
        with served(config):
            await until(lambda: states(tmp_path) == ["stored"] * PHOTOS)
    assert platform.counts["media"] == PHOTOS
    assert kept(tmp_path) == PHOTOS


def ask(folder, words):
    with closing(sqlite3.connect(folder / "jiesu.sqlite3", timeout=5)) as database:
        found = database.execute(words).fetchall()
        database.commit()
    return [row[0] for row in found]


def states(folder):
    return ask(folder, "SELECT state FROM wanted ORDER BY state")


def tries(folder):
    return ask(folder, "SELECT coalesce(sum(tries), 0) FROM wanted")[0]


def kept(folder):
    return ask(folder, "SELECT count(DISTINCT key) FROM media")[0]


def overdue(folder):
    ask(folder, "UPDATE wanted SET next_at = 0 WHERE state = 'wanted' RETURNING 1")
