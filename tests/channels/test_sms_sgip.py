"""SGIP against a gateway of the test's own, written from the tables alone."""

import asyncio
import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms import sgip, sgip_pdu
from normalizer.errors import InvalidInput
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import Door, Receipts, tools

PHONE = "13000000001"


@pytest.mark.parametrize(
    "read",
    [
        sgip_pdu.decode,
        sgip_pdu.decode_bind,
        sgip_pdu.decode_deliver,
        sgip_pdu.decode_report,
        sgip_pdu.decode_submit,
    ],
)
@given(data=st.binary(max_size=250))
def test_bytes_from_anywhere_raise_nothing_but_invalid_input(read, data):
    with contextlib.suppress(InvalidInput):
        read(data)


async def test_a_text_is_sent_and_its_report_comes_under_its_sequence(gateway, channel):
    result = await channel.send(OutboundMessage("1", Address("sgip", PHONE), "您好"))
    [(sequence, body)] = gateway.submits
    assert body[43:64].rstrip(b"\0") == b"86" + PHONE.encode()
    assert body[136:-8].decode("utf-16-be") == "【泰安12345】您好"
    assert result.names == (sequence.hex(),)
    assert await visit(channel, [(5, sequence + b"\0" + PHONE.encode().ljust(21, b"\0") + bytes(10))]) == [
        0,
        0,
    ]
    assert [(one.provider_id, one.delivery) for one in channel.receipts.came] == [
        (sequence.hex(), Delivery.DELIVERED)
    ]


async def test_long_messages_that_come_reversed_are_whole(channel):
    parts = [
        deliver(bytes([5, 0, 3, 7, 2, n]) + text.encode("utf-16-be")) for n, text in ((2, "了"), (1, "丢"))
    ]
    assert await visit(channel, parts) == [0, 0, 0]
    assert [(one.sender, one.text) for one in channel.door.messages] == [(PHONE, "丢了")]


@pytest.mark.parametrize(("password", "kind", "result"), [(b"wrong", 2, 1), (b"secret", 1, 4)])
async def test_a_stranger_is_not_let_in(channel, password, kind, result):
    assert await visit(channel, [], password, kind) == [result]


def deliver(content, udhi=0x40):
    numbers = b"86" + PHONE.encode().ljust(19, b"\0") + b"10655".ljust(21, b"\0")
    return 4, numbers + bytes((0, udhi, 8)) + struct.pack(">I", len(content)) + content + bytes(8)


async def visit(channel, requests, password=b"secret", kind=2):
    """Visit as the gateway does and return the results of the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", await channel.listening)
    bind = bytes((kind,)) + b"hotline".ljust(16, b"\0") + password.ljust(16, b"\0") + bytes(8)
    results = []
    for number, (command, body) in enumerate([(1, bind), *requests]):
        writer.write(struct.pack(">IIIII", 20 + len(body), command, 9, 1, number) + body)
        results.append((await asyncio.wait_for(reader.readexactly(29), 5))[20])
    writer.close()
    await writer.wait_closed()
    return results


class Smg:
    def __init__(self):
        self.submits = []

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readexactly(20)
                size, command = struct.unpack_from(">II", head)
                body = await reader.readexactly(size - 20)
                if command == 3:
                    self.submits.append((head[8:], body))
                answer = b"" if command == 2 else bytes(9)
                writer.write(struct.pack(">II", 20 + len(answer), command | 1 << 31) + head[8:] + answer)
        writer.close()


@pytest.fixture
async def gateway():
    smg = Smg()
    server = await asyncio.start_server(smg.serve, "127.0.0.1", 0)
    smg.port = server.sockets[0].getsockname()[1]
    yield smg
    server.close()


@pytest.fixture
async def channel(gateway):
    door, receipts = Door(), Receipts()
    settings = {
        "kind": "sgip", "host": "127.0.0.1", "port": gateway.port, "listen_host": "127.0.0.1", "listen_port": 0,
        "node_id": 3000012345, "login": "hotline", "password": "secret", "corp_id": "12345", "src_id": "10655",
        "signature": "泰安12345", "rate": 1000,
    }  # fmt: skip
    channel = sgip.build("sgip", settings, tools(None, door, receipts=receipts))
    channel.door, channel.receipts = door, receipts
    task = asyncio.create_task(channel.run())
    yield channel
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
