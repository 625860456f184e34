"""SMPP against an SMSC of the test's own (tests/kit/smsc.py), which shares no code with the adapter."""

import asyncio
import contextlib

import pytest

from channels.contract import SendError, SendReason
from channels.sms import smpp
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import NOW, Door, Receipts, tools
from tests.kit.smsc import smsc

PHONE = "13800000001"
TEXT = "井盖丢了，很危险。" * 20


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


async def test_throttling_is_waited_out(centre, channel):
    centre.statuses.extend([0x58, 0x14])
    assert len((await channel.send(words("您好"))).names) == 1
    assert len(centre.submits) == 3


async def test_a_bad_number_is_unreachable(centre, channel):
    centre.statuses.append(0x0B)
    with pytest.raises(SendError) as refused:
        await channel.send(words("您好"))
    assert refused.value.reason is SendReason.UNREACHABLE


async def test_no_more_than_the_window_is_unanswered(centre, channel):
    centre.silent = True
    sends = [asyncio.create_task(channel.send(words("您好"))) for _ in range(6)]
    await centre.until(lambda: len(centre.held) == 4)
    centre.silent = False
    centre.answer_held()
    await asyncio.gather(*sends)
    assert centre.most_unanswered <= 4 + 1


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
async def bound(centre, **other):
    """Run a channel that is bound to the centre, with its inbox and receipts at hand."""
    channel = made(centre, **other)
    task = asyncio.create_task(channel.run())
    async with asyncio.timeout(5):
        await channel.link.up()
    yield channel
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def made(centre, pace=None, now=lambda: NOW, **other):
    door, receipts = Door(), Receipts()
    settings = {
        "kind": "smpp", "host": "127.0.0.1", "port": centre.port, "system_id": "hotline", "password": "secret",
        "src_id": "10691234", "signature": "泰安12345", "window": 4, "rate": 1000, **other,
    }  # fmt: skip
    channel = smpp.build("smpp", settings, tools(None, door, receipts=receipts, now=now), pace)
    channel.door, channel.receipts = door, receipts
    return channel
