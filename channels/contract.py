"""What the gateway asks of a channel, and what a channel may ask of the gateway.

An adapter proves the sender genuine, parses the provider's bytes into an ``InboundMessage``, calls
``Inbox.accept`` and acknowledges only after it returned. It sends one ``OutboundMessage`` at a time and says in
one of a closed list of reasons why it could not. It knows no other adapter, no SQL and no gateway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from normalizer.errors import JiesuError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from aiohttp import ClientSession, web

    from normalizer.message import (
        Address,
        InboundMessage,
        OutboundMessage,
        Part,
        PartKind,
        Receipt,
        SourceChannel,
    )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry.

    ``max_bytes`` is the UTF-8 length of one text; ``passive`` means a reply can ride in the answer to the
    inbound request, until ``passive_deadline`` seconds after its arrival. ``windowed`` means that free text may be sent
    only by leave of the person (``Grant``). ``templates`` and ``subscriptions`` map a notice's kind to the provider's
    template for it: one that may be sent to every follower, and one that needs the person's own consent. ``phones`` means that a sender's address is his telephone number, proved by the
    carrier.
    """

    source: SourceChannel
    max_bytes: int
    passive: bool = False
    passive_deadline: float = 0.0
    windowed: bool = False
    templates: Mapping[str, str] = field(default_factory=dict)
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    phones: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to write to a person: ``count`` messages (None: no limit) until ``until`` (UTC)."""

    until: datetime
    count: int | None


class SendReason(StrEnum):
    """Why a send did not succeed; the table below says which are worth another try."""

    BUSY = "busy"
    THROTTLED = "throttled"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    CREDENTIALS = "credentials"
    QUOTA = "quota"
    WINDOW = "window"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CONTENT = "content"
    FORBIDDEN = "forbidden"


RETRYABLE = frozenset({SendReason.BUSY, SendReason.THROTTLED, SendReason.CONNECTION, SendReason.CREDENTIALS})
"""Worth another try by the same route. TIMEOUT is not here: nobody knows whether it was sent."""

OTHER_ROUTE = frozenset(
    {
        SendReason.QUOTA,
        SendReason.WINDOW,
        SendReason.UNREACHABLE,
        SendReason.REFUSED,
        SendReason.FORBIDDEN,
    }
)
"""Not by this route any more; the next one may do."""


class SendError(JiesuError):
    """The provider did not take the message."""

    def __init__(self, reason: SendReason, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the same route may be tried again later."""
        return self.reason in RETRYABLE


@dataclass(frozen=True, slots=True)
class SendResult:
    """The provider took the message; ``names`` are what it calls it, one for each part it was sent in.

    Receipts come back under these names; empty where the provider gives none. ``instead`` says why the text went out
    and not what the message was to bring; empty where all is as it was to be.
    """

    names: tuple[str, ...] = ()
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message is written down.

    ``reply`` is the text to put in the answer to the request (None: acknowledge only, the reply travels by the
    outbox); ``repeat`` is true for a message seen before, which gets the answer of the first. Call ``written``
    once the answer with the reply has been handed to the network; never call it otherwise. ``shaped`` is what the
    message's shape made of the reply.
    """

    reply: str | None
    repeat: bool
    written: Callable[[], None]
    shaped: bytes | None = None


Shape = Callable[[str], bytes]
"""Makes of a reply's text what goes over the network (pure)."""


WANTED = "w"
"""How the reference of a file begins that is still to be fetched; keys of kept files are hexadecimal."""


def wanted(message: InboundMessage, part: Part, sign: Callable[[str], bytes]) -> str:
    """Return the reference under which the file of a part is known until it is here, and for ever after."""
    # What names no file is lost, each for itself.
    file = part.media_id or part.url or f"{message.sender} {message.external_id}"
    return WANTED + sign(f"wanted {message.account} {file}").hex()[:40]


class Loss(StrEnum):
    """Why a file that somebody sent cannot be had any more."""

    EXPIRED = "expired"
    TOO_LARGE = "too_large"
    GONE = "gone"


class Lost(JiesuError):
    """The provider will not give a file any more, however often it is asked."""

    def __init__(self, loss: Loss, detail: str = "") -> None:
        super().__init__(f"{loss}: {detail}" if detail else loss.value)
        self.loss = loss


