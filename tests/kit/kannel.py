"""A real Kannel (bearerbox and smsbox) with a throw-away configuration, for the tests that have it installed."""

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.kit.ports import free_port

USER, PASSWORD = "jiesu", "testSecret"
PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"

_CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = x
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
store-type = file
store-location = "{folder}/store"
{smsc}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 5
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{up}?from=%p&to=%P&text=%b&coding=%c&time=%t&id=%I"
"""


@dataclass(frozen=True)
class Ports:
    """Where Kannel listens; ``centre`` is free for the smsc group that wants one."""

    admin: int
    box: int
    sendsms: int
    centre: int


def needed():
    """Skip the test by name without Kannel, or fail it where servers are required."""
    if all(shutil.which(name, path=PATH) for name in ("bearerbox", "smsbox")):
        return
    if os.environ.get("JIESU_REQUIRE_SERVERS") == "1":
        pytest.fail("Kannel is not installed")
    pytest.skip("Kannel is not installed")


@asynccontextmanager
async def running(folder, http, smsc, up):
    """Run Kannel with this ``group = smsc`` until it is on line; messages from handsets go to ``up``.

    The group is a function of the Ports; ``http`` is a client session.
    """
    ports = Ports(*(free_port() for _ in range(4)))
    file = folder / "kannel.conf"
    words = {"folder": folder, "smsc": smsc(ports), "up": up, "user": USER, "password": PASSWORD}
    file.write_text(_CONFIGURATION.format(**vars(ports), **words))
    started = []
    try:
        for name, port in (("bearerbox", ports.box), ("smsbox", ports.sendsms)):
            quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
            program = shutil.which(name, path=PATH)
            started.append(await asyncio.create_subprocess_exec(program, str(file), **quiet))
            await listening(port)
        await connected(http, ports.admin)
        yield ports
    finally:
        for process in reversed(started):
            process.kill()
            await process.wait()


async def until(true, seconds: float = 15.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def listening(port: int) -> None:
    """Wait until something listens on the port."""
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def connected(http, admin: int) -> None:
    """Wait until smsbox has joined bearerbox and the message centre is on line."""
    async with asyncio.timeout(15):
        while True:
            async with http.get(f"http://127.0.0.1:{admin}/status.txt?password=x") as answer:
                words = await answer.text()
            if "smsbox:" in words and "(online" in words:
                return
            await asyncio.sleep(0.05)
