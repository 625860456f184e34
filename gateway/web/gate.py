"""What stands before every page: limits, proof that a form is ours, headers that forbid what a page does not need.

No picture to decipher: whoever fills the field that people do not see, or sends a form sooner than anybody can read
it, is a machine (domain.md 1.10, WCAG 2.1).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.web.session import Session, Sessions

TRAP = "homepage"
"""A field that is hidden from people."""
TOKEN = "csrf"  # noqa: S105 - a field's name
_OURS = frozenset({"same-origin", "none"})


PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
"""What every answer has that says nothing else: files, errors. A provider's machine reads no headers but its own."""
_PROVIDERS = "/channels/"


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """Put the plain headers into an answer that has none (an ``on_response_prepare`` of the application)."""
    if request.path.startswith(_PROVIDERS):
        return
    for name, value in PLAIN.items():
        response.headers.setdefault(name, value)


def headers(images: Sequence[str] = (), *, secure: bool = False) -> Mapping[str, str]:
    """Return the headers of a page; ``images`` are other origins whose pictures it may show (map tiles)."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        " ".join(("img-src 'self' data: blob:", *images)),
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    made = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return made | {"Strict-Transport-Security": "max-age=31536000"} if secure else made


class Gate:
    """Lets a request through, or says why not."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        clock: Callable[[], float],
        proxies: Sequence[str],
        address_pace: Pace,
        session_pace: Pace,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]
        self._address_pace = address_pace
        self._session_pace = session_pace

    def address(self, request: web.Request) -> str:
        """Return where a request comes from: the last address that is no proxy of ours, of IPv6 its network of 64 bits.

        Nobody has one address of IPv6, everybody a network (RFC 6177).
        """
        # A proxy may add a line of its own instead of its word to the citizen's line; what he wrote stands before it.
        hops = [
            hop.strip() for line in request.headers.getall("X-Forwarded-For", ()) for hop in line.split(",")
        ]
        at = request.remote or ""
        while hops and self._trusted(at):
            at = _bare(hops.pop())
        return _network(at)

    def over(self, request: web.Request, session: Session) -> bool:
        """Count a request and return whether its address or its session has made too many."""
        clock = self._clock()
        by_address = self._address_pace.over(self.address(request).encode(), clock)
        # A session that is not known yet has nothing to be counted by but its address.
        return by_address or (not session.new and self._session_pace.over(session.id.encode(), clock))

    def flooded(self, request: web.Request) -> bool:
        """Count a request and return whether its address has made too many."""
        return self._address_pace.over(self.address(request).encode(), self._clock())

    def stranger(self, request: web.Request, session: Session, fields: Mapping[str, object]) -> str:
        """Return why a form is not taken: not from a page that this session was shown, or filled by a machine."""
        elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in _OURS
        if elsewhere or not self._sessions.right(session, str(fields.get(TOKEN, ""))):
            return "csrf"
        return "trap" if fields.get(TRAP) else ""

    def _trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in proxy for proxy in self._proxies)


def _bare(hop: str) -> str:
    """Return a hop without its port: ``1.2.3.4:5``, ``[::1]:5``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return mapped or parsed


def _network(address: str) -> str:
    parsed = _parsed(address)
    if parsed is None:
        return address[:64]
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