@runtime_checkable
class Fetches(Protocol):
    """A channel whose messages name files that the provider keeps for a while."""

    def fetch(self, part: Part, largest: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the content of a part as it comes, at most so many bytes.

        Raises Lost when it cannot be had any more, SendError when it may be asked for again.
        """
        ...


def fetcher(channel: object) -> Fetches | None:
    """Return a channel as one that fetches, None when it does not."""
    return channel if isinstance(channel, Fetches) else None


class Inbox(Protocol):
    """Where a channel brings what it received."""

    async def accept(self, message: InboundMessage, shape: Shape | None = None) -> Accepted:
        """Write the message down, let the bot answer, and return after the commit.

        Replies are given their shape while the disk is waited for; nothing of them is out before the commit. Raises
        Busy when the message could not be written down in time: tell the provider to try again.
        """
        ...


class Receipts(Protocol):
    """Where a channel brings what a provider says later of a message that was sent."""

    async def receive(self, receipt: Receipt) -> None:
        """Write the receipt down and return after the commit.

        One that comes before the send was noted is kept and matched then; one that comes twice changes nothing.
        Raises Busy when it could not be written down: let the provider bring it again.
        """
        ...

    async def case_of(self, account: str, names: Sequence[str]) -> str:
        """Return the case that a message under one of these names was about, sent or received; empty when unknown.

        Raises Busy when it cannot be looked up.
        """
        ...


class Opinions(Protocol):
    """Takes what a provider thinks of files that it was asked to look at."""

    async def tell(self, account: str, name: str, opinion: Opinion | None) -> None:
        """Note what was objected to (None: nothing) in what was looked at under a name; return after the commit.

        Raises Busy.
        """
        ...


class Consents(Protocol):
    """Keeps who agreed to be sent which template."""

    async def note(self, address: Address, template: str, *, given: bool, once: bool) -> None:
        """Note that a person agreed (``once``: to one message more) or agrees no more; return after the commit.

        Raises Busy.
        """
        ...


@dataclass(frozen=True, slots=True)
class LongPart:
    """One part of a long message: ``number`` (from 1) of ``total``, all with the sender's ``reference``.

    ``external_id`` is the provider's id of this part; ``text`` its words, already decoded.
    """

    account: str
    sender: str
    reference: int
    total: int
    number: int
    external_id: str
    text: str
    received_at: datetime


class Unions(Protocol):
    """Joins the talks of one person in several apps of one owner."""

    async def note(self, address: Address, platform: str, union: str) -> None:
        """Note who somebody is on a provider's platform (empty: it does not say); return after the commit. Raises Busy."""
        ...


class Parts(Protocol):
    """Keeps the parts of long messages until all are there, for all processes and across a crash."""

    async def keep(self, part: LongPart) -> tuple[LongPart, ...]:
        """Write a part down; return all parts in order once the last is there, else nothing.

        A part seen before (same external id) is kept once. Parts that were all there and not yet ``done`` are
        returned again, so that a crash before the message was accepted loses nothing. Raises Busy.
        """
        ...

    async def done(self, parts: Sequence[LongPart]) -> None:
        """Note that the message of these parts was accepted: later copies of the same parts start nothing."""
        ...

    async def overdue(self, account: str, before: datetime) -> Sequence[tuple[LongPart, ...]]:
        """Return the incomplete messages of an account whose last part came before an instant."""
        ...


class Cursors(Protocol):
    """Keeps how far each account was read, for all processes and across a crash."""

    async def get(self, account: str) -> str:
        """Return how far an account was read; empty at the beginning. Raises Busy."""
        ...

    async def put(self, account: str, cursor: str) -> None:
        """Note how far an account was read and return after the commit; raises Busy."""
        ...


class Uploaded(Protocol):
    """Keeps under which name a provider has a file of ours, for all processes and across a crash."""

    async def get(self, account: str, file: str) -> str:
        """Return the provider's name of a file, empty when it has none or has it no more. Raises Busy."""
        ...

    async def put(self, account: str, file: str, name: str, until: datetime) -> None:
        """Note the provider's name of a file until it forgets it, and return after the commit; raises Busy."""
        ...


class Blobs(Protocol):
    """Keeps files: photos, recordings, documents, large raw messages."""

    async def put(self, content: bytes) -> str:
        """Write a file durably and return its key; the same content has the same key. Raises Busy."""
        ...

    async def get(self, key: str) -> bytes:
        """Return a file; raises NotFound."""
        ...


class Media(Protocol):
    """Takes in what people attach, the same way for every channel: known by content, within limits, looked into."""

    async def take(self, sender: Address, content: bytes, name: str) -> Part | None:
        """Keep a file that somebody sent durably and return it as a part; raises Busy.

        None when it is not accepted, and nothing of it is kept.
        """
        ...


class Lock(Protocol):
    """A short lock shared by all processes; it ends by itself after its time to live."""

    async def __aenter__(self) -> bool:
        """Wait for the lock; False when it was not had in time."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Let go, if still held."""
        ...


class KeyValue(Protocol):
    """Small values shared by all processes that may be lost at any time."""

    async def get(self, key: str) -> str | None:
        """Return the value, or None."""
        ...

    async def set(self, key: str, value: str, ttl: float) -> None:
        """Store a value for ``ttl`` seconds."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value."""
        ...

    def lock(self, key: str, ttl: float, wait: float) -> Lock:
        """Return a lock that is held at most ``ttl`` seconds and waited for at most ``wait``."""
        ...


class Meter(Protocol):
    """Counts what a channel sees; no label ever carries a person's data."""

    def refused(self, account: str, reason: str) -> None:
        """Count an inbound request that was turned away."""
        ...

    def token_refreshed(self, account: str) -> None:
        """Count a fetch of a provider's access token."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What every adapter is given at its making.

    ``sign`` returns a keyed hash of a text (32 bytes) that nobody without this installation's key can make.
    """

    inbox: Inbox
    receipts: Receipts
    consents: Consents
    opinions: Opinions
    unions: Unions
    parts: Parts
    cursors: Cursors
    uploaded: Uploaded
    blobs: Blobs
    media: Media
    keys: KeyValue
    http: ClientSession
    meter: Meter
    now: Callable[[], datetime]
    sign: Callable[[str], bytes]


def _nothing() -> None:
    """Nothing rode in the answer, so there is nothing to note."""


class Answered(NamedTuple):
    """What a provider's call is answered with; ``written`` is to be called once that was handed to the network.

    ``retry_after`` is in seconds, 0 for none.
    """

    body: bytes
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    retry_after: int = 0
    written: Callable[[], None] = _nothing


Take = Callable[[str, bytes], Awaitable[Answered]]
"""Takes a provider's call by its query, as it was sent, and its body."""


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP address below ``/channels/{account}`` (``path`` is what follows, often empty).

    ``take`` does the same as ``handler`` for a POST to a fixed path, where nothing else of the request matters.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    take: Take | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a self-check: what was found and, when it is not well, what to do."""

    ok: bool
    what: str
    cure: str = ""


class Channel(Protocol):
    """One configured account of one provider."""

    account: str
    capabilities: Capabilities

    @property
    def sends_here(self) -> bool:
        """Whether this process is the one to send; false while another holds the account's only login."""
        ...

    def routes(self) -> Sequence[Route]:
        """Return the HTTP addresses the provider calls; empty for channels that poll or connect."""
        ...

    def grant(self, message: InboundMessage) -> Grant | None:
        """Return the leave to write that this message gives us, None if it changes nothing (pure)."""
        ...

    async def run(self) -> None:
        """Keep connections or polls alive until cancelled; return at once if there is nothing to keep."""
        ...

    async def send(self, message: OutboundMessage) -> SendResult:
        """Hand one message to the provider; raises SendError."""
        ...

    async def check(self) -> Sequence[Finding]:
        """Ask the provider whether settings and credentials work (``jiesu doctor``)."""
        ...


@runtime_checkable
class Troubled(Protocol):
    """A channel that remembers the last trouble which people must end."""

    async def trouble(self) -> Finding | None:
        """Return the last trouble with its cure, None when there is none."""
        ...


async def troubles(channels: Mapping[str, Channel]) -> Mapping[str, Finding]:
    """Return the last trouble of each account that has one."""
    found = {
        account: await channel.trouble()
        for account, channel in channels.items()
        if isinstance(channel, Troubled)
    }
    return {account: trouble for account, trouble in found.items() if trouble is not None}


class Console(Protocol):
    """Where an account is set up: its menu, and its codes to scan."""

    async def menu(self) -> Mapping[str, object]:
        """Return the menu that is shown, empty when there is none; raises SendError."""
        ...

    async def push_menu(self, raw: Mapping[str, object] | None) -> None:
        """Show a menu, the bot's own when none is given; raises Misconfigured or SendError."""
        ...

    async def code(self, scene: str, seconds: int | None) -> bytes:
        """Return the picture of a code to scan, for so many seconds or for ever; raises InvalidInput or SendError."""
        ...


@runtime_checkable
class Looks(Protocol):
    """A channel that can be looked at from outside, as its provider sees it."""

    async def check(self) -> Sequence[Finding]:
        """Ask the provider whether settings and credentials work."""
        ...

    async def look(self, public_url: str) -> Sequence[Finding]:
        """Say whether the callback can be reached from outside, and whether the templates are there and fit."""
        ...


def looks(channel: object) -> Looks | None:
    """Return a channel that can be looked at from outside, None for another."""
    return channel if isinstance(channel, Looks) else None


@runtime_checkable
class SetsUp(Protocol):
    """A channel whose account is set up from the command line."""

    console: Console


def console(channel: object) -> Console | None:
    """Return where a channel's account is set up, None when it has no such place."""
    return channel.console if isinstance(channel, SetsUp) else None


class SignInReason(StrEnum):
    """Why nobody was signed in: the code, too often, refused by the provider as risky, or nobody answered."""

    CODE = "code"
    OFTEN = "often"
    RISK = "risk"
    AWAY = "away"


class SignInError(JiesuError):
    """The provider did not say whose code it is."""

    def __init__(self, reason: SignInReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a provider thinks of words: its advice (review, risky) and what it is about, in its own codes."""

    advice: str
    label: str


@runtime_checkable
class LooksAtWords(Protocol):
    """A channel whose provider looks at what people write."""

    async def opinion(self, user: str, text: str) -> Opinion | None:
        """Return what the provider objects to in a person's words, None for nothing; raises SendError."""
        ...


@runtime_checkable
class LooksAtFiles(Protocol):
    """A channel whose provider looks at pictures and recordings that people send, and says later what it thinks."""

    async def look_at(self, user: str, kind: PartKind, url: str) -> str:
        """Ask for a look at a person's file and return the name under which ``Opinions`` is told; raises SendError."""
        ...


@runtime_checkable
class ProvesPhones(Protocol):
    """A channel whose provider proves a person's telephone by a code that he gave it leave for."""

    async def phone_of(self, code: str) -> str:
        """Return the telephone whose code this is; raises SignInError."""
        ...


@runtime_checkable
class Types(Protocol):
    """A channel that can show a person that somebody is writing to him."""

    async def types(self, user: str) -> None:
        """Show that somebody is writing, for a few seconds; raises SendError."""
        ...

    async def rests(self, user: str) -> None:
        """Show it no more; raises SendError."""
        ...


@runtime_checkable
class Subscribes(Protocol):
    """A channel whose notices a person agrees to on a page or in an app of ours."""

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The templates to ask his consent for."""
        ...


@dataclass(frozen=True, slots=True)
class PageSignature:
    """What a page of ours needs to use the provider's functions: ``stamp`` in Unix seconds."""

    app_id: str
    stamp: int
    nonce: str
    signature: str


@runtime_checkable
class SignsPages(Protocol):
    """A channel whose provider lets pages of ours use its functions."""

    async def page_signature(self, url: str) -> PageSignature:
        """Return the signature of a page's address, its fragment cut; raises SendError."""
        ...


@runtime_checkable
class KnowsUnions(Protocol):
    """A channel whose provider says when asked who its people are across several apps of one owner."""

    @property
    def open_platform(self) -> str:
        """The platform on which its unions count, empty for none."""
        ...

    async def unions_of(self, users: Sequence[str]) -> Mapping[str, str]:
        """Return the unions of up to 100 people as far as the provider knows them; raises SendError."""
        ...


@runtime_checkable
class KnowsVisitors(Protocol):
    """A channel whose provider says who opens a page of ours in its own browser."""

    def way_in(self, back: str, state: str) -> str:
        """Return the provider's address that sends a browser to ``back`` with a code and this state."""
        ...

    async def visitor(self, code: str) -> str:
        """Return the user (``Address.user``) whose code this is; raises SignInError."""
        ...


@runtime_checkable
class SignsIn(Protocol):
    """A channel whose provider proves to our own pages and apps who somebody is there."""

    capabilities: Capabilities

    async def sign_in(self, code: str) -> str:
        """Return the user (``Address.user``) whose login code this is; raises SignInError."""
        ...
