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


def headers(images: Sequence[str] = ()) -> Mapping[str, str]:
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
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


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
        """Return where a request comes from: the last address that is no proxy of ours."""
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        at = request.remote or ""
        while hops and self._trusted(at):
            at = hops.pop()
        return at

    def over(self, request: web.Request, session: Session) -> bool:
        """Count a request and return whether its address or its session has made too many."""
        clock = self._clock()
        by_address = self._address_pace.over(self.address(request).encode(), clock)
        # A session that is not known yet has nothing to be counted by but its address.
        return by_address or (not session.new and self._session_pace.over(session.id.encode(), clock))

    def stranger(self, request: web.Request, session: Session, fields: Mapping[str, object]) -> str:
        """Return why a form is not taken: not from a page that this session was shown, or filled by a machine."""
        elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in _OURS
        if elsewhere or not self._sessions.right(session, str(fields.get(TOKEN, ""))):
            return "csrf"
        return "trap" if fields.get(TRAP) else ""

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in proxy for proxy in self._proxies)
