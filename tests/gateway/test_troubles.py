"""What people must end at a provider: on the health page and in the doctor's list, with the cure."""

from collections import deque

import pytest
from aiohttp import ClientSession

from channels.contract import SendError
from channels.wechat.channel import build
from gateway import doctor
from gateway.bus import RedisBus
from gateway.sandbox.platform import Fault
from normalizer.message import Address, OutboundMessage
from tests.kit.gateway import embedded, settings
from tests.kit.standin import phone, until
from tests.kit.wechat import raw_settings, tools

TEXT = OutboundMessage("1" * 32, Address("wx", "oUser"), "您好")


async def ready(citizen):
    async with ClientSession() as http, http.get(f"{citizen.address}/health/ready") as answer:
        return answer.status, await answer.json()


@pytest.fixture
def database(tmp_path):
    return embedded(tmp_path)


async def test_the_health_page_tells_of_it_and_stays_ready(database, tmp_path, clock):
    async with phone(database, tmp_path, clock) as citizen:
        assert await ready(citizen) == (200, {"ready": True})
        citizen.platform.faults["/cgi-bin/message/custom/send"] = deque([Fault("code", 45009)])
        with pytest.raises(SendError):
            await citizen.gateway.channels["wx"].send(TEXT)
        status, told = await ready(citizen)
        assert (status, told["ready"]) == (200, True)
        assert "45009" in told["channels"]["wx"]["what"]
        assert "clear_quota" in told["channels"]["wx"]["cure"]


async def test_the_doctor_tells_what_the_running_gateway_met(database, tmp_path, clock, redis_server):
    _, redis = redis_server
    bus = await RedisBus.open(redis)
    await until(bus.ping)
    async with phone(database, tmp_path, clock) as citizen, ClientSession() as http:
        wx = raw_settings(api_base=citizen.gateway.channels["wx"].api.base)
        running = build("wx", wx, tools(http, keys=bus))
        citizen.platform.faults["/cgi-bin/message/custom/send"] = deque([Fault("code", 48004)])
        with pytest.raises(SendError):
            await running.send(TEXT)
        given = settings(embedded(tmp_path, "other"), tmp_path, channels={"wx": wx}, redis=redis)
        found = [each for each in await doctor.examine(given) if each.what.startswith("wx")]
    await bus.close()
    assert [each.ok for each in found] == [True, False]
    assert "封禁" in found[1].cure
