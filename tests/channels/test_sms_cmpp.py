"""CMPP against a small gateway of the test's own, which shares no code with the adapter."""

import asyncio
import contextlib
import hashlib
import itertools
import struct
from datetime import timedelta

import pytest

from channels.contract import SendError, SendReason
from channels.lease import TTL
from channels.sms import cmpp
from channels.sms.pace import Pace
from gateway.bus import MemoryBus
from normalizer.errors import Misconfigured
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW, Door, Parts, Receipts, tools

SECRET = "geheim"
LONG = "人民路与建设路交叉口东北角的井盖丢了，昨天晚上有一位老人差点掉进去，" * 5


async def test_a_text_is_sent_and_its_receipt_comes_under_the_name_it_was_given(gateway, channel, door):
    result = await channel.send(words("您好"))
    [submit] = gateway.submits
    assert submit.content.decode("utf-16-be") == "【泰安12345】您好"
    assert (submit.receiver, submit.source, submit.receipt, submit.udhi) == ("13800000001", "10612345", 1, 0)
    await gateway.report(bytes.fromhex(result.names[0]))
    [receipt] = channel.receipts.came
    assert (receipt.provider_id, receipt.delivery) == (result.names[0], Delivery.DELIVERED)


async def test_a_long_text_goes_in_parts_each_with_a_receipt(gateway, channel):
    result = await channel.send(words(LONG))
    heads = [submit.content[:6] for submit in gateway.submits]
    total = len(heads)
    assert total == len(result.names) == len(set(result.names)) > 2
    assert [head[5] for head in heads] == list(range(1, total + 1))
    assert {head[:3] for head in heads} == {b"\x05\x00\x03"}
    assert len({head[3] for head in heads}) == 1
    assert all(submit.receipt == submit.udhi == 1 for submit in gateway.submits)
    text = b"".join(submit.content[6:] for submit in gateway.submits).decode("utf-16-be")
    assert text == "【泰安12345】" + LONG


async def test_no_more_than_the_window_is_ever_unanswered(gateway, channel):
    gateway.holds = True
    sends = [asyncio.create_task(channel.send(words(f"第{n}条"))) for n in range(40)]
    await gateway.until(lambda: len(gateway.held) == 16)
    # A frame that comes back proves that all that was written before it has been read.
    await gateway.deliver("13800000009", "在吗")
    assert len(gateway.held) == 16
    gateway.holds = False
    for frame in reversed(gateway.held):
        gateway.answer(*frame)
    results = await asyncio.gather(*sends)
    assert len({result.names for result in results}) == 40
    by_text = {s.content.decode("utf-16-be").removeprefix("【泰安12345】"): s for s in gateway.submits}
    for n, result in enumerate(results):
        # Answers came in the reverse order; each found its own request.
        assert result.names == (by_text[f"第{n}条"].name.hex(),)


async def test_flow_control_is_waited_out(gateway, channel, time):
    gateway.results = itertools.chain([8, 8], itertools.repeat(0))
    sending = asyncio.create_task(channel.send(words("您好")))
    await gateway.until(lambda: len(gateway.submits) == 1)
    await time.pass_until(sending.done)
    assert len(sending.result().names) == 1
    assert len(gateway.submits) == 3


RESULTS = [
    (8, SendReason.THROTTLED, 4),
    (13, SendReason.UNREACHABLE, 1),
    (10, SendReason.FORBIDDEN, 1),
    (6, SendReason.CONTENT, 1),
    (99, SendReason.REFUSED, 1),
]


@pytest.mark.parametrize(("result", "reason", "tries"), RESULTS)
async def test_a_result_is_a_reason(gateway, channel, time, result, reason, tries):
    gateway.results = itertools.repeat(result)
    sending = asyncio.create_task(channel.send(words("您好")))
    await time.pass_until(sending.done)
    with pytest.raises(SendError) as refused:
        await sending
    assert refused.value.reason is reason
    assert len(gateway.submits) == tries


