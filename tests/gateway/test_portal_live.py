"""The live talk over a real connection: what is said while a page is open, and what was missed meanwhile."""

import asyncio
import json
import re
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, CookieJar

from gateway.app import listening
from gateway.web.portal import live
from tests.kit.gateway import running, settings

CSRF = re.compile(r'name="csrf" value="(\w+)"')
LINE = re.compile(r'data-id="(\w+)"')


class Visitor:
    """Somebody at the chat page."""

    def __init__(self, http: ClientSession) -> None:
        self.http = http
        self.csrf = ""

    async def opens(self) -> list[str]:
        """Open the page and return the ids of the lines on it."""
        async with self.http.get("/chat") as answer:
            text = await answer.text()
        self.csrf = CSRF.findall(text)[0]
        return LINE.findall(text)

    async def says(self, text: str, token: str = "") -> int:
        fields = {"csrf": self.csrf, "text": text, "token": token or text}
        async with self.http.post("/chat", data=fields, allow_redirects=False) as answer:
            return answer.status

    def listens(self, after: str = "", **headers: str):
        return self.http.get("/chat/live", params={"after": after}, headers=headers)


async def events(answer, count: int) -> list[tuple[str, dict]]:
    """Return the next events of a stream: name and data."""
    found: list[tuple[str, dict]] = []
    name = ""
    async with asyncio.timeout(5):
        while len(found) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
            elif not line and answer.content.at_eof():
                break
    return found


async def test_what_is_said_comes_at_once_in_its_order(visitor):
    await visitor.opens()
    async with visitor.listens() as answer:
        assert answer.content_type == "text/event-stream"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert await visitor.says("你好") == 303
        (_, mine), (_, reply) = await events(answer, 2)
    assert (mine["mine"], mine["text"]) == (True, "你好")
    assert not reply["mine"]
    assert "智能客服" in reply["text"]
    assert mine["id"] < reply["id"]


async def test_a_page_that_comes_back_is_told_what_it_missed_and_knows_what_it_has(visitor):
    await visitor.opens()
    await visitor.says("你好")
    async with visitor.listens() as answer:
        first = await events(answer, 2)
    await visitor.says("3")
    last = first[-1][1]["id"]
    async with visitor.listens(**{"Last-Event-ID": last}) as answer:
        # A look goes a little back, for what was committed late; the page knows lines by their ids.
        again = await events(answer, 4)
    ids = [data["id"] for _, data in again]
    assert ids[:2] == [data["id"] for _, data in first]
    assert ids == sorted(set(ids))
    assert ids == await visitor.opens()


async def test_the_same_words_sent_twice_are_one_line(visitor):
    await visitor.opens()
    await visitor.says("你好", "token")
    await visitor.says("你好", "token")
    assert len(await visitor.opens()) == 2


async def test_a_fourth_page_closes_the_first(visitor):
    await visitor.opens()
    answers = [await visitor.listens() for _ in range(live.PER_SESSION)]
    fourth = await visitor.listens()
    assert await events(answers[0], 1) == [("moved", {})]
    await visitor.says("你好")
    assert len(await events(fourth, 2)) == 2
    for answer in (*answers, fourth):
        answer.close()


@pytest.mark.parametrize("after", ["x", "00", "zz" * 16])
async def test_a_cursor_that_is_none_gets_nothing(visitor, after):
    await visitor.opens()
    async with visitor.listens(after) as answer:
        assert answer.status == 204


async def test_whoever_has_no_session_may_not_listen(visitor):
    async with visitor.listens() as answer:
        assert answer.status == 204


async def test_one_address_may_keep_only_so_many_lines_open(visitor, monkeypatch):
    monkeypatch.setattr(live, "PER_ADDRESS", 1)
    await visitor.opens()
    async with visitor.listens(), visitor.listens() as second:
        assert second.status == 204


async def test_nobody_hears_another_persons_talk(visitor, stranger):
    await visitor.opens()
    await stranger.opens()
    async with stranger.listens() as answer:
        await visitor.says("你好")
        await stranger.says("菜单")
        (_, first), _ = await events(answer, 2)
    assert first["text"] == "菜单"


async def test_a_stop_waits_for_no_open_page(database, tmp_path):
    async with AsyncExitStack() as outer:
        gateway = await outer.enter_async_context(running(settings(database, tmp_path, channels={})))
        inner = await outer.enter_async_context(AsyncExitStack())
        port = await inner.enter_async_context(listening(gateway.app, "127.0.0.1", 0))
        visitor = Visitor(await outer.enter_async_context(_http(port)))
        await visitor.opens()
        answer = await visitor.listens()
        async with asyncio.timeout(5):
            await inner.aclose()
        assert await events(answer, 1) == [("ending", {})]


def _http(port: int) -> ClientSession:
    return ClientSession(f"http://127.0.0.1:{port}", cookie_jar=CookieJar(unsafe=True))


@pytest.fixture
async def port(database, tmp_path):
    async with (
        running(settings(database, tmp_path, channels={})) as gateway,
        listening(gateway.app, "127.0.0.1", 0) as opened,
    ):
        yield opened


@pytest.fixture
async def visitor(port):
    async with _http(port) as http:
        yield Visitor(http)


@pytest.fixture
async def stranger(port):
    async with _http(port) as http:
        yield Visitor(http)
