"""The short way in: whole, plain calls are answered by it, and everything else by the web server, on one connection."""

import asyncio
import contextlib
import re
from collections import Counter
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Answered
from gateway.app import listening
from gateway.web import direct, hooks

PATH = "/channels/wx"
HOST = "Host: here\r\n"


def call(body="hello", *, query="a=1", path=PATH, fields="", first=None, length=None):
    """Return a request as bytes."""
    first = first or f"POST {path}?{query} HTTP/1.1"
    size = f"Content-Length: {len(body) if length is None else length}\r\n"
    return f"{first}\r\n{HOST}{fields}{size}\r\n{body}".encode("latin-1")


class Way:
    """A way that answers with what it was given, when it may."""

    def __init__(self):
        self.calls = []
        self.written = 0
        self.may = asyncio.Event()
        self.may.set()
        self.broken = False

    async def take(self, query, body):
        self.calls.append((query, body))
        await self.may.wait()
        if self.broken:
            raise RuntimeError("broken")
        status, wait = (503, 1) if query == "busy" else (200, 0)
        return Answered(b"direct " + body, status, retry_after=wait, written=self._wrote)

    def _wrote(self):
        self.written += 1

    async def routed(self, request):
        return web.Response(body=b"routed " + await request.read())


@pytest.fixture(autouse=True)
def seen(monkeypatch):
    """Count what the protocols of the short way were told."""
    counts = Line.seen = Counter()
    for name in ("data_received", "connection_lost"):
        told = getattr(direct.Connection, name)

        def count(self, given, name=name, told=told):
            counts[name] += 1
            told(self, given)

        monkeypatch.setattr(direct.Connection, name, count)
    return counts


class Line:
    """A raw connection."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def send(self, *pieces):
        """Send pieces, each when the one before was received."""
        for number, piece in enumerate(pieces, 1):
            before = self.seen["data_received"]
            self.writer.write(piece)
            await self.writer.drain()
            if number < len(pieces):
                await until(lambda before=before: self.seen["data_received"] > before)

    async def answer(self):
        """Return (status, headers, body)."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.search(r"(?i)content-length: (\d+)", head)[1])
        return int(head.split(" ")[1]), head, await self.reader.readexactly(length)

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def until(true):
    while not true():
        await asyncio.sleep(0.001)


@asynccontextmanager
async def served():
    """Serve a way and the same address behind the router; give the way and a maker of connections."""
    way, app = Way(), web.Application()
    app[hooks.WAYS] = {PATH: way.take}
    app.router.add_route("*", PATH, way.routed)
    lines = []
    async with listening(app, "127.0.0.1", 0) as port:

        async def line():
            lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
            return lines[-1]

        yield way, line
    for each in lines:
        await each.close()


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "Content-Type: text/xml\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nPragma: no-cache\r\n",
        "Connection: keep-alive\r\nX-Forwarded-For: 1.2.3.4\r\n",
        "connection: Keep-Alive\r\n",
    ],
)
async def test_whole_calls_are_answered_one_after_the_other_on_one_connection(fields):
    async with served() as (way, line):
        here = await line()
        for n in range(3):
            await here.send(call(f"{n}", fields=fields))
            status, head, body = await here.answer()
            assert (status, body) == (200, b"direct %d" % n)
            assert "Date: " in head
            assert "Content-Type: text/plain; charset=utf-8" in head
        assert way.calls == [("a=1", b"0"), ("a=1", b"1"), ("a=1", b"2")]
        assert way.written == 3


OTHERWISE = [
    pytest.param([call(first=f"PUT {PATH}?a=1 HTTP/1.1")], b"routed hello", id="another method"),
    pytest.param([call(first=f"POST {PATH} HTTP/1.1")], b"direct hello", id="no query"),
    pytest.param([call()[:40], call()[40:]], b"routed hello", id="in two pieces"),
    pytest.param([call()[:-2], b"lo"], b"routed hello", id="the body later"),
    pytest.param([call(fields="X-Note: caf\xe9\r\n")], b"direct hello", id="a field beyond ASCII"),
    pytest.param(
        [call("5\r\nhello\r\n0\r\n\r\n", fields="Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 15\r\n", b"")],
        b"routed hello",
        id="in chunks",
    ),
    pytest.param([call(fields="Upgrade: h2c\r\n")], b"routed hello", id="an upgrade offered"),
    pytest.param([call(fields="X-Pad: " + "a" * 5000 + "\r\n")], b"routed hello", id="a long head"),
    pytest.param([call(path="/channels/%77x")], b"routed hello", id="an address written otherwise"),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "body"), OTHERWISE)
async def test_whatever_is_not_whole_and_plain_is_answered_by_the_web_server_from_there_on(pieces, body):
    async with served() as (_, line):
        here = await line()
        await here.send(call("before"))
        assert (await here.answer())[2] == b"direct before"
        await here.send(*pieces)
        assert (await here.answer())[::2] == (200, body)
        if body.startswith(b"routed") and b"Upgrade" not in pieces[0]:
            await here.send(call("after"))
            assert (await here.answer())[2] == b"routed after"


