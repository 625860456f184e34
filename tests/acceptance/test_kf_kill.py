"""Messages of 微信客服 through kills: what was read stays read, and what was not is read by the next process."""

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from gateway.sandbox.kf import Kf
from tests.kit.kf import CORP_ID, KFID, platform
from tests.kit.process import served
from tests.kit.standin import until
from tests.kit.wechat import AES_KEY, TOKEN

pytestmark = pytest.mark.acceptance

KILLS = 3


def configured(folder, port):
    path = folder / "jiesu.toml"
    path.write_text(
        f'database = "sqlite:///{folder}/jiesu.sqlite3"\nkey_file = "{folder}/key"\nlog_level = "error"\n'
        f'[channels.kf]\nkind = "wechat_kf"\ncorp_id = "{CORP_ID}"\nsecret = "secret"\ntoken = "{TOKEN}"\n'
        f'aes_key = "{AES_KEY}"\nopen_kfid = "{KFID}"\napi_base = "http://127.0.0.1:{port}/qyapi"\npoll_seconds = 1\n'
    )
    return path


@pytest.fixture
async def stand():
    async with platform(time.time) as opened:
        yield opened


def answered(kf: Kf) -> int:
    return sum(len(kf.heard(user)) for user in kf.people)


async def test_a_kill_while_messages_are_fetched_loses_none_and_doubles_none(stand, tmp_path):
    kf, port = stand
    config = configured(tmp_path, port)
    kf.largest_page = 5
    written = 0
    for _ in range(KILLS):
        for _ in range(30):
            await kf.write(kf.person(f"wm{written:03}"), "你好")
            written += 1
        before = answered(kf)
        with served(config) as (process, _):
            await until(lambda before=before: answered(kf) > before + 3)
            process.kill()
            await asyncio.to_thread(process.wait)
    with served(config):
        await until(lambda: received(tmp_path)[0] >= written)
    assert received(tmp_path) == (written, written)
    # Who was being answered at a kill is written off as unknown; nobody is answered twice.
    assert max(len(kf.heard(user)) for user in kf.people) == 1


def received(folder):
    """Return how many messages were written down, and of how many people."""
    with closing(sqlite3.connect(folder / "jiesu.sqlite3")) as database:
        found = database.execute("SELECT count(*), count(DISTINCT conversation) FROM inbox").fetchone()
    return tuple(found)
