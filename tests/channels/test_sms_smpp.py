"""SMPP against an SMSC of the test's own (tests/kit/smsc.py), which shares no code with the adapter."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from channels.contract import SendError, SendReason
from channels.sms import smpp
from channels.sms.pace import Pace
from gateway.bus import MemoryBus
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW, Door, Receipts, tools
from tests.kit.smsc import smsc

PHONE = "13800000001"
TEXT = "井盖丢了，很危险。" * 20
BORDER = datetime(2026, 11, 24, 2, 1, 59, tzinfo=UTC)
"""A second before a border of two minutes."""
HURRIED = Pace(sleep=lambda seconds: asyncio.sleep(min(seconds, 0.01)))


async def test_a_long_text_goes_in_parts_and_its_receipt_comes_under_its_name(centre, channel):
    result = await channel.send(words(TEXT))
    assert [one.name for one in centre.submits] == list(result.names)
    assert b"".join(one.content[6:] for one in centre.submits).decode("utf-16-be") == "【泰安12345】" + TEXT
    assert {(one.registered, one.coding, one.esm_class) for one in centre.submits} == {(1, 8, 0x40)}
    assert await centre.receipt(result.names[0]) == 0
    [receipt] = channel.receipts.came
    assert (receipt.provider_id, receipt.delivery) == (result.names[0], Delivery.DELIVERED)


LATIN = [
    ("few letters stay in UCS-2", "Your case is 37092611240001233.", 8, [62]),
    ("160 letters are one message", "a" * 160, 0, [160]),
    ("161 letters are two", "a" * 161, 0, [6 + 153, 6 + 8]),
    ("an extended letter is not cut", "a" * 152 + "[" + "a" * 20, 0, [6 + 152, 6 + 22]),
    ("Han makes all wide", "a" * 100 + "井", 8, [6 + 134, 6 + 68]),
]


@pytest.mark.parametrize("row", LATIN, ids=[row[0] for row in LATIN])
async def test_a_text_in_latin_letters_goes_in_gsm_where_that_saves_messages(centre, row):
    _, text, coding, sizes = row
    async with bound(centre, signature="") as channel:
        await channel.send(words(text))
    assert [len(one.content) for one in centre.submits] == sizes
    assert {one.coding for one in centre.submits} == {coding}
    heads = [one.content[:3] for one in centre.submits if one.esm_class]
    assert heads == [b"\5\0\3"] * (len(sizes) if len(sizes) > 1 else 0)


async def test_a_receipt_may_come_before_the_answer(centre, channel):
    centre.receipt_first = True
    result = await channel.send(words("您好"))
    await centre.until(lambda: bool(channel.receipts.came))
    assert channel.receipts.came[0].provider_id == result.names[0]


async def test_long_messages_that_come_reversed_and_mixed_are_whole(centre, channel):
    for number, sender, text in (
        (2, "+86" + PHONE, "了"),
        (2, "13800000002", "水"),
        (1, "13800000002", "停"),
        (1, PHONE, "丢"),
    ):
        content = bytes([5, 0, 3, 7, 2, number]) + text.encode("utf-16-be")
        assert await centre.deliver(sender, content, esm=0x40) == 0
    assert [(one.sender, one.text) for one in channel.door.messages] == [
        ("13800000002", "停水"),
        (PHONE, "丢了"),
    ]


CAME = [
    ("GSM", b"CX \x00", 0, {}, "CX @"),
    ("Latin-1", "é".encode("latin-1"), 3, {}, "é"),
    ("payload", b"", 8, {0x0424: "井盖".encode("utf-16-be")}, "井盖"),
    ("sar", "井".encode("utf-16-be"), 8, {0x020C: b"\0\7", 0x020E: b"\1", 0x020F: b"\1"}, "井"),
]


@pytest.mark.parametrize(
    ("content", "coding", "tlvs", "text"), [row[1:] for row in CAME], ids=[row[0] for row in CAME]
)
async def test_words_are_read_in_every_coding(centre, channel, content, coding, tlvs, text):
    assert await centre.deliver(PHONE, content, coding=coding, tlvs=tlvs) == 0
    assert [one.text for one in channel.door.messages] == [text]


async def test_a_machine_is_acknowledged_and_ignored(centre, channel):
    assert await centre.deliver("10690000", b"ad", coding=0) == 0
    assert channel.door.messages == []


FIRST = b"BC \x00"


async def brought(centre, after):
    """Bring the same words again and again, so many seconds after the first, and return the names they got."""
    at = [0.0]
    bus = MemoryBus(lambda: at[0])
    async with bound(centre, now=lambda: BORDER + timedelta(seconds=at[0]), keys=bus) as channel:
        for at[0] in after:
            assert await centre.deliver(PHONE, FIRST, coding=0) == 0
        return [one.external_id for one in channel.door.messages]


REPEATS = [
    ("brought again because our answer was lost", [0.0, 3.0, 70.0, 119.0], 1),
    ("sent again by the citizen", [0.0, 300.0], 2),
    ("brought twice, sent again and brought twice", [0.0, 10.0, 130.0, 140.0], 2),
]


@pytest.mark.parametrize("row", REPEATS, ids=[row[0] for row in REPEATS])
async def test_the_same_words_are_one_message_for_two_minutes_wherever_the_clock_stands(centre, row):
    _, seconds, count = row
    names = await brought(centre, seconds)
    assert len(names) == len(seconds)
    assert len(set(names)) == count


async def test_what_is_brought_again_over_a_new_link_after_our_answer_was_lost_is_one_message(
    centre, channel
):
    words_ = "井".encode("utf-16-be")
    lost = asyncio.create_task(centre.deliver(PHONE, words_))
    await centre.until(lambda: bool(channel.door.messages))
    centre.cut()
    await asyncio.gather(lost, return_exceptions=True)
    await centre.until(lambda: len(centre.binds) == 2)
    assert await centre.deliver(PHONE, words_) == 0
    assert len(channel.door.messages) == 2
    assert len({one.external_id for one in channel.door.messages}) == 1


@pytest.mark.parametrize("other", [{"source": "13800000002"}, {"content": b"BC !"}, {"destination": "106"}])
async def test_other_words_another_sender_or_another_number_are_another_message(centre, channel, other):
    await centre.deliver(source=PHONE, content=FIRST, coding=0)
    await centre.deliver(**{"source": PHONE, "content": FIRST, "coding": 0, **other})
    assert len({one.external_id for one in channel.door.messages}) == 2


TOLD = [
    ("by parameters alone", {0x001E: b"7a\0", 0x0427: b"\2"}, [("7a", Delivery.DELIVERED, "DELIVRD")]),
    ("refused", {0x001E: b"7a\0", 0x0427: b"\x08"}, [("7a", Delivery.FAILED, "REJECTD")]),
    ("expired", {0x001E: b"7a\0", 0x0427: b"\3"}, [("7a", Delivery.FAILED, "EXPIRED")]),
    ("unknown is no failure", {0x001E: b"7a\0", 0x0427: b"\7"}, []),
    ("on its way", {0x001E: b"7a\0", 0x0427: b"\1"}, []),
    ("without a name", {0x0427: b"\2"}, []),
]


@pytest.mark.parametrize("row", TOLD, ids=[row[0] for row in TOLD])
async def test_a_receipt_in_optional_parameters_says_how_it_ended(centre, channel, row):
    _, tlvs, told = row
    assert await centre.deliver(PHONE, b"", coding=0, esm=0x04, tlvs=tlvs) == 0
    assert [(one.provider_id, one.delivery, one.detail) for one in channel.receipts.came] == told


async def test_a_receipt_that_says_unknown_is_no_failure(centre, channel):
    assert await centre.receipt("7a", b"UNKNOWN") == 0
    assert channel.receipts.came == []


async def test_throttling_is_waited_out(centre, channel):
    centre.statuses.extend([0x58, 0x14])
    assert len((await channel.send(words("您好"))).names) == 1
    assert len(centre.submits) == 3


STATUSES = [
    ("throttled", 0x58, SendReason.THROTTLED, 4),
    ("queue full", 0x14, SendReason.THROTTLED, 4),
    ("try again", 0x64, SendReason.BUSY, 1),
    ("system error", 0x08, SendReason.BUSY, 1),
    ("bad number", 0x0B, SendReason.UNREACHABLE, 1),
    ("bad source", 0x0A, SendReason.FORBIDDEN, 1),
    ("submit failed", 0x45, SendReason.REFUSED, 1),
]


@pytest.mark.parametrize("row", STATUSES, ids=[row[0] for row in STATUSES])
async def test_a_status_is_a_reason(centre, row):
    _, status, reason, tries = row
    centre.statuses.extend([status] * 4)
    async with bound(centre, HURRIED) as channel:
        with pytest.raises(SendError) as refused:
            await channel.send(words("您好"))
    assert (refused.value.reason, len(centre.submits)) == (reason, tries)


async def test_a_wrong_password_is_said_plainly_and_not_tried_again_at_once(centre):
    waits, waiting = [], asyncio.Event()

    async def sleep(seconds):
        waits.append(seconds)
        waiting.set()
        await asyncio.Event().wait()

    channel = made(centre, Pace(sleep=sleep, chance=lambda: 0.0), password="guess")
    with capture_logs() as said:
        running = asyncio.create_task(channel.link.run())
        async with asyncio.timeout(5):
            await waiting.wait()
    with pytest.raises(SendError) as refused:
        await channel.send(words("您好"))
    assert refused.value.reason is SendReason.CREDENTIALS
    assert waits[-1] >= 30
    [line] = [one for one in said if one["log_level"] == "error"]
    assert (line["event"], line["account"]) == ("sms.login_refused", "smpp")
    assert "guess" not in str(line)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_no_more_than_the_window_is_unanswered(centre, channel):
    centre.silent = True
    sends = [asyncio.create_task(channel.send(words("您好"))) for _ in range(6)]
    await centre.until(lambda: len(centre.held) == 4)
    # A frame that comes back proves that all that was written before it has been read.
    await centre.deliver(PHONE, FIRST, coding=0)
    assert len(centre.held) == 4
    centre.silent = False
    centre.answer_held()
    await asyncio.gather(*sends)
    assert centre.most_unanswered == 4


async def test_a_link_that_dies_leaves_the_outcome_unknown_and_comes_back(centre, channel):
    centre.silent = True
    send = asyncio.create_task(channel.send(words("您好")))
    await centre.until(lambda: bool(centre.held))
    centre.cut()
    with pytest.raises(SendError) as lost:
        await send
    assert lost.value.reason is SendReason.TIMEOUT
    await centre.until(lambda: len(centre.binds) == 2)


async def test_an_unknown_request_gets_a_nack_and_the_link_lives(centre, channel):
    centre.write(0x0103, 0, 77)
    await centre.until(lambda: centre.nacks == 1)
    assert await centre.deliver(PHONE, "井".encode("utf-16-be")) == 0


async def test_a_broken_pdu_ends_the_link_and_a_new_one_is_made(centre, channel):
    centre.raw(b"\xff" * 16)
    await centre.until(lambda: len(centre.binds) == 2)


def words(text):
    return OutboundMessage("1", Address("smpp", PHONE), text)


@pytest.fixture
async def centre():
    async with smsc() as centre:
        yield centre


@pytest.fixture
async def channel(centre):
    async with bound(centre) as channel:
        yield channel


@contextlib.asynccontextmanager
async def bound(centre, pace=None, **other):
    """Run a channel that is bound to the centre, with its inbox and receipts at hand."""
    channel = made(centre, pace, **other)
    task = asyncio.create_task(channel.run())
    async with asyncio.timeout(5):
        await channel.link.up()
    yield channel
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def made(centre, pace=None, now=lambda: NOW, keys=None, **other):
    door, receipts = Door(), Receipts()
    settings = {
        "kind": "smpp", "host": "127.0.0.1", "port": centre.port, "system_id": "hotline", "password": "secret",
        "src_id": "10691234", "signature": "泰安12345", "window": 4, "rate": 1000, **other,
    }  # fmt: skip
    channel = smpp.build("smpp", settings, tools(None, door, receipts=receipts, now=now, keys=keys), pace)
    channel.door, channel.receipts = door, receipts
    return channel
