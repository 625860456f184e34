"""Several processes with one mailbox: one fetches, and another takes over when it is gone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from channels.email.channel import build
from channels.lease import TTL, Lease
from gateway.bus import MemoryBus
from tests.kit.doors import Door, tools
from tests.kit.mail import PASSWORD, USER, append, home, line, mailbox_server

NAME = "mail:mail:mailbox"


class Shared(MemoryBus):
    """Values that all processes share, by a clock in the test's hand; counts how often the lease was looked for."""

    def __init__(self):
        self.now = 0.0
        super().__init__(lambda: self.now)
        self.looks = 0

    def lock(self, key, ttl, wait):
        self.looks += 1
        return super().lock(key, ttl, wait)


async def test_one_process_fetches_and_the_next_takes_over_when_it_stops(server):
    keys, door = Shared(), Door(None)
    append(server, mail(1))
    async with line(server) as there, line(server) as here, fetching(there.port, door, keys) as first:
        await until(lambda: len(door.messages) == 1)
        async with fetching(here.port, door, keys):
            looks = keys.looks
            await until(lambda: keys.looks > looks + 5)
            assert (there.connections, here.connections) == (1, 0)
            first.cancel()
            append(server, mail(2))
            await until(lambda: len(door.messages) == 2)
            assert (there.connections, here.connections) == (1, 1)


async def test_a_process_that_died_is_replaced_within_a_minute(server):
    keys, door = Shared(), Door(None)
    append(server, mail(1))
    await keys.set(NAME, "a process that died", TTL)
    async with line(server) as here, fetching(here.port, door, keys):
        await until(lambda: keys.looks > 5)
        assert here.connections == 0
        keys.now = TTL
        await until(lambda: len(door.messages) == 1)
    assert TTL + TTL / 6 < 60


async def test_whoever_loses_the_mailbox_to_another_leaves_it(server):
    keys, door = Shared(), Door(None)
    async with line(server) as here, fetching(here.port, door, keys):
        append(server, mail(1))
        await until(lambda: len(door.messages) == 1)
        await keys.set(NAME, "another", TTL)
        await until(lambda: here.open == 0)
        keys.now = TTL
        append(server, mail(2))
        await until(lambda: len(door.messages) == 2)
    assert here.connections == 2


def mail(number):
    return (
        f"From: citizen{number}@qq.com\r\nMessage-ID: <{number}@qq.com>\r\n\r\nlight {number}\r\n"
    ).encode()


@asynccontextmanager
async def fetching(port, door, keys):
    """A process of its own but for the loop."""
    settings = {
        "kind": "email",
        "address": "12345@city.example",
        "imap_host": "127.0.0.1",
        "imap_port": port,
        "imap_security": "none",
        "imap_user": USER,
        "imap_secret": PASSWORD,
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
    }
    async with ClientSession() as http:
        channel = build("mail", settings, tools(http, door, keys=keys))
        channel._lease = Lease(keys, channel._lease._name, 0.06)
        task = asyncio.create_task(channel.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def server(folder):
    with mailbox_server(folder) as port:
        yield port


@pytest.fixture
def folder():
    with home() as made:
        yield made
