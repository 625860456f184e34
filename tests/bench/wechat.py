"""How fast are messages sent by WeChat, and what do tokens and films cost? Beside a bare client (``script/bench wechat``).

The stand-in of the platform is in another process and takes 50 ms for each send. "sends" are the channel's own
``send``, so many at once; the floor posts the same bodies with a token that it knows. "token" are eight processes on
one Redis while the platform makes their token worthless ten times. "films" are fetched all at once to the disk, small
ones and large ones: the memory must not grow with their size.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import unused_port

from channels.wechat.channel import WeChat, build
from gateway.app import listening
from gateway.bus import MemoryBus, RedisBus
from gateway.sandbox.application import PLATFORM, create_sandbox
from gateway.sandbox.platform import SandboxSettings
from normalizer.message import Address, OutboundMessage, Part, PartKind
from tests.bench import apart
from tests.kit.doors import tools
from tests.kit.redis import redis_program
from tests.kit.wechat import AES_KEY, APP_ID, TOKEN, raw_settings

ROUNDS, SENDS, AT_ONCE = 3, 3000, 200
LATENCY = 0.05
WORKERS, EACH, ROTATIONS = 8, 200, 10
FILMS, SMALL, LARGE = 50, 1, 10
MB = 1024 * 1024
PATIENCE = 120.0
SEND = "/cgi-bin/message/custom/send"
EXACT = ("calls", "taken", "twice")


def stand(pipe: Connection) -> None:
    """Be the platform until the pipe is closed."""
    apart.quiet()
    with suppress(EOFError):
        uvloop.run(_stand(pipe))


async def _stand(pipe: Connection) -> None:
    sandbox = create_sandbox(SandboxSettings(APP_ID, "secret", TOKEN, AES_KEY))
    sandbox.middlewares.append(_late)
    platform = sandbox[PLATFORM]
    person = platform.person("oUser")
    person.following, person.window_until, person.window_left = True, float("inf"), 10**9
    async with listening(sandbox, "127.0.0.1", 0) as port:
        pipe.send(port)
        while True:
            word, given = await asyncio.to_thread(pipe.recv)
            if word == "rotate":
                platform.rotate()
                pipe.send(None)
            elif word == "film":
                content = os.urandom(MB) * given
                pipe.send([platform.keep(content, "video/mp4") for _ in range(FILMS)])
            else:
                texts = [line.text for line in person.lines]
                pipe.send((platform.counts["stable_token"], len(texts), len(texts) - len(set(texts))))


@web.middleware
async def _late(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.path == SEND:
        await asyncio.sleep(LATENCY)
    return await handler(request)


def asked(pipe: Connection, word: str, given: object = None) -> Any:
    """Return the platform's answer to a word."""
    pipe.send((word, given))
    return pipe.recv()


def sending(port: int, count: int) -> dict[str, Any]:
    """Return how many sends a second the channel makes, beside a bare client."""
    apart.quiet()
    return uvloop.run(_sending(f"http://127.0.0.1:{port}", count))


async def _sending(api: str, count: int) -> dict[str, Any]:
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        channel = _channel(http, api)
        token = await channel.api.tokens.token()

        async def bare(number: int) -> None:
            body = {"touser": "oUser", "msgtype": "text", "text": {"content": str(number)}}
            data = json.dumps(body, ensure_ascii=False).encode()
            async with http.post(f"{api}{SEND}", params={"access_token": token}, data=data) as answer:
                assert json.loads(await answer.read())["errcode"] == 0

        async def ours(number: int) -> None:
            await channel.send(OutboundMessage(f"{number:032x}", Address("wx", "oUser"), str(number)))

        floor = await _rate(bare, count)
        rate = await _rate(ours, count)
    return {"of_bare": rate / floor, "rate": rate, "bare_rate": floor}


async def _rate(send: Callable[[int], Awaitable[None]], count: int) -> float:
    left = iter(range(count))

    async def some() -> None:
        for number in left:
            await send(number)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - began)


