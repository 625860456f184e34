"""Who sits at a page: a random name in a signed cookie, and what is kept of him on our side (sealed).

A session names a conversation of the account ``web``. Whoever proves a telephone gets a new session, which ends after
a day, so that a cookie from before the proof never opens what came after it.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store import sessions
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

ACCOUNT = "web"
"""The account under which pages bring messages to the inbox."""
COOKIE, SECURE_COOKIE = "jiesu", "__Host-jiesu"
"""The second is taken over TLS: no neighbouring host can put a cookie of this name into a browser (RFC 6265bis 4.1.3)."""
ANONYMOUS = timedelta(days=30)
PROVED = timedelta(hours=24)
_BEARER = "Bearer "
_MASK = 16


@dataclass(frozen=True, slots=True)
class Session:
    """A session: its random name, when it ends (milliseconds, UTC), and whether the browser does not know it yet.

    ``person`` is who signed in with an account of a channel, whose cases are then this session's own.
    """

    id: str
    until: int
    new: bool = False
    person: Address | None = None

    @property
    def address(self) -> Address:
        """Where its person is reached: by the account he signed in with, else here."""
        return self.person or Address(ACCOUNT, self.id)


class Sessions:
    """Gives sessions out, knows them again, and keeps what is to be remembered of them."""

    def __init__(
        self, *, store: Store, sealer: Sealer, now: Callable[[], datetime], secure: bool = False
    ) -> None:
        self._store = store
        self._secure = secure
        self.cookie = SECURE_COOKIE if secure else COOKIE
        self._sealer = sealer
        self.now = now

    def of(self, request: web.Request) -> Session:
        """Return the session of a request, by its cookie or bearer token; a new one where there is none that holds."""
        token = request.headers.get("Authorization", "").removeprefix(_BEARER) or request.cookies.get(
            self.cookie, ""
        )
        return self.known(token) or self.begin(ANONYMOUS)

    def known(self, token: str) -> Session | None:
        """Return the session of a token of ours, None when it is none or has ended."""
        if not token.isascii():
            return None
        name, _, rest = token.partition(".")
        until, _, mark = rest.partition(".")
        if not until.isdecimal() or not hmac.compare_digest(mark.encode(), self._mark(name, until).encode()):
            return None
        return Session(name, int(until)) if int(until) > millis(self.now()) else None

    def begin(self, span: timedelta) -> Session:
        """Return a new session that ends after ``span``."""
        return Session(secrets.token_urlsafe(18), millis(self.now() + span), new=True)

    def token(self, session: Session) -> str:
        """Return what a browser or an app keeps of a session."""
        return f"{session.id}.{session.until}.{self._mark(session.id, str(session.until))}"

    def give(self, response: web.StreamResponse, session: Session) -> None:
        """Put a session's cookie into a response."""
        seconds = max(0, (session.until - millis(self.now())) // 1000)
        response.set_cookie(
            self.cookie,
            self.token(session),
            max_age=seconds,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
            path="/",
        )

    def csrf(self, session: Session) -> str:
        """Return the token that every form of a session carries, under another mask each time."""
        mask = secrets.token_bytes(_MASK)
        return (mask + _masked(self._token(session), mask)).hex()

    def right(self, session: Session, given: str) -> bool:
        """Return whether a form came from a page of this session."""
        try:
            raw = bytes.fromhex(given)
        except ValueError:
            return False
        return hmac.compare_digest(_masked(raw[_MASK:], raw[:_MASK]), self._token(session))

    def conversation(self, session: Session) -> bytes:
        """Return the id of the conversation of a session's person."""
        return self._sealer.conversation(session.address.account, session.address.user)

    def own(self, session: Session) -> bytes:
        """Return the id of what is said and remembered in this session alone, whoever signed in to it."""
        return self._sealer.conversation(ACCOUNT, session.id)

    async def recall(self, session: Session) -> bytes | None:
        """Return what was remembered of a session, None for nothing."""
        body = await self._store.read(partial(sessions.find, session=self.own(session)))
        return self._sealer.open(body) if body is not None else None

    async def remember(self, session: Session, body: bytes, until: datetime | None = None) -> None:
        """Keep what is to be remembered of a session until it ends, or until an instant before that."""
        keep = partial(
            sessions.keep,
            session=self.own(session),
            until=min(session.until, millis(until)) if until else session.until,
            body=self._sealer.seal(body),
            now=millis(self.now()),
        )
        await self._store.write(keep)

    async def clear(self, session: Session) -> None:
        """Remember nothing of a session any more; whose it is stays."""
        await self._store.write(partial(sessions.clear, session=self.own(session)))

    async def forget(self, session: Session) -> None:
        """Forget what was remembered of a session, and whose it was."""
        await self._store.write(partial(sessions.forget, session=self.own(session)))

    def _token(self, session: Session) -> bytes:
        return self._sealer.hash(f"csrf {session.id}")[:_MASK]

    def _mark(self, name: str, until: str) -> str:
        return self._sealer.hash(f"session {name}.{until}").hex()[:40]


def _masked(token: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(token, mask, strict=False))
