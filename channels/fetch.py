"""Fetches a file by an address that somebody else wrote, without reaching into our own network (SSRF).

The name is resolved here and the connection goes to exactly the addresses that were looked at, so a name cannot mean
one machine when it is checked and another when it is used. Redirects are followed here, each looked at again.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from normalizer.errors import InvalidInput, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

REDIRECTS = 3
SECONDS = 120.0
SILENCE = 15.0
PIECE = 64 * 1024
_INSIDE = (
    ipaddress.ip_network("64:ff9b::/96"),  # an IPv4 address inside (RFC 6052)
    ipaddress.ip_network("2002::/16"),  # likewise (RFC 3056)
    ipaddress.ip_network("2001::/32"),  # likewise (RFC 4380)
)


def is_public(address: str) -> bool:
    """Return whether an IP address may be reached on another's wish (RFC 6890)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif any(found in network for network in _INSIDE):
            return False
    return found.is_global and not found.is_multicast


def is_public_or_loopback(address: str) -> bool:
    """Return the same, and for this machine: for a stand-in, never in service."""
    return is_public(address) or ipaddress.ip_address(address).is_loopback


class Fetcher:
    """Fetches by addresses of others; ``allowed`` says which IP addresses may be reached."""

    def __init__(self, allowed: Callable[[str], bool] = is_public) -> None:
        self._allowed = allowed

    @asynccontextmanager
    async def open(self, url: str, largest: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the content of an address as it comes.

        Raises InvalidInput for an address that may not be reached, NotFound when it does not answer well, TooLarge
        (while reading) beyond ``largest`` bytes.
        """
        timeout = aiohttp.ClientTimeout(total=SECONDS, sock_connect=SILENCE, sock_read=SILENCE)
        connector = aiohttp.TCPConnector(resolver=_Resolver(self._allowed), use_dns_cache=False)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False) as http:
            try:
                async with await self._answer(http, URL(url)) as answer:
                    yield _capped(answer, largest)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise NotFound(f"no answer: {type(error).__name__}") from error

    async def _answer(self, http: aiohttp.ClientSession, url: URL) -> aiohttp.ClientResponse:
        for _ in range(REDIRECTS + 1):
            self._look(url)
            answer = await http.get(url, allow_redirects=False)
            if answer.status == 200:
                return answer
            answer.release()
            location = answer.headers.get("Location")
            if answer.status not in {301, 302, 303, 307, 308} or location is None:
                raise NotFound(f"HTTP {answer.status}")
            url = url.join(URL(location))
        raise NotFound("too many redirects")

    def _look(self, url: URL) -> None:
        if url.scheme not in {"http", "https"} or not url.host:
            raise InvalidInput("only http and https addresses are fetched")
        # A number in the place of a name is never resolved, so it is looked at here.
        if _is_number(url.host) and not self._allowed(url.host):
            raise InvalidInput("an address that may not be reached")


class _Resolver(AbstractResolver):
    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(self._allowed(each["host"]) for each in found):
            raise InvalidInput("a name that leads where we may not reach")
        return found

    async def close(self) -> None:
        await self._inner.close()


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


async def _capped(answer: aiohttp.ClientResponse, largest: int) -> AsyncIterator[bytes]:
    if (answer.content_length or 0) > largest:
        raise TooLarge("larger than allowed")
    size = 0
    async for piece in answer.content.iter_chunked(PIECE):
        size += len(piece)
        if size > largest:
            raise TooLarge("larger than allowed")
        yield piece
