"""The other side of the sandbox's carrier in the test's hand: a clock, and a service that writes its frames itself."""

from __future__ import annotations

import asyncio
import hashlib
import struct

NOW = 1_795_500_000.0


class Hand:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = NOW
        self.waits = []

    def __call__(self):
        return self.now

    async def pause(self, seconds):
        gate = asyncio.Event()
        self.waits.append((self.now + seconds, gate))
        await gate.wait()

    async def forward(self, seconds):
        self.now += seconds
        for due, gate in self.waits:
            if due <= self.now:
                gate.set()
        self.waits = [wait for wait in self.waits if wait[0] > self.now]
        await asyncio.sleep(0)


class Peer:
    """A service that writes its frames by hand."""

    def __init__(self, reader, writer, head=12):
        self.reader, self.writer, self.head = reader, writer, head
        self.raw = b""

    def send(self, command, body=b"", sequence=1):
        number = sequence if isinstance(sequence, bytes) else struct.pack(">I", sequence)
        self.writer.write(struct.pack(">II", 8 + len(number) + len(body), command) + number + body)

    async def read(self):
        async with asyncio.timeout(5):
            head = await self.reader.readexactly(self.head)
            body = await self.reader.readexactly(int.from_bytes(head[:4]) - self.head)
        self.raw = head + body
        return int.from_bytes(head[4:8]), head[8:], body

    async def ended(self):
        async with asyncio.timeout(5):
            return await self.reader.read() == b""

    async def connect(self, version, secret="hotline"):
        stamp = 1124100000
        proof = hashlib.md5(b"901234" + bytes(9) + secret.encode() + b"1124100000").digest()
        self.send(1, b"901234" + proof + bytes((version,)) + struct.pack(">I", stamp))
        return (await self.read())[2]


async def until(carrier, holds):
    """Wait until the carrier's state is as wanted."""
    gate = asyncio.Event()
    carrier.watchers.add(gate.set)
    async with asyncio.timeout(5):
        while not holds():
            await gate.wait()
            gate.clear()
    carrier.watchers.discard(gate.set)
