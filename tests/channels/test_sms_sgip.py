"""SGIP against a gateway of the test's own, written from the tables alone."""

import asyncio
import contextlib
import struct
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from channels.contract import SendError, SendReason
from channels.sms import sgip, sgip_pdu
from channels.sms.pace import Pace
from normalizer.errors import InvalidInput
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import Door, Receipts, tools

PHONE = "13000000001"
HURRIED = Pace(sleep=lambda seconds: asyncio.sleep(min(seconds, 0.01)))


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


STATES = [("well", 0, [Delivery.DELIVERED]), ("waiting", 1, []), ("failed", 2, [Delivery.FAILED])]


@pytest.mark.parametrize(("label", "state", "deliveries"), STATES, ids=[row[0] for row in STATES])
async def test_a_report_says_how_it_ended(channel, label, state, deliveries):
    assert await visit(channel, [report(bytes(12), state, error=58)]) == [0, 0]
    assert [one.delivery for one in channel.receipts.came] == deliveries


RESULTS = [
    ("busy is waited out", [11, 33, 0], None, 3),
    ("busy for too long", [11] * 4, SendReason.THROTTLED, 4),
    ("a number that is none", [6], SendReason.UNREACHABLE, 1),
    ("a result we do not know", [99], SendReason.REFUSED, 1),
]


@pytest.mark.parametrize(("label", "results", "reason", "tries"), RESULTS, ids=[row[0] for row in RESULTS])
async def test_a_result_is_a_reason(gateway, label, results, reason, tries):
    gateway.results.extend(results)
    async with running(gateway, HURRIED) as channel:
        assert await why_not(channel) is reason
    assert len(gateway.submits) == tries


async def test_we_leave_when_there_is_nothing_more_to_send_and_come_again(gateway):
    async with running(gateway, HURRIED, idle=0.05) as channel:
        await why_not(channel)
        await gateway.until(lambda: gateway.unbinds == 1 and not gateway.writers)
        assert await why_not(channel) is None
    assert gateway.binds == [(1, "hotline", "secret")] * 2


async def test_the_gateways_unbind_ends_our_visit_and_the_next_text_makes_another(gateway, channel):
    await why_not(channel)
    gateway.writers[0].write(struct.pack(">IIIII", 20, 2, 9, 1, 1))
    await gateway.until(lambda: gateway.answers == [0x80000002] and not gateway.writers)
    assert await why_not(channel) is None
    assert len(gateway.binds) == 2


async def test_a_stop_says_unbind(gateway):
    async with running(gateway) as channel:
        await why_not(channel)
        assert gateway.unbinds == 0
    assert gateway.unbinds == 1


async def test_a_wrong_password_is_what_a_send_says(gateway):
    async with running(gateway, password="guess") as channel:
        assert await why_not(channel) is SendReason.CREDENTIALS
    [finding] = await made(gateway, password="guess").check()
    assert not finding.ok


async def test_a_refused_login_is_said_once_and_not_knocked_at_for_a_while(gateway):
    now = [0.0]
    with capture_logs() as said:
        async with running(gateway, Pace(clock=lambda: now[0]), password="guess") as channel:
            for _ in range(3):
                assert await why_not(channel) is SendReason.CREDENTIALS
            assert len(gateway.binds) == 1
            now[0] = 30.0
            assert await why_not(channel) is SendReason.CREDENTIALS
            assert len(gateway.binds) == 2
    lines = [one for one in said if one["event"] == "sms.login_refused"]
    assert [one["account"] for one in lines] == ["sgip"] * 2
    assert "guess" not in str(lines)


async def test_doctor_says_that_we_are_let_in_and_leaves(gateway):
    assert [finding.ok for finding in await made(gateway).check()] == [True]
    await gateway.until(lambda: not gateway.writers)


async def test_who_does_not_hold_the_line_sends_nothing(gateway):
    assert await why_not(made(gateway)) is SendReason.CONNECTION
    assert not gateway.binds


async def test_a_port_that_is_taken_is_said_and_had_when_it_is_free_and_sends_need_none(gateway):
    other = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    channel = made(gateway, HURRIED, listen_port=port)
    with capture_logs() as said:
        running_ = asyncio.create_task(channel.run())
        await gateway.until(lambda: any(one["event"] == "sgip.cannot_listen" for one in said))
    assert next(one for one in said if one["log_level"] == "error")["at"] == f"127.0.0.1:{port}"
    assert await why_not(channel) is None
    other.close()
    await other.wait_closed()
    async with asyncio.timeout(5):
        assert await channel.link.home.port() == port
    running_.cancel()
    await asyncio.gather(running_, return_exceptions=True)


def test_a_channel_is_made_before_there_is_a_loop():
    class Nowhere:
        port = 1

    assert made(Nowhere).capabilities.phones


async def test_long_messages_that_come_reversed_are_whole(channel):
    parts = [
        deliver(bytes([5, 0, 3, 7, 2, n]) + text.encode("utf-16-be")) for n, text in ((2, "了"), (1, "丢"))
    ]
    assert await visit(channel, parts) == [0, 0, 0]
    assert [(one.sender, one.text) for one in channel.door.messages] == [(PHONE, "丢了")]


@pytest.mark.parametrize(("password", "kind", "result"), [(b"wrong", 2, 1), (b"secret", 1, 4)])
async def test_a_stranger_is_not_let_in(channel, password, kind, result):
    assert await visit(channel, [], password, kind) == [result]


async def test_a_caller_from_an_address_that_is_not_allowed_gets_no_answer(gateway):
    async with running(gateway, allow=["10.9.8.0/24", "192.0.2.1"]) as channel:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await visit(channel, [])


