"""Eight processes that send by one account while the platform makes their token worthless again and again."""

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import func, select

from gateway.app import listening, running
from gateway.sandbox.application import DRIVER, PLATFORM, create_sandbox
from gateway.sandbox.platform import Fault, SandboxSettings
from gateway.settings import load
from gateway.store.tables import OUTGOING
from normalizer.message import Address
from tests.kit.process import configure
from tests.kit.standin import until
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN

pytestmark = pytest.mark.acceptance

WORKERS, ROTATIONS, PEOPLE, EACH = 8, 10, 60, 5
SEND = "/cgi-bin/message/custom/send"
STARTING = 180.0
"""Seconds that eight processes may take on a busy machine."""


@pytest.mark.timeout(600)
async def test_eight_workers_refresh_once_for_each_rotation_and_tell_everybody_everything_once_in_order(
    postgres_url, redis_server, tmp_path
):
    account = SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY)
    sandbox = create_sandbox(account)
    platform, driver = sandbox[PLATFORM], sandbox[DRIVER]
    people = [platform.person(f"o{number:02}") for number in range(PEOPLE)]
    async with listening(sandbox, "127.0.0.1", 0) as port:
        config = configured(tmp_path, postgres_url, redis_server[1], f"http://127.0.0.1:{port}")
        async with (
            running(load(config, {})) as gateway,
            listening(gateway.app, "127.0.0.1", 0) as own,
        ):
            account.callback_url = f"http://127.0.0.1:{own}/channels/wx"
            for person in people:
                person.following = True
                await driver.write(person, "您好")
            # What follows is sent by the workers alone.
            gateway.sender.stop()
            async with workers(config):
                platform.weather = lambda path: Fault("slow", 20) if path == SEND else None
                async with asyncio.TaskGroup() as group:
                    group.create_task(rotated(platform))
                    for number in range(EACH):
                        for person in people:
                            await gateway.office.tell(Address("wx", person.openid), "reply", f"第{number}条")
                await until(lambda: platform.counts["custom"] >= PEOPLE * EACH, STARTING)
                await until(lambda: settled(gateway), STARTING)
        assert platform.counts["stable_token"] == ROTATIONS + 1
        told = [[line.text for line in person.lines if line.way == "custom"] for person in people]
        assert told == [[f"第{number}条" for number in range(EACH)]] * PEOPLE


async def rotated(platform):
    """Make the token worthless again and again while messages are on their way."""
    for rotation in range(ROTATIONS):
        due = PEOPLE * EACH * (rotation + 1) // (ROTATIONS + 2)
        await until(lambda due=due: platform.counts["custom"] >= due, STARTING)
        platform.rotate()
        await until(lambda asked=rotation + 2: platform.counts["stable_token"] >= asked, STARTING)


async def settled(gateway):
    """Return whether all that was told is noted as sent."""
    sent = select(func.count()).where(
        OUTGOING.c.notice == "reply", OUTGOING.c.route == "custom", OUTGOING.c.state == "sent"
    )
    return await gateway.books.store.read(lambda c: c.execute(sent).scalar_one()) == PEOPLE * EACH


def configured(folder, database, redis, api_base):
    path = configure(folder, database, api_base)
    words = path.read_text().replace('log_level = "error"', 'log_level = "info"')
    path.write_text(f'redis = "{redis}"\n{words}')
    return path


@asynccontextmanager
async def workers(config):
    """Run eight ``jiesu work`` inside the block, each ready."""
    command = (sys.executable, "-m", "gateway", "work", "--config", str(config))
    made = [
        await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE) for _ in range(WORKERS)
    ]
    async with AsyncExitStack() as stack:
        for process in made:
            stack.push_async_callback(ended, process)
        async with asyncio.timeout(STARTING):
            for process in made:
                while b"knowledge.loaded" not in await process.stderr.readline():
                    assert process.returncode is None
        yield


async def ended(process):
    process.terminate()
    await process.communicate()
    assert process.returncode == 0
