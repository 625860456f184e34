"""Our side of CMPP and SMGP before the sandbox's carrier, which was written apart from it."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import ClientSession

from channels.contract import SendError, SendReason
from channels.sms import cmpp, smgp
from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings, Fault
from gateway.sandbox.ismg.cmpp_server import cmpp_server
from gateway.sandbox.ismg.smgp_server import smgp_server
from normalizer.message import Address, Delivery, OutboundMessage
from tests.kit.doors import Door, Receipts, tools

PHONE = "13805380001"
LONG = "青年路的路灯坏了好几盏，晚上看不见路。" * 6
KINDS = [
    pytest.param(cmpp.build, cmpp_server, {"kind": "cmpp", "sp_id": "906888", "version": 2}, id="CMPP 2"),
    pytest.param(cmpp.build, cmpp_server, {"kind": "cmpp", "sp_id": "906888", "version": 3}, id="CMPP 3"),
    pytest.param(smgp.build, smgp_server, {"kind": "smgp", "client_id": "906888"}, id="SMGP"),
]


def message(text=LONG):
    return OutboundMessage("1", Address("sms", PHONE), text)


@pytest.mark.parametrize(("build", "server", "raw"), KINDS)
async def test_long_texts_go_and_come_whole_and_are_receipted(build, server, raw):
    carrier, door, receipts = (
        Carrier(CarrierSettings("906888", "secret", "1069012345")),
        Door(None),
        Receipts(),
    )
    async with linked(build, server, raw, carrier, door, receipts) as channel:
        sent = await channel.send(message())
        carrier.say(PHONE, LONG)
        await until(lambda: len(door.messages) == 1 and len(receipts.came) == len(sent.names))
    assert carrier.phone(PHONE).lines[0].text == "【泰安12345】" + LONG
    assert (door.messages[0].text, door.messages[0].sender) == (LONG, PHONE)
    assert len(sent.names) == 2
    assert {receipt.provider_id for receipt in receipts.came} == set(sent.names)
    assert {receipt.delivery for receipt in receipts.came} == {Delivery.DELIVERED}


@pytest.mark.parametrize(("build", "server", "raw"), KINDS)
async def test_a_text_of_which_a_part_went_is_unknown_and_not_sent_again(build, server, raw):
    carrier = Carrier(CarrierSettings("906888", "secret", "1069012345"))
    async with linked(build, server, raw, carrier, Door(None), Receipts()) as channel:
        carrier.faults["submit"].extend([Fault("slow"), Fault("result", code=9)])
        with pytest.raises(SendError) as failed:
            await channel.send(message())
        assert failed.value.reason is SendReason.TIMEOUT
        carrier.faults["submit"].append(Fault("result", code=9))
        with pytest.raises(SendError) as refused:
            await channel.send(message("短"))
        assert refused.value.reason is not SendReason.TIMEOUT


@asynccontextmanager
async def linked(build, server, raw, carrier, door, receipts):
    async with ClientSession() as http, server(carrier) as standin:
        settings = raw | {
            "host": "127.0.0.1",
            "port": standin.port,
            "secret": "secret",
            "src_id": "1069012345",
        }
        channel = build("sms", settings | {"signature": "泰安12345"}, tools(http, door, receipts=receipts))
        task = asyncio.create_task(channel.run())
        try:
            await asyncio.wait_for(channel.link.up(), 10)
            yield channel
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(holds):
    async with asyncio.timeout(15):
        while not holds():
            await asyncio.sleep(0.01)
