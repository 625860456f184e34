"""SMGP against a small gateway of the test's own, which shares no code with the adapter."""

import asyncio
import contextlib
import hashlib
import itertools
import struct

import pytest

from channels.contract import SendError, SendReason
from channels.sms import smgp
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import Door, Receipts, tools

SECRET = "geheim"
ODD_NAME = bytes.fromhex("3a20 00ff 2073 7461 743a")
"""Ten bytes that hold the very words a receipt is read by."""


async def test_a_text_is_sent_and_its_receipt_comes_under_its_binary_name(gateway, channel):
    result = await channel.send(words("您好"))
    [(content, receiver, source, options)] = gateway.submits
    assert content.decode("utf-16-be") == "【泰安12345】您好"
    assert (receiver, source, options) == ("13800000001", "10612345", {})
    assert result.names == (ODD_NAME.hex(),)
    answer = await gateway.report(ODD_NAME, "DELIVRD")
    assert not any(answer[10:])
    [receipt] = channel.receipts.came
    assert (receipt.provider_id, receipt.delivery) == (result.names[0], Delivery.DELIVERED)


async def test_a_receipt_of_failure_says_so(gateway, channel):
    await gateway.report(ODD_NAME, "UNDELIV")
    assert [receipt.delivery for receipt in channel.receipts.came] == [Delivery.FAILED]


async def test_a_long_text_goes_in_parts_that_say_so_twice(gateway, channel):
    text = "井盖丢了，很危险。" * 20
    result = await channel.send(words(text))
    total = len(gateway.submits)
    assert len(result.names) == total == 3
    for number, (content, _, _, options) in enumerate(gateway.submits, 1):
        assert content[:3] + content[4:6] == bytes([5, 0, 3, total, number])
        assert options == {2: b"\1", 9: bytes([total]), 10: bytes([number])}
    assert b"".join(submit[0][6:] for submit in gateway.submits).decode("utf-16-be") == "【泰安12345】" + text


async def test_a_status_is_a_reason(gateway, channel):
    gateway.results = itertools.repeat(47)
    with pytest.raises(SendError) as refused:
        await channel.send(words("您好"))
    assert refused.value.reason is SendReason.UNREACHABLE


@pytest.mark.parametrize("udhi", [1, 0x40])
async def test_parts_that_come_reversed_make_one_text(gateway, channel, door, udhi):
    options = struct.pack(">HHB", 2, 1, udhi)
    for number, text in ((2, "了"), (1, "井盖丢")):
        content = bytes([5, 0, 3, 7, 2, number]) + text.encode("utf-16-be")
        await gateway.deliver("8613800000009", content, options=options)
    [message] = door.messages
    assert (message.sender, message.text) == ("13800000009", "井盖丢了")


async def test_words_are_acknowledged_once_they_are_written_down(gateway, channel, door):
    answer = await gateway.deliver("13800000009", "井盖".encode("gb18030"), coding=15)
    assert answer == (1).to_bytes(10, "big") + bytes(4)
    [message] = door.messages
    assert (message.text, message.external_id) == ("井盖", (1).to_bytes(10, "big").hex())


async def test_the_gateways_own_test_is_answered(gateway, channel):
    assert await gateway.ask(4, b"") == b""


async def test_a_stop_says_goodbye(gateway, channel):
    channel.running.cancel()
    await asyncio.gather(channel.running, return_exceptions=True)
    assert gateway.goodbyes == 1


async def test_doctor_says_whether_we_are_let_in(gateway):
    assert [finding.ok for finding in await made(gateway).check()] == [True]
    [finding] = await made(gateway, secret="falsch").check()
    assert not finding.ok
    assert "credentials" in finding.what


def words(text):
    return OutboundMessage("1", Address("tel", "13800000001"), text)


def made(gateway, secret=SECRET, **doors):
    raw = {
        "kind": "smgp",
        "host": "127.0.0.1",
        "port": gateway.port,
        "client_id": "tel00001",
        "secret": secret,
        "src_id": "10612345",
        "signature": "泰安12345",
    }
    return smgp.build("tel", raw, tools(None, **doors))


class Smgw:
    def __init__(self):
        self.submits = []
        self.results = itertools.repeat(0)
        self.goodbyes = 0
        self._numbers = itertools.count(1)
        self._asked = {}
        self._writers = []

    async def listen(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self.server.wait_closed()

    async def ask(self, command, body):
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._write(self._writers[-1], command, number, body)
        async with asyncio.timeout(10):
            return await self._asked[number]

    async def deliver(self, sender, content, *, coding=8, receipt=0, options=b""):
        name = (len(self._asked) + 1).to_bytes(10, "big")
        head = struct.pack(
            ">10sBB14s21s21sB",
            name,
            receipt,
            coding,
            b"20261124100000",
            sender.encode(),
            b"10612345",
            len(content),
        )
        return await self.ask(3, head + content + bytes(8) + options)

    async def report(self, name, stat):
        words = f" sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:{stat} err:000 text:"
        return await self.deliver("13800000001", b"id:" + name + words.encode(), coding=0, receipt=1)

    def _write(self, writer, command, number, body):
        writer.write(struct.pack(">III", 12 + len(body), command, number) + body)

    async def _serve(self, reader, writer):
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, number = struct.unpack(">III", await reader.readexactly(12))
                body = await reader.readexactly(length - 12)
                if command >= 0x80000000:
                    self._asked[number].set_result(body)
                    continue
                answer = {1: self._login, 2: self._submit, 6: self._exit}[command](body)
                self._write(writer, command | 0x80000000, number, answer)
        writer.close()

    def _login(self, body):
        client, proof, mode, stamp, version = struct.unpack(">8s16sBIB", body)
        assert (mode, version) == (2, 0x30)
        right = hashlib.md5(client + bytes(7) + SECRET.encode() + b"%010d" % stamp).digest()
        return struct.pack(">I16sB", 0 if proof == right else 21, bytes(16), 0x30)

    def _submit(self, body):
        fields = struct.unpack(">BBB10s2s6s6sB17s17s21s21sB21sB", body[:127])
        assert fields[1] == 1
        assert fields[12] == 1
        content = body[127 : 127 + fields[14]]
        rest, options = body[127 + fields[14] + 8 :], {}
        while rest:
            tag, size = struct.unpack(">HH", rest[:4])
            options[tag], rest = rest[4 : 4 + size], rest[4 + size :]
        receiver, source = (fields[at].rstrip(b"\0").decode() for at in (13, 10))
        self.submits.append((content, receiver, source, options))
        return ODD_NAME + struct.pack(">I", next(self.results))

    def _exit(self, body):
        self.goodbyes += 1
        return b""


@pytest.fixture
async def gateway():
    server = Smgw()
    await server.listen()
    yield server
    await server.stop()


@pytest.fixture
def door():
    return Door(reply=None)


@pytest.fixture
async def channel(gateway, door):
    receipts = Receipts()
    channel = made(gateway, door=door, receipts=receipts)
    channel.receipts = receipts
    channel.running = asyncio.create_task(channel.run())
    async with asyncio.timeout(10):
        await channel.link.up()
    yield channel
    channel.running.cancel()
    await asyncio.gather(channel.running, return_exceptions=True)