def tokens(pipe: Connection, port: int) -> dict[str, Any]:
    """Return how often eight processes on one Redis fetch a token over ten rotations, and what became of messages."""
    program = redis_program()
    if program is None:
        return {}
    redis_port = unused_port()
    url = f"redis://127.0.0.1:{redis_port}/0"
    command = [program, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as redis:
        uvloop.run(_answers(url))
        start = [sys.executable, "-m", "tests.kit.sender", url, f"http://127.0.0.1:{port}"]
        senders = [
            subprocess.Popen([*start, str(first * EACH), str(EACH)], stdout=subprocess.DEVNULL)
            for first in range(WORKERS)
        ]
        whole = WORKERS * EACH
        for rotation in range(ROTATIONS):
            _until(pipe, 1, whole * (rotation + 1) // (ROTATIONS + 2))
            asked(pipe, "rotate")
            _until(pipe, 0, rotation + 2)
        ended = [sender.wait(PATIENCE) for sender in senders]
        redis.kill()
    assert ended == [0] * WORKERS
    calls, taken, twice = asked(pipe, "counts")
    return {"rotations": ROTATIONS, "calls": calls, "taken": taken, "sent": whole, "twice": twice}


async def _answers(url: str) -> None:
    bus = await RedisBus.open(url)
    while not await bus.ping():
        await asyncio.sleep(0.02)
    await bus.close()


def _until(pipe: Connection, which: int, least: int) -> None:
    end = time.monotonic() + PATIENCE
    while asked(pipe, "counts")[which] < least:
        assert time.monotonic() < end, "the senders stand still"
        time.sleep(0.02)


def fetching(port: int, names: list[str], folder: str) -> dict[str, Any]:
    """Return the peak of memory while so many films are fetched at once, and how fast they come."""
    apart.quiet()
    return uvloop.run(_fetching(f"http://127.0.0.1:{port}", names, Path(folder)))


async def _fetching(api: str, names: list[str], folder: Path) -> dict[str, Any]:
    async with ClientSession(connector=TCPConnector(limit=0)) as http:
        channel = _channel(http, api)
        await channel.api.tokens.token()

        async def one(number: int, name: str) -> int:
            part, size = Part(PartKind.VIDEO, media_id=name), 0
            with (folder / str(number)).open("wb") as file:
                async with channel.fetch(part, 100 * MB) as stream:
                    async for piece in stream:
                        size += file.write(piece)
            return size

        began = time.perf_counter()
        sizes = await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
        seconds = time.perf_counter() - began
    return {"memory_mb": apart.peak_mb(), "mb_per_s": sum(sizes) / MB / seconds, "mb": sum(sizes) // MB}


def _channel(http: ClientSession, api: str) -> WeChat:
    return build("wx", raw_settings(api_base=api), tools(http, keys=MemoryBus()))


def measure(count: int) -> dict[str, dict[str, Any]]:
    """Measure everything once."""
    found: dict[str, dict[str, Any]] = {}
    with apart.beside(stand) as pipe:
        found["sends"] = apart.alone(sending, pipe.recv(), count)
    with apart.beside(stand) as pipe:
        found["token"] = tokens(pipe, pipe.recv())
    for name, size in (("small films", SMALL), ("large films", LARGE)):
        with apart.beside(stand) as pipe, tempfile.TemporaryDirectory(prefix="jiesu-bench-") as folder:
            port = pipe.recv()
            found[name] = apart.alone(partial(fetching, port, asked(pipe, "film", size), folder))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench wechat", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object and nothing else")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sends", type=int, default=SENDS)
    given = parser.parse_args()
    rounds = [measure(given.sends) for _ in range(given.rounds)]
    parts = {name: apart.middle([each[name] for each in rounds], exact=EXACT) for name in rounds[0]}
    report = {"latency_ms": LATENCY * 1000, "at_once": AT_ONCE, **parts}
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        apart.show(report)


if __name__ == "__main__":
    main()
