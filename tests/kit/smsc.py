"""An SMSC in the test's hand, written from SMPP 3.4 alone; it shares no line with the adapter it plays against."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

BIND_TRX, SUBMIT, DELIVER, UNBIND, ENQUIRE, NACK = 0x09, 0x04, 0x05, 0x06, 0x15, 0x80000000


@dataclass(frozen=True)
class Submitted:
    """What a client submitted, as far as the tests look at it; ``name`` is the id this SMSC gave it."""

    name: str
    source: str
    destination: str
    esm_class: int
    registered: int
    coding: int
    content: bytes
    source_kind: tuple[int, int]
    destination_kind: tuple[int, int]
    body: bytes


@dataclass
class Smsc:
    """Takes binds and submits; ``statuses`` are the next answers to submits, ``silent`` gives none at all."""

    password: str = "secret"
    statuses: deque[int] = field(default_factory=deque)
    silent: bool = False
    receipt_first: bool = False
    submits: list[Submitted] = field(default_factory=list)
    binds: list[tuple[str, str, str]] = field(default_factory=list)
    enquiries: int = 0
    unbinds: int = 0
    nacks: int = 0
    unanswered: int = 0
    most_unanswered: int = 0
    held: list[bytes] = field(default_factory=list)
    port: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _waiting: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _sequence: int = 0

    async def until(self, ready, wait=10.0):
        """Wait until something is so, looked at after every PDU."""
        async with asyncio.timeout(wait), self.changed:
            await self.changed.wait_for(ready)

    async def bound(self):
        """Wait until a client is bound."""
        await self.until(lambda: bool(self._writers))

    async def deliver(self, source, content, *, destination="10691234", coding=8, esm=0, tlvs=None) -> int:
        """Bring a message or a receipt to the client and return the status of its answer."""
        body = (
            b"\x00"
            + bytes((1, 1))
            + source.encode()
            + b"\x00"
            + bytes((0, 1))
            + destination.encode()
            + b"\x00"
        )
        body += bytes((esm, 0, 0)) + b"\x00\x00" + bytes((0, 0, coding, 0, len(content))) + content
        body += b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in (tlvs or {}).items())
        return await self.ask(DELIVER, body)

    async def receipt(self, name, state=b"DELIVRD", source="13800000000") -> int:
        """Bring a receipt in the usual text."""
        text = b"id:%s sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:%s err:000 text:"
        return await self.deliver(source, text % (name.encode(), state), coding=0, esm=0x04)

    async def ask(self, command, body) -> int:
        """Send a request and return the status of its answer."""
        self._sequence += 1
        waiting = self._waiting[self._sequence] = asyncio.get_running_loop().create_future()
        self.write(command, 0, self._sequence, body)
        return await asyncio.wait_for(waiting, 10)

    def write(self, command, status, sequence, body=b""):
        """Send a PDU as it is."""
        self.raw(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def raw(self, data):
        """Send any bytes."""
        self._writers[-1].write(data)

    def cut(self):
        """Break every link, as a fallen line does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def answer_held(self):
        """Answer every submit that was kept waiting."""
        for data in self.held:
            self.unanswered -= 1
            self.raw(data)
        self.held.clear()

    async def serve(self, reader, writer):
        try:
            while True:
                size, command, status, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                body = await reader.readexactly(size - 16)
                await self._take(writer, command, status, sequence, body)
                async with self.changed:
                    self.changed.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            writer.close()

    async def _take(self, writer, command, status, sequence, body):
        if command == BIND_TRX:
            self._bind(writer, sequence, body)
        elif command == SUBMIT:
            await self._submit(sequence, body)
        elif command in {ENQUIRE, UNBIND}:
            self.enquiries += command == ENQUIRE
            self.unbinds += command == UNBIND
            writer.write(struct.pack(">IIII", 16, command | NACK, 0, sequence))
        elif command == NACK:
            self.nacks += 1
        elif command & NACK and sequence in self._waiting:
            self._waiting.pop(sequence).set_result(status)

    def _bind(self, writer, sequence, body):
        system_id, password, kind = (part.decode() for part in body.split(b"\x00")[:3])
        self.binds.append((system_id, password, kind))
        status = 0 if password == self.password else 0x0E
        answer = b"SMSC\x00"
        writer.write(struct.pack(">IIII", 16 + len(answer), BIND_TRX | NACK, status, sequence) + answer)
        if status == 0:
            self._writers.append(writer)

    async def _submit(self, sequence, body):
        name = f"{len(self.submits) + 1:08x}"
        message = _read(name, body)
        self.submits.append(message)
        status = self.statuses.popleft() if self.statuses else 0
        if self.receipt_first and message.registered:
            receipt = asyncio.ensure_future(self.receipt(name))
            await asyncio.sleep(0)
            receipt.add_done_callback(lambda done: done.exception())
        answer = b"" if status else name.encode() + b"\x00"
        data = struct.pack(">IIII", 16 + len(answer), SUBMIT | NACK, status, sequence) + answer
        self.unanswered += 1
        self.most_unanswered = max(self.most_unanswered, self.unanswered)
        if self.silent:
            self.held.append(data)
            return
        self.unanswered -= 1
        self.raw(data)


def _read(name, body) -> Submitted:
    rest = body.split(b"\x00", 1)[1]
    source_kind, rest = tuple(rest[:2]), rest[2:]
    source, rest = rest.split(b"\x00", 1)
    destination_kind, rest = tuple(rest[:2]), rest[2:]
    destination, rest = rest.split(b"\x00", 1)
    esm = rest[0]
    _schedule, _validity, rest = rest[3:].split(b"\x00", 2)
    registered, _replace, coding, _default, size = rest[:5]
    content = rest[5 : 5 + size]
    return Submitted(
        name,
        source.decode(),
        destination.decode(),
        esm,
        registered,
        coding,
        content,
        source_kind,
        destination_kind,
        body,
    )


def long_parts(text, reference=7):
    """Return the contents of a long UCS-2 message's parts: a header of six bytes, 134 bytes of words."""
    words = text.encode("utf-16-be")
    cut = [words[at : at + 134] for at in range(0, len(words), 134)]
    return [bytes((5, 0, 3, reference, len(cut), number)) + part for number, part in enumerate(cut, 1)]


@asynccontextmanager
async def smsc(**how):
    """Start an SMSC on a free port."""
    centre = Smsc(**how)
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    centre.port = server.sockets[0].getsockname()[1]
    try:
        yield centre
    finally:
        server.close()
        centre.cut()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 2)