async def test_a_link_that_dies_leaves_what_was_written_unknown_and_is_made_anew(gateway, channel, time):
    gateway.holds = True
    sends = [asyncio.create_task(channel.send(words(f"第{n}条"))) for n in range(20)]
    await gateway.until(lambda: len(gateway.held) == 16)
    gateway.cut()
    results = await asyncio.gather(*sends, return_exceptions=True)
    reasons = [error.reason for error in results]
    assert reasons.count(SendReason.TIMEOUT) == 16
    assert reasons.count(SendReason.CONNECTION) == 4
    with pytest.raises(SendError, match="connection"):
        await channel.send(words("您好"))
    gateway.holds = False
    await time.pass_until(lambda: gateway.logins == 2)
    await channel.link.up()
    assert (await channel.send(words("您好"))).names


async def test_an_answer_that_never_comes_is_unknown(gateway, channel, time):
    gateway.holds = True
    sending = asyncio.create_task(channel.send(words("您好")))
    await gateway.until(lambda: gateway.held)
    await time.pass_until(sending.done)
    with pytest.raises(SendError, match="timeout"):
        await sending
    assert 60 <= time.now < 65


async def test_a_silent_link_is_tested_three_times_and_then_dropped(gateway, channel, time):
    gateway.deaf = True
    await time.pass_until(lambda: gateway.logins == 2)
    assert gateway.tests == 3
    assert 180 + 3 * 60 <= time.now < 370


async def test_a_test_that_is_answered_keeps_the_link(gateway, channel, time):
    await time.pass_until(lambda: gateway.tests == 3)
    assert gateway.logins == 1
    assert time.now >= 3 * 180


async def test_the_gateways_own_test_is_answered(gateway, channel):
    assert await gateway.ask(8, b"") == b"\0"


async def test_a_stop_says_goodbye_after_what_is_in_hand(gateway, channel):
    gateway.holds = True
    sending = asyncio.create_task(channel.send(words("您好")))
    await gateway.until(lambda: gateway.held)
    channel.running.cancel()
    await gateway.deliver("13800000009", "在吗")
    assert not gateway.goodbyes
    gateway.answer(*gateway.held[0])
    assert (await sending).names
    await gateway.until(lambda: gateway.goodbyes == 1)
    await asyncio.gather(channel.running, return_exceptions=True)


async def test_a_frame_of_an_impossible_length_ends_the_link(gateway, channel, time):
    gateway.writer.write(struct.pack(">III", 4_000_000_000, 5, 1))
    await time.pass_until(lambda: gateway.logins == 2)


async def test_a_deliver_too_short_for_its_fields_ends_the_link_unanswered(gateway, channel, door, time):
    gateway.writer.write(struct.pack(">III", 22, 5, 1) + bytes(10))
    await time.pass_until(lambda: gateway.logins == 2)
    assert not door.messages


async def test_words_are_acknowledged_once_they_are_written_down(gateway, channel, door):
    resp = await gateway.deliver("8613800000009", "井盖丢了😀", name=b"\1\2\3\4\5\6\7\x08")
    assert resp[:8] == b"\1\2\3\4\5\6\7\x08"
    assert not any(resp[8:])
    [message] = door.messages
    assert (message.sender, message.text) == ("13800000009", "井盖丢了😀")
    assert message.external_id == "0102030405060708"
    assert message.raw.endswith(bytes(gateway.tail))
    assert message.account == "sms"


async def test_words_that_cannot_be_written_down_are_not_acknowledged(gateway, channel, door, time):
    door.busy = True
    asking = asyncio.create_task(gateway.deliver("13800000009", "井盖丢了"))
    await time.pass_until(lambda: time.now > 30)
    assert not asking.done()
    door.busy = False
    await gateway.deliver("13800000009", "井盖丢了")
    assert len(door.messages) == 1
    asking.cancel()


async def test_words_wait_a_moment_for_a_full_inbox(gateway, channel, door, time):
    door.busy = True
    asking = asyncio.create_task(gateway.deliver("13800000009", "井盖丢了"))
    await time.pass_until(lambda: time.now > 2)
    door.busy = False
    await time.pass_until(asking.done)
    assert [message.text for message in door.messages] == ["井盖丢了"]


async def test_a_fault_of_ours_leaves_one_message_unacknowledged_and_the_link_up(gateway, channel, door):
    door.broken = True
    asking = asyncio.create_task(gateway.deliver("13800000009", "井盖丢了"))
    await gateway.ask(8, b"")
    door.broken = False
    await gateway.deliver("13800000009", "井盖又丢了")
    assert [message.text for message in door.messages] == ["井盖又丢了"]
    assert not asking.done()
    assert gateway.logins == 1
    asking.cancel()


