"""A short way in for providers' calls: a whole and plain POST is answered without a request object or a router.

A connection begins here and stays while every call on it comes whole, to a known address and with nothing unusual in
its head. At the first thing that is otherwise it becomes aiohttp's, from that request on. So what is read here is a
strict part of HTTP/1.1 (RFC 9112), and nothing is refused for not belonging to it.
"""

from __future__ import annotations

import asyncio
import re
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

import structlog

from channels.contract import Answered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from channels.contract import Take

log = structlog.get_logger()

LARGEST = 128 * 1024
"""Bytes of a call that are looked at here, and of the next one that may come before the answer."""
IDLE = 75.0
"""Seconds after which a connection that nobody uses is closed."""

HEADS = 512
"""Heads that are remembered: a provider writes the same one again and again."""
_LONGEST_HEAD = 4096

_LINE = rb"(?!content-length|transfer-encoding|expect|upgrade|trailer|connection:(?! ?keep-alive\r))[\w-]+:[\t -~\x80-\xff]*\r\n"
_PLAIN = re.compile(
    rb"(?:" + _LINE + rb")*content-length: ?(\d{1,6})\r\n(?:" + _LINE + rb")*",
    re.IGNORECASE,
)
_FAILED = Answered(b"", status=HTTPStatus.INTERNAL_SERVER_ERROR)


class Call(NamedTuple):
    """A POST that came whole: the path, the query as it was sent, the body."""

    path: str
    query: str
    body: bytes


def read(data: bytes) -> Call | None:
    """Return the one call that ``data`` is, None when it is anything else."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    if len(head) > _LONGEST_HEAD or not line.isascii() or _length(fields) != len(body):
        return None
    method, _, rest = line.decode().partition(" ")
    target, _, version = rest.partition(" ")
    path, _, query = target.partition("?")
    plain = method == "POST" and version == "HTTP/1.1" and target.isprintable()
    return Call(path, query, body) if plain else None


@lru_cache(HEADS)
def _length(fields: bytes) -> int:
    """Return the length of the body that plain header fields give, -1 for any others."""
    found = _PLAIN.fullmatch(fields + b"\r\n")
    return int(found[1]) if found is not None else -1


class Direct:
    """Makes the protocols of one listening socket; ``otherwise`` makes those of the web server behind it."""

    def __init__(self, ways: Mapping[str, Take], otherwise: Callable[[], asyncio.BaseProtocol]) -> None:
        self.ways = ways
        self.otherwise = otherwise
        self.loop = asyncio.get_running_loop()
        self.open: set[Connection] = set()
        self._sweeping = self.loop.call_later(IDLE, self._sweep)

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self)

    async def close(self, patience: float) -> None:
        """Answer what is in hand, for at most ``patience`` seconds, and close all connections."""
        self._sweeping.cancel()
        in_hand = [connection.task for connection in self.open if connection.task is not None]
        if in_hand:
            await asyncio.wait(in_hand, timeout=patience)
        for connection in list(self.open):
            connection.transport.close()

    def _sweep(self) -> None:
        before = self.loop.time() - IDLE
        for connection in list(self.open):
            if connection.task is None and connection.since < before:
                connection.transport.close()
        self._sweeping = self.loop.call_later(IDLE, self._sweep)


class Connection(asyncio.Protocol):
    """One connection, a call at a time."""

    transport: asyncio.Transport

    def __init__(self, whole: Direct) -> None:
        self._whole = whole
        self._early = b""
        self.task: asyncio.Task[None] | None = None
        self.since = whole.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._whole.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; the call in hand goes on, for its message counts."""
        self._whole.open.discard(self)

    def pause_writing(self) -> None:
        """Hang up on who sends call after call and reads no answer."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer a call, or give the connection away."""
        if self.task is not None:
            self._early += data
            if len(self._early) > LARGEST:
                self.transport.pause_reading()
            return
        call = read(data)
        way = self._whole.ways.get(call.path) if call is not None else None
        if call is None or way is None:
            self._give_away(data)
            return
        self.task = self._whole.loop.create_task(self._answer(way(call.query, call.body)))

    async def _answer(self, coming: Awaitable[Answered]) -> None:
        try:
            answer = await coming
        except Exception:
            log.exception("call.failed")
            answer = _FAILED
        self.task = None
        self.since = self._whole.loop.time()
        if self.transport.is_closing():
            return
        self.transport.write(_bytes_of(answer))
        answer.written()
        if self._early:
            self.transport.resume_reading()
            self._give_away(self._early)

    def _give_away(self, data: bytes) -> None:
        self._whole.open.discard(self)
        other = cast("asyncio.Protocol", self._whole.otherwise())
        self.transport.set_protocol(other)
        other.connection_made(self.transport)
        other.data_received(data)


def _bytes_of(answer: Answered) -> bytes:
    head = _head(answer.status, answer.content_type, answer.retry_after)
    return b"".join((head, str(len(answer.body)).encode(), _date(int(time.time())), answer.body))


@lru_cache(HEADS)
def _head(status: int, content_type: str, retry_after: int) -> bytes:
    """Return the head of an answer up to the length of its body."""
    retry = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    return f"{first}Content-Type: {content_type}\r\n{retry}Content-Length: ".encode()


@lru_cache(1)
def _date(second: int) -> bytes:
    """Return the end of an answer's head: the Date, made once a second."""
    return f"\r\nDate: {formatdate(second, usegmt=True)}\r\n\r\n".encode()
