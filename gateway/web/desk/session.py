"""Who sits at the desk: a random word in a cookie of its own, and a row on our side that can be ended at any time.

A session ends when nobody did anything for a while, after a working day, and as soon as the account says so
(OWASP ASVS 3.3; 等保2.0 level 3).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.desk.accounts import Account, account_of
from gateway.runtime import millis
from gateway.store import desk_sessions as sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

COOKIE, SECURE_COOKIE = "jiesu-desk", "__Host-jiesu-desk"
"""The second is taken over TLS: no neighbouring host can put a cookie of this name into a browser (RFC 6265bis 4.1.3)."""
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
NOTED_MS = 60_000
"""Use is noted once a minute: a click costs a read and no write."""
_TOKEN_CHARS = 64


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds: its keyed name, whose it is, and when its person last did something (milliseconds).

    ``vouched``: it was begun by single sign-on; a one-time password that nobody used is then no hindrance.
    """

    id: bytes
    account: Account
    used_at: int
    vouched: bool = False


class Sessions:
    """Begins, finds and ends the sessions of the staff."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        now: Callable[[], datetime],
        secure: bool,
        idle: timedelta = IDLE,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now
        self._secure = secure
        self._idle, self._longest = _ms(idle), _ms(LONGEST)
        self.cookie = SECURE_COOKIE if secure else COOKIE

    async def begin(self, account: Account, id_token: str | None = None, sid: str = "") -> str:
        """Begin a session and return what the browser is to keep; ``id_token`` exactly where single sign-on began it.

        ``sid`` is the provider's session that began it, empty where it told none.
        """
        token = secrets.token_urlsafe(32)
        work = partial(
            sql.begin,
            session=self.name(token),
            agent=account.id,
            version=account.session_version,
            hint=None if id_token is None else self._sealer.seal(id_token.encode()),
            sid=self._sid(sid),
            now=millis(self._now()),
            idle=self._idle,
            longest=self._longest,
        )
        await self._store.write(work)
        return token

    async def of(self, request: web.Request) -> Session | None:
        """Return the session of a request, None where there is none that holds."""
        token = request.cookies.get(self.cookie, "")
        if not token or len(token) > _TOKEN_CHARS or not token.isascii():
            return None
        return await self.again(self.name(token))

    async def again(self, session: bytes) -> Session | None:
        """Return a session if it still holds."""
        now = millis(self._now())
        find = partial(sql.find, session=session, now=now, idle=self._idle, longest=self._longest)
        found = await self._store.read(find)
        if found is None:
            return None
        row, used_at, vouched = found
        account = account_of(row)
        return Session(session, replace(account, one_time=False) if vouched else account, used_at, vouched)

    async def id_token(self, session: Session) -> str:
        """Return the ID token that began a session, empty where none is kept."""
        sealed = await self._store.read(partial(sql.hint, session=session.id))
        return self._sealer.open(sealed).decode() if sealed else ""

    async def used(self, session: Session) -> None:
        """Note that the person of a session did something."""
        now = millis(self._now())
        if now - session.used_at >= NOTED_MS:
            await self._store.write(partial(sql.used, session=session.id, now=now))

    async def end(self, session: Session) -> None:
        """End a session."""
        await self._store.write(partial(sql.end, session=session.id))

    async def end_all(self, subject: bytes | None, sid: str) -> list[str]:
        """End the sessions that a provider's word is about and return whose they were; ``subject`` as accounts keep it."""
        if subject is None and not sid:
            return []
        work = partial(sql.end_all, subject=subject, sid=self._sid(sid))
        return await self._store.write(work)

    def _sid(self, sid: str) -> bytes | None:
        return self._sealer.hash(f"desk sid {sid}") if sid else None

    def give(self, response: web.StreamResponse, token: str) -> None:
        """Put a session's cookie into a response; it goes when the browser is closed."""
        response.set_cookie(
            self.cookie, token, httponly=True, samesite="Strict", secure=self._secure, path="/"
        )

    def take(self, response: web.StreamResponse) -> None:
        """Take the cookie away."""
        response.del_cookie(self.cookie, httponly=True, samesite="Strict", secure=self._secure, path="/")

    def csrf(self, session: bytes) -> str:
        """Return what every request of a session that changes something carries in a header."""
        return self._sealer.hash(f"desk csrf {session.hex()}").hex()[:32]

    def name(self, token: str) -> bytes:
        """Return the keyed name under which a session is kept."""
        return self._sealer.hash(f"desk session {token}")

    def right(self, session: Session, given: str) -> bool:
        """Return whether a request came from a page of this session."""
        return hmac.compare_digest(given.encode(), self.csrf(session.id).encode())


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