async def test_one_who_expects_to_be_asked_for_the_body_is_asked_for_it():
    async with served() as (_, line):
        here = await line()
        await here.send(call(fields="Expect: 100-continue\r\n")[:-5])
        assert (await here.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        await here.send(b"hello")
        assert (await here.answer())[2] == b"routed hello"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(call(fields="Content-Length: 5\r\n"), id="two lengths"),
        pytest.param(call(fields="Content-Length: 4\r\n"), id="two that differ"),
        pytest.param(call(fields="Transfer-Encoding: chunked\r\n"), id="a length and chunks"),
        pytest.param(call(fields="No-Colon\r\n"), id="a field without a colon"),
        pytest.param(call(fields="X-Null: a\x00b\r\n"), id="a zero byte"),
        pytest.param(call(length="5, 5"), id="a list of lengths"),
        pytest.param(call(length="+5"), id="a signed length"),
        pytest.param(call(first="POST nowhere?a=1 HTTP/1.1"), id="no path"),
    ],
)
async def test_what_is_no_http_is_refused_by_the_web_server_and_reaches_no_way(wrong):
    async with served() as (way, line):
        here = await line()
        await here.send(wrong)
        head = await here.reader.readuntil(b"\r\n\r\n")
        assert 400 <= int(head.split(b" ")[1]) < 500
        assert way.calls == []


async def test_another_address_has_the_routers_answer():
    async with served() as (_, line):
        here = await line()
        await here.send(call(path="/channels/other"))
        assert (await here.answer())[0] == 404


async def test_a_call_that_comes_before_the_answer_to_the_last_is_answered_after_it():
    async with served() as (way, line):
        way.may.clear()
        here = await line()
        await here.send(call("one"), call("two"), call("three"), b"")
        way.may.set()
        assert [(await here.answer())[2] for _ in range(3)] == [b"direct one", b"routed two", b"routed three"]


async def test_two_calls_in_one_piece_are_both_answered_in_order():
    async with served() as (_, line):
        here = await line()
        await here.send(call("one") + call("two"))
        assert [(await here.answer())[2] for _ in range(2)] == [b"routed one", b"routed two"]


async def test_a_way_that_fails_is_a_500_and_the_next_call_is_answered():
    async with served() as (way, line):
        way.broken = True
        here = await line()
        await here.send(call())
        assert (await here.answer())[0] == 500
        way.broken = False
        await here.send(call())
        assert (await here.answer())[0] == 200


async def test_busy_says_when_to_come_again():
    async with served() as (_, line):
        here = await line()
        await here.send(call(query="busy"))
        status, head, _ = await here.answer()
        assert status == 503
        assert "Retry-After: 1\r\n" in head


async def test_an_answer_to_a_connection_that_is_gone_does_not_count_as_written(seen):
    async with served() as (way, line):
        way.may.clear()
        here = await line()
        await here.send(call(), b"")
        await here.close()
        await until(lambda: seen["connection_lost"])
        way.may.set()
    assert (len(way.calls), way.written) == (1, 0)


async def test_on_leaving_what_is_in_hand_is_answered_first():
    way, app = Way(), web.Application()
    app[hooks.WAYS] = {PATH: way.take}
    way.may.clear()
    async with listening(app, "127.0.0.1", 0) as port:
        busy = Line(*await asyncio.open_connection("127.0.0.1", port))
        idle = Line(*await asyncio.open_connection("127.0.0.1", port))
        await busy.send(call(), b"")
        asyncio.get_running_loop().call_later(0.1, way.may.set)
    assert (await busy.answer())[2] == b"direct hello"
    assert await idle.reader.read() == b""
    assert await busy.reader.read() == b""
    await busy.close()
    await idle.close()


async def test_idle_connections_are_closed_after_a_while_and_busy_ones_are_not(monkeypatch):
    monkeypatch.setattr(direct, "IDLE", 0.1)
    async with served() as (way, line):
        way.may.clear()
        busy, idle = await line(), await line()
        await busy.send(call())
        assert await asyncio.wait_for(idle.reader.read(), 5) == b""
        way.may.set()
        assert (await busy.answer())[2] == b"direct hello"


@given(st.binary(max_size=200))
def test_anything_at_all_is_read_or_left(data):
    assert direct.read(data) is None


PIECES = st.lists(
    st.sampled_from(
        ["Host: a", "X: b", "Content-Length: 2", "content-length:2", "Content-Length: 3", " folded", "Expect: x", "X : b"]
    ),
    max_size=5,
)  # fmt: skip


@given(PIECES, st.sampled_from(["hi", "hi!", "", "hi\r\n\r\n"]), st.sampled_from(["\r\n", "\n"]))
def test_only_one_length_and_just_as_much_is_a_call(fields, body, end):
    text = "".join(f"{field}{end}" for field in [f"POST {PATH}?q HTTP/1.1", *fields])
    found = direct.read(f"{text}{end}{body}".encode())
    lengths = [field for field in fields if field.lower().startswith("content-length")]
    plain = not {" folded", "Expect: x", "X : b"} & set(fields)
    whole = len(lengths) == 1 and int(lengths[0].split(":")[1]) == len(body)
    assert (found is not None) == (plain and whole and end == "\r\n")
    assert found is None or found == (PATH, "q", body.encode())