@pytest.mark.parametrize("allow", [["127.0.0.1"], ["10.9.8.7", "127.0.0.0/8"]])
async def test_a_caller_from_an_allowed_address_is_let_in(gateway, allow):
    async with running(gateway, allow=allow) as channel:
        assert await visit(channel, []) == [0]


async def test_a_guest_may_say_unbind(channel):
    reader, writer = await guest(channel)
    writer.write(struct.pack(">IIIII", 20, 2, 9, 1, 7))
    async with asyncio.timeout(5):
        assert await reader.read() == struct.pack(">IIIII", 20, 0x80000002, 9, 1, 7)
    writer.close()


async def test_words_that_cannot_be_written_down_are_not_answered_and_taken_when_they_come_again(gateway):
    async with running(gateway, HURRIED) as channel:
        channel.door.busy = True
        reader, writer = await guest(channel)
        command, body = deliver("井".encode("utf-16-be"), udhi=0)
        request = struct.pack(">IIIII", 20 + len(body), command, 9, 1, 7) + body
        writer.write(request)
        await gateway.until(lambda: channel.door.refused == 4)
        channel.door.busy = False
        writer.write(request)
        async with asyncio.timeout(5):
            assert (await reader.readexactly(29))[20] == 0
        assert [one.text for one in channel.door.messages] == ["井"]
        writer.close()


def deliver(content, udhi=0x40):
    numbers = b"86" + PHONE.encode().ljust(19, b"\0") + b"10655".ljust(21, b"\0")
    return 4, numbers + bytes((0, udhi, 8)) + struct.pack(">I", len(content)) + content + bytes(8)


def report(sequence, state, error=0):
    return 5, sequence + b"\0" + PHONE.encode().ljust(21, b"\0") + bytes((state, error)) + bytes(8)


async def guest(channel, password=b"secret", kind=2):
    """Visit as the gateway does and say who we are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", await channel.link.home.port())
    body = bytes((kind,)) + b"hotline".ljust(16, b"\0") + password.ljust(16, b"\0") + bytes(8)
    writer.write(struct.pack(">IIIII", 20 + len(body), 1, 9, 1, 0) + body)
    answer = await asyncio.wait_for(reader.readexactly(29), 5)
    if answer[20]:
        writer.close()
        raise PermissionError(answer[20])
    return reader, writer


async def visit(channel, requests, password=b"secret", kind=2):
    """Visit as the gateway does and return the results of the answers."""
    try:
        reader, writer = await guest(channel, password, kind)
    except PermissionError as refused:
        return list(refused.args)
    results = [0]
    for number, (command, body) in enumerate(requests, 1):
        writer.write(struct.pack(">IIIII", 20 + len(body), command, 9, 1, number) + body)
        results.append((await asyncio.wait_for(reader.readexactly(29), 5))[20])
    writer.close()
    await writer.wait_closed()
    return results


async def why_not(channel):
    """Send a text and return the reason of its failure, None for none."""
    try:
        await channel.send(OutboundMessage("1", Address("sgip", PHONE), "您好"))
    except SendError as error:
        return error.reason
    return None


class Counting(Door):
    """An inbox that counts how often it was too busy."""

    refused = 0

    async def accept(self, message):
        self.refused += self.busy
        return await super().accept(message)


class Smg:
    """A gateway that is visited; ``results`` are its next answers to Submit."""

    def __init__(self):
        self.submits, self.binds, self.answers, self.writers = [], [], [], []
        self.results = deque()
        self.unbinds = 0

    async def until(self, reached):
        async with asyncio.timeout(10):
            while not reached():
                await asyncio.sleep(0.002)

    async def serve(self, reader, writer):
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readexactly(20)
                size, command = struct.unpack_from(">II", head)
                body = await reader.readexactly(size - 20)
                if command & 1 << 31:
                    self.answers.append(command)
                    continue
                answer = self._answer(command, head[8:], body)
                writer.write(struct.pack(">II", 20 + len(answer), command | 1 << 31) + head[8:] + answer)
        self.writers.remove(writer)
        writer.close()

    def _answer(self, command, sequence, body):
        if command == 2:
            self.unbinds += 1
            return b""
        result = 0
        if command == 1:
            name, password = (field.rstrip(b"\0").decode() for field in (body[1:17], body[17:33]))
            self.binds.append((body[0], name, password))
            result = int(password != "secret")
        elif command == 3:
            self.submits.append((sequence, body))
            result = self.results.popleft() if self.results else 0
        return bytes((result,)) + bytes(8)


@pytest.fixture
async def gateway():
    smg = Smg()
    server = await asyncio.start_server(smg.serve, "127.0.0.1", 0)
    smg.port = server.sockets[0].getsockname()[1]
    yield smg
    server.close()


@pytest.fixture
async def channel(gateway):
    async with running(gateway) as channel:
        yield channel


@contextlib.asynccontextmanager
async def running(gateway, pace=None, **other):
    """Run a channel that the gateway can visit."""
    channel = made(gateway, pace, **other)
    task = asyncio.create_task(channel.run())
    async with asyncio.timeout(5):
        await channel.link.up()
    yield channel
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def made(gateway, pace=None, **other):
    door, receipts = Counting(), Receipts()
    settings = {
        "kind": "sgip", "host": "127.0.0.1", "port": gateway.port, "listen_host": "127.0.0.1", "listen_port": 0,
        "node_id": 3000012345, "login": "hotline", "password": "secret", "corp_id": "12345", "src_id": "10655",
        "signature": "泰安12345", "rate": 1000, **other,
    }  # fmt: skip
    channel = sgip.build("sgip", settings, tools(None, door, receipts=receipts), pace)
    channel.door, channel.receipts = door, receipts
    return channel
