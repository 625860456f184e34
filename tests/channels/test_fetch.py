"""Fetching by others' addresses: what lies in our own network is never reached."""

import pytest
from aiohttp import web

from channels.fetch import Fetcher, is_public, is_public_or_loopback
from normalizer.errors import InvalidInput, NotFound, TooLarge

ADDRESSES = [
    ("8.8.8.8", True),
    ("2400:3200::1", True),
    ("127.0.0.1", False),
    ("10.1.2.3", False),
    ("172.16.0.1", False),
    ("192.168.1.1", False),
    ("169.254.169.254", False),
    ("100.64.0.1", False),
    ("0.0.0.0", False),
    ("224.0.0.1", False),
    ("255.255.255.255", False),
    ("::1", False),
    ("::", False),
    ("fe80::1%eth0", False),
    ("fd00::1", False),
    ("::ffff:127.0.0.1", False),
    ("::ffff:8.8.8.8", True),
    ("64:ff9b::7f00:1", False),
    ("2002:7f00:1::", False),
    ("not an address", False),
]


@pytest.mark.parametrize(("address", "public"), ADDRESSES)
def test_only_public_addresses_are_public(address, public):
    assert is_public(address) is public


REFUSED = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/",
    "http://0x7f.1/",
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://127.0.0.1:6379/",
    "//127.0.0.1/",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
async def test_an_address_inside_is_not_reached(url):
    with pytest.raises((InvalidInput, NotFound)) as refused:
        async with Fetcher().open(url, 1000):
            pass
    assert "HTTP" not in str(refused.value)


async def fetched(url: str, largest: int = 1000, allowed=is_public_or_loopback) -> bytes:
    async with Fetcher(allowed).open(url, largest) as content:
        return b"".join([piece async for piece in content])


async def test_a_file_is_fetched(site):
    assert await fetched(f"{site}/file") == b"x" * 1000
    assert await fetched(f"{site}/to?where=/file") == b"x" * 1000


@pytest.mark.parametrize("path", ["/file", "/endless"])
async def test_a_file_that_is_too_large_is_left(site, path):
    with pytest.raises(TooLarge):
        await fetched(site + path, 999)


async def test_a_redirect_into_our_network_is_not_followed(site):
    port = site.rsplit(":", 1)[1]

    def only_the_first(address: str) -> bool:
        return address == "127.0.0.1"

    for where in (f"http://127.0.0.2:{port}/file", "http://10.0.0.1/", "file:///etc/passwd"):
        with pytest.raises(InvalidInput):
            await fetched(f"{site}/to?where={where}", allowed=only_the_first)


async def test_a_circle_of_redirects_ends(site):
    with pytest.raises(NotFound, match="redirects"):
        await fetched(f"{site}/to?where=/circle")


async def test_a_file_that_is_not_there_is_not_found(site):
    with pytest.raises(NotFound, match="404"):
        await fetched(f"{site}/none")


@pytest.fixture
async def site(aiohttp_server):
    async def file(request):
        return web.Response(body=b"x" * 1000)

    async def to(request):
        raise web.HTTPFound(request.query["where"])

    async def circle(request):
        raise web.HTTPFound("/circle")

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"y" * 100)

    app = web.Application()
    app.add_routes(
        [web.get("/file", file), web.get("/to", to), web.get("/circle", circle), web.get("/endless", endless)]
    )
    server = await aiohttp_server(app, host="127.0.0.1")
    return str(server.make_url("")).rstrip("/")
