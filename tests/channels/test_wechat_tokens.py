"""One token for all: a storm costs one refresh, forcing is rare, and what people must end is remembered."""

import asyncio
import sys
from collections import Counter, deque
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from channels.contract import SendError, SendReason, troubles
from channels.wechat.channel import build
from gateway.app import listening
from gateway.bus import MemoryBus
from gateway.sandbox.application import PLATFORM, create_sandbox
from gateway.sandbox.platform import Fault, SandboxSettings
from normalizer.message import Address, OutboundMessage
from tests.kit.gateway import Hand
from tests.kit.standin import until
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN, raw_settings, tools

SEND = "/cgi-bin/message/custom/send"
ROTATIONS, WORKERS, EACH = 10, 8, 150
STARTING = 90.0
"""Seconds that eight processes may take to start on a busy machine."""


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
async def platform(clock):
    sandbox = create_sandbox(
        SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY), clock=lambda: clock().timestamp()
    )
    async with listening(sandbox, "127.0.0.1", 0) as port:
        made = sandbox[PLATFORM]
        person = made.person("oUser")
        person.following, person.window_until, person.window_left = True, float("inf"), 10**6
        made.address = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def channel(platform, clock):
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        yield build("wx", raw_settings(api_base=platform.address), tools(http, keys=MemoryBus(), now=clock))


def text(number=0):
    return OutboundMessage(f"{number:032x}", Address("wx", "oUser"), str(number))


async def test_a_storm_of_dead_tokens_costs_one_refresh(channel, platform):
    await channel.send(text())
    platform.rotate()
    await asyncio.gather(*(channel.send(text(number)) for number in range(1, 101)))
    assert platform.counts["stable_token"] == 2
    assert Counter(line.text for line in platform.person("oUser").lines) == Counter(map(str, range(101)))


async def test_a_token_is_forced_once_in_thirty_seconds(channel, platform, clock):
    # The platform says that the token is dead and gives the same one again: only force makes another.
    platform.faults[SEND] = deque([Fault("code", 40001)])
    await channel.send(text())
    assert platform.counts["stable_token"] == 3
    platform.faults[SEND].append(Fault("code", 40001))
    with pytest.raises(SendError) as error:
        await channel.send(text(1))
    assert (error.value.reason, error.value.retryable) == (SendReason.CREDENTIALS, True)
    assert error.value.retry_after == pytest.approx(30)
    assert "renewed too often" in (await troubles({"wx": channel}))["wx"].what
    clock.wait(seconds=30)
    platform.faults[SEND].append(Fault("code", 40001))
    await channel.send(text(2))
    assert await troubles({"wx": channel}) == {}


async def test_a_token_is_forced_twenty_times_a_day(channel, platform, clock):
    for number in range(20):
        platform.faults[SEND] = deque([Fault("code", 40001)])
        await channel.send(text(number))
        clock.wait(minutes=1)
    asked = platform.counts["stable_token"]
    platform.faults[SEND] = deque([Fault("code", 40001)])
    with pytest.raises(SendError) as error:
        await channel.send(text(20))
    assert error.value.retry_after == pytest.approx(24 * 3600 - 20 * 60)
    assert platform.counts["stable_token"] == asked + 1


async def test_an_address_that_is_not_let_in_is_shown_with_the_address(channel, platform):
    platform.allowed_ips = frozenset({"203.0.113.9"})
    with pytest.raises(SendError):
        await channel.send(text())
    trouble = (await troubles({"wx": channel}))["wx"]
    assert "40164" in trouble.what
    assert "127.0.0.1" in trouble.what
    assert "白名单" in trouble.cure
    platform.allowed_ips = None
    await channel.send(text())
    assert await troubles({"wx": channel}) == {}


TROUBLES = [
    pytest.param(45009, "clear_quota", id="quota"),
    pytest.param(48001, "权限", id="no right"),
    pytest.param(48004, "解封", id="banned"),
]


@pytest.mark.parametrize(("code", "cure"), TROUBLES)
async def test_what_people_must_end_is_remembered_with_its_cure(channel, platform, code, cure):
    platform.faults[SEND] = deque([Fault("code", code)])
    with pytest.raises(SendError):
        await channel.send(text())
    assert cure in (await troubles({"wx": channel}))["wx"].cure


async def test_what_ends_by_itself_is_no_trouble(channel, platform):
    platform.faults[SEND] = deque([Fault("code", -1)])
    with pytest.raises(SendError):
        await channel.send(text())
    assert await troubles({"wx": channel}) == {}


async def test_eight_processes_refresh_once_for_each_rotation_and_lose_or_double_nothing(
    platform, redis_server
):
    _, redis = redis_server
    senders = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.kit.sender",
            redis,
            platform.address,
            str(worker * EACH),
            str(EACH),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for worker in range(WORKERS)
    ]
    whole = WORKERS * EACH
    for rotation in range(ROTATIONS):
        due = whole * (rotation + 1) // (ROTATIONS + 2)
        await until(lambda due=due: platform.counts["custom"] >= due, STARTING)
        platform.rotate()
        await until(lambda asked=rotation + 2: platform.counts["stable_token"] >= asked, STARTING)
    printed = [await sender.communicate() for sender in senders]
    assert [sender.returncode for sender in senders] == [0] * WORKERS
    assert platform.counts["stable_token"] == ROTATIONS + 1
    taken = sorted(int(line) for out, _ in printed for line in out.split())
    assert taken == list(range(whole))
    assert Counter(line.text for line in platform.person("oUser").lines) == Counter(map(str, range(whole)))