async def test_a_secret_that_is_refused_is_what_a_send_says(gateway, door):
    made = cmpp.build("sms", settings(gateway, secret="falsch"), tools(None, door))
    running = asyncio.create_task(made.run())
    await gateway.until(lambda: gateway.refused)
    async with asyncio.timeout(10):
        # The gateway has written its refusal; the link reads it a moment later.
        while (reason := await why_not(made)) is SendReason.CONNECTION:
            await asyncio.sleep(0.001)
    assert reason is SendReason.CREDENTIALS
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("sender", ["10690001234", "95588", "4008001234", "8610690001234", ""])
async def test_machines_are_acknowledged_and_ignored(gateway, channel, door, sender):
    assert await gateway.deliver(sender, "您的验证码是1234")
    assert not door.messages


@pytest.mark.parametrize("udhi", [1, 0x40])
async def test_two_citizens_with_one_reference_get_their_own_texts(gateway, channel, door, udhi):
    first, second = "甲" * 67 + "一" * 67 + "子", "乙" * 67 + "二" * 67 + "丑"
    for number in (3, 2, 1):
        for sender, text in (("13800000001", first), ("13800000002", second)):
            await gateway.deliver_part(sender, text, number, udhi=udhi)
    assert {message.sender: message.text for message in door.messages} == {
        "13800000001": first,
        "13800000002": second,
    }


async def test_a_part_that_comes_twice_counts_once(gateway, channel, door):
    text = "甲" * 67 + "一" * 67 + "子"
    for number in (1, 1, 2, 3, 3, 2):
        await gateway.deliver_part("13800000001", text, number)
    assert [message.text for message in door.messages] == [text]


async def test_what_never_comes_whole_is_delivered_and_marked(gateway, channel, door, time):
    text = "甲" * 67 + "一" * 67 + "子"
    await gateway.deliver_part("13800000001", text, 1)
    await gateway.deliver_part("13800000001", text, 3)
    await time.pass_until(lambda: time.now > 55)
    assert not door.messages
    await time.pass_until(lambda: door.messages)
    assert time.now < 75
    [message] = door.messages
    assert message.text == "甲" * 67 + "子"
    assert message.notes == {"incomplete": "第2/3段未收到"}
    await time.pass_until(lambda: time.now > 120)
    assert len(door.messages) == 1


STATS = [
    ("DELIVRD", [Delivery.DELIVERED]),
    ("UNDELIV", [Delivery.FAILED]),
    ("MK:0001", [Delivery.FAILED]),
    ("ACCEPTD", []),
]


@pytest.mark.parametrize("size", [60, 71])
@pytest.mark.parametrize(("stat", "deliveries"), STATS)
async def test_a_receipt_says_how_it_ended(gateway, channel, stat, deliveries, size):
    await gateway.report(b"\0\0\0\0\0\0\0\7", stat, size)
    assert [receipt.delivery for receipt in channel.receipts.came] == deliveries
    assert all(receipt.detail == stat for receipt in channel.receipts.came)


async def test_a_receipt_before_the_answer_is_brought_all_the_same(gateway, channel):
    gateway.holds = True
    sending = asyncio.create_task(channel.send(words("您好")))
    await gateway.until(lambda: gateway.held)
    name = gateway.submits[0].name
    await gateway.report(name)
    gateway.answer(*gateway.held[0])
    assert (await sending).names == (name.hex(),)
    assert [receipt.provider_id for receipt in channel.receipts.came] == [name.hex()]


async def test_of_two_processes_one_logs_in_and_the_other_does_when_it_stops(gateway, time):
    keys = MemoryBus(lambda: time.now)
    first, second = one_of_many(gateway, time, keys), one_of_many(gateway, time, keys)
    holding, waiting = asyncio.create_task(first.run()), asyncio.create_task(second.run())
    await time.pass_until(lambda: time.now > 100)
    assert gateway.logins == 1
    assert (await first.send(words("您好"))).names
    assert await why_not(second) is SendReason.CONNECTION
    assert (first.sends_here, second.sends_here) == (True, False)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await time.pass_until(lambda: gateway.logins == 2)
    assert time.now < 120
    await second.link.up()
    assert (await second.send(words("您好"))).names
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_the_line_of_a_process_that_died_is_taken_over_within_a_minute(gateway, time):
    keys = MemoryBus(lambda: time.now)
    await keys.set("sms:sms:line", "a process that died just after it renewed", TTL)
    taking = asyncio.create_task(one_of_many(gateway, time, keys).run())
    await time.pass_until(lambda: gateway.logins == 1)
    assert TTL <= time.now < 60
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)


