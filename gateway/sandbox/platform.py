"""What the WeChat platform knows: its people, their windows and chat logs, and the account's tokens.

Written from the platform's documents (wechat.md 2.5, 2.8), apart from the product's own adapter, so that the two do
not share a mistake. Time comes from an injected clock, in seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.sandbox.calls import Calls
from gateway.sandbox.rules import line_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.rules import Choices

HOUR = 3600.0
TOKEN_LIFE = 7200
OVERLAP = 300
MEDIA_LIFE = 3 * 24 * HOUR
FORCED_PER_DAY = 20
FORCED_GAP = 30.0
USER_MESSAGE = (48 * HOUR, 5)
USER_ACT = (60.0, 3)
FAULT = "该公众号提供的服务出现故障，请稍后再试"
LONGEST_REPLY = 2048


@dataclass(slots=True)
class SandboxSettings:
    """The account as the platform has it; ``callback_url`` is where messages are brought."""

    app_id: str
    secret: str
    token: str
    aes_key: str = ""
    mode: str = "safe"
    callback_url: str = ""
    original_id: str = "gh_jiesu"


@dataclass(slots=True)
class Line:
    """One line of a person's chat: who said it, by which way it came, when; a file that is shown; what can be tapped."""

    who: str
    text: str
    way: str
    at: float
    media: str = ""
    mime: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Person:
    """A follower: the chat, and the leave the account has to write to him."""

    openid: str
    name: str
    following: bool = False
    lines: list[Line] = field(default_factory=list)
    window_until: float = 0.0
    window_left: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that the platform keeps until an instant."""

    content: bytes
    mime: str
    until: float


@dataclass(slots=True)
class Fault:
    """What the next call to a path shall do instead; ``deliver`` says whether the message gets through all the same.

    A ``slow`` one goes on after ``code`` milliseconds.
    """

    kind: str
    code: int = 0
    deliver: bool = False


class Platform:
    """The platform's memory and its rules."""

    def __init__(self, settings: SandboxSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self.people: dict[str, Person] = {}
        self.counts: Counter[str] = Counter()
        self.latencies: deque[float] = deque(maxlen=100_000)
        self.faults: dict[str, deque[Fault]] = {}
        self.ended = asyncio.Event()
        """Set when the platform is put away: nobody hangs any longer."""
        self.weather: Callable[[str], Fault | None] = lambda _: None
        self.media: dict[str, Kept] = {}
        self.ticket = secrets.token_urlsafe(48)
        self.blocked: set[str] = set()
        self.told: Callable[..., None] | None = None
        self.before_answer: Callable[[], Awaitable[None]] = _at_once
        """Waited for between a call's deed and its answer."""
        self.calls = Calls(clock)
        self._numbers = itertools.count(200_000_001)
        self.allowed_ips: frozenset[str] | None = None
        self.watchers: set[Callable[[], None]] = set()
        self._plain: dict[str, float] = {}
        self._stable = ""
        self._stable_until = 0.0
        self._expired: set[str] = set()
        self._forced: list[float] = []
        self._seen_ids: set[str] = set()

    def person(self, openid: str, name: str = "") -> Person:
        """Return a person, known from now on."""
        if openid not in self.people:
            self.people[openid] = Person(openid, name or openid)
        return self.people[openid]

    def said(
        self, person: Person, who: str, text: str, way: str, *, media: str = "", choices: Choices = ()
    ) -> None:
        """Add a line to a chat and tell whoever watches."""
        mime = self.media[media].mime if media else ""
        person.lines.append(Line(who, text, way, self.clock(), media, mime, choices))
        for watcher in tuple(self.watchers):
            watcher()

    def wrote(self, person: Person) -> None:
        """Open the window wide, as a message of the person does (wechat.md 2.5)."""
        self._open(person, USER_MESSAGE)

    def acted(self, person: Person) -> None:
        """Open the window a little, as a click, a scan or a follow does."""
        self._open(person, USER_ACT)

    def keep(self, content: bytes, mime: str) -> str:
        """Keep a file for three days and return its media id."""
        media_id = secrets.token_urlsafe(48)
        self.media[media_id] = Kept(content, mime, self.clock() + MEDIA_LIFE)
        return media_id

    def plain_token(self) -> str:
        """Return a new token of ``/cgi-bin/token``; the one before lives five minutes more."""
        now = self.clock()
        self._plain = {token: min(until, now + OVERLAP) for token, until in self._plain.items()}
        token = secrets.token_hex(32)
        self._plain[token] = now + TOKEN_LIFE
        self.counts["token"] += 1
        return token

    def stable_token(self, *, force: bool) -> tuple[str, int] | int:
        """Return (token, seconds it lives), or an error code when it was forced too often."""
        now = self.clock()
        self.counts["stable_token"] += 1
        if force:
            self._forced = [at for at in self._forced if now - at < 24 * HOUR]
            if len(self._forced) >= FORCED_PER_DAY or (self._forced and now - self._forced[-1] < FORCED_GAP):
                return 45009
            self._forced.append(now)
        if force or self._stable_until - now < OVERLAP:
            self._new_stable()
        return self._stable, int(self._stable_until - now)

    def rotate(self) -> None:
        """Make every token known so far worthless, as when somebody resets the secret's session."""
        self._plain.clear()
        self._new_stable()

    def expire(self) -> None:
        """Let every token run out."""
        self._expired |= {self._stable, *self._plain}
        self._plain.clear()
        self._new_stable()

    def token_error(self, token: str) -> dict[str, Any] | None:
        """Return the error of a token that is not good, None for one that is."""
        now = self.clock()
        if not token:
            return error(41001, "access_token missing")
        if token in self._expired:
            return error(42001, "access_token expired")
        if (token == self._stable and now < self._stable_until) or self._plain.get(token, 0.0) > now:
            return None
        return error(40001, "invalid credential, access_token is invalid or not latest")

    def custom_send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver a customer-service message within its window and count."""
        person = self.people.get(str(body.get("touser", "")))
        if person is None:
            return error(40003, "invalid openid")
        line = line_of(body, self.media)
        if isinstance(line, int):
            return error(line, "invalid message")
        text, media, choices = line
        if not person.following or self.clock() >= person.window_until:
            return error(45015, "response out of time limit or subscription is canceled")
        if person.window_left <= 0:
            return error(45047, "out of response count limit")
        if len(text.encode()) > LONGEST_REPLY:
            return error(45002, "content size out of limit")
        person.window_left -= 1
        self.counts["custom"] += 1
        self.said(person, "account", text, "custom", media=media, choices=choices)
        return error(0, "ok")

    def template_send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver a template message to a follower; the same client_msg_id only once."""
        person = self.people.get(str(body.get("touser", "")))
        if person is None or not person.following:
            return error(43004, "require subscribe")
        if not body.get("template_id"):
            return error(40037, "invalid template_id")
        known = str(body.get("client_msg_id", ""))
        if known and known in self._seen_ids:
            return error(45065, "clientmsgid exist")
        self._seen_ids.add(known)
        values = (str(value.get("value", ""))[:20] for value in dict(body.get("data", {})).values())
        number = next(self._numbers)
        blocked = person.openid in self.blocked
        if not blocked:
            self.counts["template"] += 1
            self.said(person, "account", " / ".join(values), "template")
        if self.told is not None:
            self.told(person, str(number), blocked=blocked)
        return error(0, "ok") | {"msgid": number}

    def _new_stable(self) -> None:
        self._stable = secrets.token_hex(32)
        self._stable_until = self.clock() + TOKEN_LIFE

    def _open(self, person: Person, leave: tuple[float, int]) -> None:
        person.window_until, person.window_left = self.clock() + leave[0], leave[1]


async def _at_once() -> None:
    """Wait for nothing."""


def error(code: int, message: str) -> dict[str, Any]:
    """Return an answer of the platform; its HTTP status is 200 all the same."""
    trace = "" if code == 0 else f" rid: {secrets.token_hex(4)}-{secrets.token_hex(4)}"
    return {"errcode": code, "errmsg": message + trace}
