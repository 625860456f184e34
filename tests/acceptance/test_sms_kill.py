"""Pull the plug between the durable write of a text and the answer the carrier waits for: it is one case."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings
from gateway.sandbox.ismg.cmpp_server import cmpp_server
from tests.kit.process import jiesu, served

pytestmark = pytest.mark.acceptance

DELIVER_RESP = (0x80000005).to_bytes(4)
PHONE = "13805380001"


async def test_a_text_that_was_written_but_not_answered_is_one_case(database, tmp_path):
    carrier = Carrier(CarrierSettings("906888", "secret", "1069012345", seconds=1.0))
    async with cmpp_server(carrier) as ismg, silenced(ismg.port) as proxy:
        config = configure(tmp_path, database, proxy.port)
        server = served(config)
        process, _ = await asyncio.to_thread(server.__enter__)
        try:
            carrier.say(PHONE, "泰山区青年路中段的路灯坏了好几盏，晚上看不见路")
            await until(lambda: len(carrier.phone(PHONE).lines) == 2)
            proxy.silent = True
            carrier.say(PHONE, "王女士")
            await until(lambda: len(carrier.phone(PHONE).lines) == 4)
            assert carrier.counts["delivers"] == 1
            process.kill()
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
        proxy.silent = False
        again = served(config)
        await asyncio.to_thread(again.__enter__)
        try:
            await until(lambda: carrier.counts["delivers"] == 2)
        finally:
            await asyncio.to_thread(again.__exit__, None, None, None)
    assert proxy.swallowed > 0
    assert len(jiesu(config, "case", "list")) == 1
    inbox = jiesu(config, "inbox", "list")
    assert [row["text"] for row in reversed(inbox)] == [
        "泰山区青年路中段的路灯坏了好几盏，晚上看不见路",
        "王女士",
    ]
    said = [line.text for line in carrier.phone(PHONE).lines if line.who == "service"]
    assert len(said) == len(set(said)) == 2


def configure(folder, database, port):
    path = folder / "jiesu.toml"
    path.write_text(
        f'database = "{database}"\nkey_file = "{folder}/key"\nlog_level = "error"\n[channels.sms]\nkind = "cmpp"\n'
        f'host = "127.0.0.1"\nport = {port}\nsp_id = "906888"\nsecret = "secret"\nversion = 3\n'
        'src_id = "1069012345"\nsignature = "泰安12345"\n'
    )
    return path


async def until(holds):
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


class Proxy:
    """Passes frames on; while ``silent`` it keeps the service's answers to DELIVER to itself."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.silent = False
        self.swallowed = 0
        self.port = 0

    async def serve(self, reader, writer) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await asyncio.gather(self.frames(reader, back), self.bytes(there, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            back.close()
            writer.close()

    async def frames(self, reader, writer) -> None:
        while True:
            head = await reader.readexactly(12)
            frame = head + await reader.readexactly(int.from_bytes(head[:4]) - 12)
            if self.silent and head[4:8] == DELIVER_RESP:
                self.swallowed += 1
                continue
            writer.write(frame)

    async def bytes(self, reader, writer) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        raise ConnectionResetError


@asynccontextmanager
async def silenced(target):
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