async def test_doctor_says_whether_we_are_let_in(gateway, channel):
    made = cmpp.build("sms", settings(gateway), tools(None))
    assert [finding.ok for finding in await made.check()] == [True]
    wrong = cmpp.build("sms", settings(gateway, secret="falsch"), tools(None))
    [finding] = await wrong.check()
    assert not finding.ok
    assert "credentials" in finding.what
    assert finding.cure
    nobody = cmpp.build("sms", {**settings(gateway), "port": 1}, tools(None))
    assert [finding.ok for finding in await nobody.check()] == [False]


WRONG = [
    ("secret", None),
    ("version", 4),
    ("colour", "red"),
    ("src_id", "abc"),
    ("rate", 0),
    ("sp_id", "1234567"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_setting_is_named_without_the_secret(field, value):
    raw = {"kind": "cmpp", "host": "h", "sp_id": "901234", "secret": SECRET, "src_id": "1", field: value}
    with pytest.raises(Misconfigured) as wrong:
        cmpp.build("sms", raw, tools(None))
    assert wrong.value.setting == f"channels.sms.{field}"
    assert SECRET not in str(wrong.value)


async def why_not(channel):
    with pytest.raises(SendError) as refused:
        await channel.send(words("您好"))
    return refused.value.reason


def words(text):
    return OutboundMessage("1", Address("sms", "13800000001"), text)


def one_of_many(gateway, time, keys):
    return cmpp.build("sms", settings(gateway), tools(None, keys=keys), Pace(lambda: time.now, time.sleep))


def settings(gateway, secret=SECRET):
    return {
        "kind": "cmpp",
        "host": "127.0.0.1",
        "port": gateway.port,
        "sp_id": "901234",
        "secret": secret,
        "src_id": "10612345",
        "signature": "泰安12345",
        "version": gateway.version,
        "rate": 10_000,
    }


class Shaky(Door):
    """An inbox with a fault in it."""

    broken = False

    async def accept(self, message):
        if self.broken:
            raise RuntimeError("a fault")
        return await super().accept(message)


class Time:
    """A clock that stands until it is told to pass."""

    def __init__(self):
        self.now = 0.0
        self._sleepers = []

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def pass_until(self, reached):
        async with asyncio.timeout(20):
            while not reached():
                await self._settle()
                self._sleepers = [one for one in self._sleepers if not one[1].done()]
                if reached() or not self._sleepers:
                    continue
                self.now = max(self.now, min(due for due, _ in self._sleepers))
                for due, woken in self._sleepers:
                    if due <= self.now and not woken.done():
                        woken.set_result(None)

    async def _settle(self):
        # Whoever is ready, and what is on loopback's way, goes first.
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0005)


class Submitted:
    def __init__(self, body, version, name):
        wide = 32 if version == 3 else 21
        kind = 1 if version == 3 else 0
        at = 8 + 4 + 10 + 1 + wide + kind
        self.receipt, self.udhi, self.coding = body[10], body[at + 1], body[at + 2]
        at += 3 + 6 + 2 + 6 + 34
        self.source = body[at : at + 21].rstrip(b"\0").decode()
        assert body[at + 21] == 1
        at += 22
        self.receiver = body[at : at + wide].rstrip(b"\0").decode()
        at += wide + kind
        self.content = body[at + 1 : at + 1 + body[at]]
        assert len(body) == at + 1 + body[at] + (20 if version == 3 else 8)
        self.name = name


class Ismg:
    """A gateway as the norm has it, in the test's hand."""

    def __init__(self, version):
        self.version = version
        self.tail = 20 if version == 3 else 8
        self.submits, self.held = [], []
        self.results = itertools.repeat(0)
        self.holds = self.deaf = False
        self.logins = self.tests = self.goodbyes = self.refused = 0
        self._numbers = itertools.count(1)
        self._asked = {}
        self._changed = asyncio.Condition()
        self._writers = set()

    async def listen(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self.server.wait_closed()

    def cut(self):
        self.writer.transport.abort()

    async def until(self, reached):
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(reached)

    async def ask(self, command, body):
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.writer.write(struct.pack(">III", 12 + len(body), command, number) + body)
        async with asyncio.timeout(10):
            return await self._asked[number]

    async def deliver(self, sender, text, name=None):
        return await self._deliver(sender, text.encode("utf-16-be"), name)

    async def deliver_part(self, sender, text, number, udhi=0x40):
        piece = text[67 * (number - 1) : 67 * number].encode("utf-16-be")
        name = hashlib.md5(piece + sender.encode()).digest()[:8]
        await self._deliver(sender, bytes([5, 0, 3, 7, 3, number]) + piece, name, udhi)

    async def report(self, name, stat="DELIVRD", size=60):
        receiver = 32 if size == 71 else 21
        content = struct.pack(
            f">8s7s10s10s{receiver}sI", name, stat.encode(), b"2611241000", b"2611241001", b"1", 1
        )
        assert len(content) == size
        await self._deliver("13800000001", content, receipt=1, coding=0)

    async def _deliver(self, sender, content, name=None, udhi=0, receipt=0, coding=8):
        name = name or struct.pack(">Q", next(self._numbers))
        wide = "32sB" if self.version == 3 else "21s"
        kind = (0,) if self.version == 3 else ()
        head = struct.pack(
            f">8s21s10sBBB{wide}BB",
            *(name, b"10612345", b"", 0, udhi, coding, sender.encode(), *kind, receipt, len(content)),
        )
        return await self.ask(5, head + content + bytes(self.tail))

    def answer(self, writer, number, name, result=0):
        body = name + struct.pack(">I" if self.version == 3 else ">B", result)
        writer.write(struct.pack(">III", 12 + len(body), 0x80000004, number) + body)

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        self.writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, number = struct.unpack(">III", await reader.readexactly(12))
                self._frame(writer, command, number, await reader.readexactly(length - 12))
                async with self._changed:
                    self._changed.notify_all()
        writer.close()

    def _frame(self, writer, command, number, body):
        if command >= 0x80000000:
            if number in self._asked and not self._asked[number].done():
                self._asked[number].set_result(body)
            return
        {1: self._connect, 4: self._submit, 8: self._test, 2: self._goodbye}[command](writer, number, body)

    def _connect(self, writer, number, body):
        source, proof, version, stamp = struct.unpack(">6s16sBI", body)
        digits = b"%010d" % stamp
        right = hashlib.md5(source.rstrip(b"\0") + bytes(9) + SECRET.encode() + digits).digest()
        status = 0 if proof == right and version == self.version << 4 else 3
        code = struct.pack(">I" if self.version == 3 else ">B", status)
        seal = hashlib.md5(code + proof + SECRET.encode()).digest() if not status else bytes(16)
        answer = code + seal + bytes([version])
        writer.write(struct.pack(">III", 12 + len(answer), 0x80000001, number) + answer)
        self.logins += not status
        self.refused += bool(status)

    def _submit(self, writer, number, body):
        name = struct.pack(">Q", 0xABC0000000000000 + len(self.submits))
        self.submits.append(Submitted(body, self.version, name))
        if self.holds:
            self.held.append((writer, number, name))
        else:
            self.answer(writer, number, name, next(self.results))

    def _test(self, writer, number, body):
        self.tests += 1
        if not self.deaf:
            writer.write(struct.pack(">III", 13, 0x80000008, number) + b"\0")

    def _goodbye(self, writer, number, body):
        self.goodbyes += 1
        writer.write(struct.pack(">III", 12, 0x80000002, number))


@pytest.fixture(params=[2, 3])
async def gateway(request):
    made = Ismg(request.param)
    await made.listen()
    yield made
    await made.stop()


@pytest.fixture
def door():
    return Shaky(reply=None)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
async def channel(gateway, door, time):
    receipts = Receipts()
    made = cmpp.build(
        "sms",
        settings(gateway),
        tools(None, door, now=lambda: NOW + timedelta(seconds=time.now), receipts=receipts, parts=Parts()),
        Pace(lambda: time.now, time.sleep, lambda: 0.5),
    )
    made.receipts = receipts
    made.running = asyncio.create_task(made.run())
    async with asyncio.timeout(10):
        await made.link.up()
    yield made
    made.running.cancel()
    await asyncio.gather(made.running, return_exceptions=True)
