"""Single sign-on as the desk sees it: an attempt of one browser, what a provider says of it, and why it may not count.

Nothing of an attempt is stored: a signed cookie holds a random name, and state, nonce and verifier are keyed hashes of it
(RFC 6749 10.12, RFC 7636; OpenID Connect Core 15.5.2).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gateway.runtime import millis
from normalizer.errors import JiesuError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.desk.accounts import Account
    from gateway.store.seal import Sealer

SPAN_MS = 10 * 60_000
"""So long may somebody take at the provider, or over a code of his second factor."""
_CHARS = 250
_MARK = 40


class Why(StrEnum):
    """Why a login by single sign-on does not count."""

    AWAY = "away"
    """The provider does not answer, or not as a provider answers."""
    STALE = "stale"
    """Not begun in this browser, too long ago, or answered before."""
    DENIED = "denied"
    """The provider says no."""
    FALSE = "false"
    """What the provider says is not to be believed."""
    WEAK = "weak"
    """Not proved as strongly, or not as lately, as is set."""
    NAMELESS = "nameless"
    """Neither the ID token nor userinfo has a login of ours in it."""


class NotVouched(JiesuError):
    """A login by single sign-on does not count; ``detail`` is for the log and holds no secret."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login that a browser has begun: ``began`` in milliseconds since the epoch."""

    name: str
    began: int
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who somebody is: a login of ours, who he is at the provider for ever, and the ID token that says it.

    ``sid`` is a hash of his session there; empty where the provider tells none.
    """

    login: str
    subject: str
    id_token: str
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a provider says is over: a session there (``sid``), or all of somebody's (``subject``); one may be empty.

    Both are written as in ``Vouched``; ``token`` names the word itself.
    """

    subject: str
    sid: str
    token: str


class Voucher(Protocol):
    """A provider of single sign-on; each verb raises NotVouched."""

    async def begin(self, attempt: Attempt) -> str:
        """Return where a browser is sent."""

    async def redeem(self, answer: Mapping[str, str], attempt: Attempt) -> Vouched:
        """Return who the answer says somebody is; ``answer`` is what the browser brought back."""

    async def ended(self, logout_token: str) -> Ended:
        """Return what the provider says is over."""

    async def farewell(self, id_token: str) -> str:
        """Return where a browser is sent to log out there too, empty where the provider offers none."""


class Attempts:
    """Signs what a browser keeps between two steps, and knows it again."""

    def __init__(self, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._sealer = sealer
        self._now = now

    def begin(self) -> tuple[Attempt, str]:
        """Return a new attempt, and what the browser keeps of it."""
        name, began = secrets.token_urlsafe(32), millis(self._now())
        return self._attempt(name, began), self._signed("attempt", name, began)

    def of(self, kept: str, state: str) -> Attempt | None:
        """Return the attempt that a browser keeps, None where it is not ours, over, or not the one that is answered."""
        found = self._read("attempt", kept)
        attempt = self._attempt(*found) if found else None
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode()):
            return None
        return attempt

    def ticket(self, account: Account, sid: str) -> str:
        """Return what a browser keeps whose person the provider named, and who still owes his second factor."""
        name = f"{account.id.hex()}-{account.session_version}-{sid}"
        return self._signed("ticket", name, millis(self._now()))

    def holder(self, kept: str) -> tuple[bytes, int, str] | None:
        """Return the account of a ticket, its session version and the provider's session, None for what is none or is over."""
        found = self._read("ticket", kept)
        if found is None or found[0].count("-") != 2:
            return None
        agent, version, sid = found[0].split("-")
        return bytes.fromhex(agent), int(version), sid

    def _attempt(self, name: str, began: int) -> Attempt:
        state, nonce, verifier = (
            self._sealer.hash(f"desk sso {what} {name}").hex() for what in ("state", "nonce", "verifier")
        )
        return Attempt(name, began, state, nonce, verifier)

    def _signed(self, kind: str, name: str, began: int) -> str:
        return f"{name}.{began}.{self._mark(kind, name, str(began))}"

    def _read(self, kind: str, kept: str) -> tuple[str, int] | None:
        name, _, rest = kept.partition(".")
        began, _, mark = rest.partition(".")
        if len(kept) > _CHARS or not (kept.isascii() and began.isdecimal()):
            return None
        if not hmac.compare_digest(mark, self._mark(kind, name, began)):
            return None
        return (name, int(began)) if millis(self._now()) - int(began) < SPAN_MS else None

    def _mark(self, kind: str, name: str, began: str) -> str:
        return self._sealer.hash(f"desk sso {kind} {name}.{began}").hex()[:_MARK]
