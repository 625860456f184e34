"""The carriers' stand-in speaks SMGP and SGIP as the carriers' documents say; its peers here are hand-made bytes."""

import asyncio
import hashlib
import struct

import pytest

from gateway.sandbox.ismg.carrier import Carrier, CarrierSettings
from gateway.sandbox.ismg.sgip_server import sgip_server
from gateway.sandbox.ismg.smgp_server import smgp_server
from tests.kit.ismg import Hand, Peer, until


@pytest.fixture
def hand():
    return Hand()


async def test_smgp_takes_a_message_and_reports_it_with_a_binary_id(hand):
    carrier = Carrier(CarrierSettings("901234", "hotline", number="12345"), hand, hand.pause)
    async with smgp_server(carrier) as server:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", server.port))
        proof = hashlib.md5(b"901234" + bytes(7) + b"hotline1124100000").digest()
        peer.send(1, b"901234\0\0" + proof + b"\x02" + struct.pack(">I", 1124100000) + b"\x30")
        assert (await peer.read())[2][:4] == bytes(4)
        for part, text in ((1, "您的诉求"), (2, "已受理")):
            content = b"\x05\x00\x03\x07\x02" + bytes((part,)) + text.encode("utf-16-be")
            peer.send(2, b"".join((
                b"\x06\x01\x00", bytes(10), b"00", bytes(12), b"\x08", bytes(34), b"12345".ljust(21, b"\0"),
                bytes(21), b"\x01", b"13800138000".ljust(21, b"\0"), bytes((len(content),)), content, bytes(8),
                b"\0\x02\0\x01\x01", b"\0\x09\0\x01\x02",
            )), part)  # fmt: skip
            command, _, body = await peer.read()
            assert (command, len(body), body[10:]) == (0x80000002, 14, bytes(4))
            command, sequence, report = await peer.read()
            assert (command, report[10]) == (3, 1)
            told = report[69 : 69 + report[68]]
            assert told[:13] == b"id:" + body[:10]
            assert b" stat:DELIVRD err:000" in told
            peer.send(0x80000003, report[:10] + bytes(4), sequence)
        line = carrier.phone("13800138000").lines[0]
        await until(carrier, lambda: line.receipt == "DELIVRD")
        assert line.text == "您的诉求已受理"
        carrier.say("13800138000", "谢谢")
        body = (await peer.read())[2]
        assert (body[10], body[11], body[69:73].decode("utf-16-be")) == (0, 8, "谢谢")
        peer.writer.close()


async def test_sgip_takes_submits_and_calls_the_service_to_deliver(hand):
    calls = asyncio.Queue()

    async def called(reader, writer):
        await calls.put(Peer(reader, writer, 20))

    service = await asyncio.start_server(called, "127.0.0.1", 0)
    carrier = Carrier(CarrierSettings("hotline", "secret", number="12345"), hand, hand.pause)
    async with service, sgip_server(carrier, service.sockets[0].getsockname()[1]) as server:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", server.port), 20)
        name = struct.pack(">III", 3075512345, 1124100000, 1)
        login = b"hotline".ljust(16, b"\0") + b"secret".ljust(16, b"\0") + bytes(8)
        peer.send(1, b"\x01" + login, name)
        assert (await peer.read())[2] == bytes(9)
        content = "已受理".encode("utf-16-be")
        peer.send(3, b"".join((
            b"12345".ljust(21, b"\0"), bytes(21), b"\x01", b"8613800138000".ljust(21, b"\0"), b"12345",
            bytes(10), b"\x01", b"0".ljust(6, b"\0"), b"0".ljust(6, b"\0"), bytes(3), bytes(32), b"\x01",
            bytes(2), b"\x08", b"\0", struct.pack(">I", len(content)), content, bytes(8),
        )), name)  # fmt: skip
        assert (await peer.read())[1:] == (name, bytes(9))
        async with asyncio.timeout(5):
            callee = await calls.get()
        command, sequence, body = await callee.read()
        assert (command, body) == (1, b"\x02" + login)
        callee.send(0x80000001, bytes(9), sequence)
        command, sequence, body = await callee.read()
        assert (command, body[:12], body[13:26], body[34]) == (5, name, b"8613800138000", 0)
        callee.send(0x80000005, bytes(9), sequence)
        line = carrier.phone("13800138000").lines[0]
        await until(carrier, lambda: line.receipt == "DELIVRD")
        assert line.text == "已受理"
        carrier.say("13800138000", "谢谢")
        command, sequence, body = await callee.read()
        assert (command, body[:13], body[49:53].decode("utf-16-be")) == (4, b"8613800138000", "谢谢")
        peer.writer.close()
        callee.writer.close()


def _smgp_login(secret):
    proof = hashlib.md5(b"901234" + bytes(7) + secret + b"1124100000").digest()
    return b"901234\0\0" + proof + b"\x02" + struct.pack(">I", 1124100000) + b"\x30"


def _sgip_login(kind, secret):
    return bytes((kind,)) + b"901234".ljust(16, b"\0") + secret.ljust(16, b"\0") + bytes(8)


@pytest.mark.parametrize(
    ("label", "open_server", "head", "login", "told"),
    [
        ("SMGP", smgp_server, 12, _smgp_login(b"guess"), b"\0\0\0\x15" + bytes(16) + b"\x30"),
        ("SGIP", lambda one: sgip_server(one, 1), 20, _sgip_login(1, b"guess"), b"\x01" + bytes(8)),
        ("SGIP as a carrier", lambda one: sgip_server(one, 1), 20, _sgip_login(2, b"hotline"), b"\x04" + bytes(8)),
    ],
)  # fmt: skip
async def test_the_other_protocols_refuse_a_wrong_login_too(hand, label, open_server, head, login, told):
    carrier = Carrier(CarrierSettings("901234", "hotline"), hand, hand.pause)
    async with open_server(carrier) as server:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", server.port), head)
        peer.send(1, login, bytes(head - 8))
        assert (await peer.read())[2] == told, label
        assert await peer.ended()
        assert carrier.counts["bad_logins"] == 1
        peer.writer.close()
