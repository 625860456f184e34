"""What a channel is given, in the test's hand: an inbox, receipts, parts and files that are kept in memory."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channels.contract import Accepted, LongPart, Shape, Tools
from gateway.bus import MemoryBus
from normalizer.errors import Busy, NotFound
from normalizer.message import InboundMessage, Part, Receipt

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@dataclass
class Door:
    """An inbox that keeps what it is brought and answers as it is told; a message it knows is a repeat."""

    reply: str | None = "已收到"
    busy: bool = False
    messages: list[InboundMessage] = field(default_factory=list)
    written: int = 0

    async def accept(self, message: InboundMessage, shape: Shape | None = None) -> Accepted:
        if self.busy:
            raise Busy
        self.messages.append(message)
        shaped = shape(self.reply) if shape is not None and self.reply is not None else None
        return Accepted(self.reply, repeat=False, written=self._written, shaped=shaped)

    def _written(self) -> None:
        self.written += 1


@dataclass
class Receipts:
    """Keeps receipts in the order of their coming; ``about`` says which case a name belongs to."""

    busy: bool = False
    came: list[Receipt] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)

    async def receive(self, receipt: Receipt) -> None:
        if self.busy:
            raise Busy
        self.came.append(receipt)

    async def case_of(self, account, names) -> str:
        return next((self.about[name] for name in names if name in self.about), "")


@dataclass
class Parts:
    """The parts of long messages, as the store keeps them."""

    busy: bool = False
    open: dict[tuple, dict[str, LongPart]] = field(default_factory=dict)
    finished: set[tuple] = field(default_factory=set)

    async def keep(self, part: LongPart) -> tuple[LongPart, ...]:
        if self.busy:
            raise Busy
        key = (part.account, part.sender, part.reference, part.total)
        if (*key, part.external_id) in self.finished:
            return ()
        kept = self.open.setdefault(key, {})
        kept.setdefault(part.external_id, part)
        return self._whole(kept)

    async def done(self, parts) -> None:
        first = parts[0]
        key = (first.account, first.sender, first.reference, first.total)
        self.finished |= {(*key, name) for name in self.open.pop(key, {})}

    async def overdue(self, account, before):
        return [
            tuple(sorted(kept.values(), key=lambda part: part.number))
            for key, kept in self.open.items()
            if key[0] == account and max(part.received_at for part in kept.values()) < before
        ]

    def _whole(self, kept: dict[str, LongPart]) -> tuple[LongPart, ...]:
        numbered = {part.number: part for part in reversed(kept.values())}
        total = next(iter(kept.values())).total
        whole = set(numbered) == set(range(1, total + 1))
        return tuple(numbered[n] for n in range(1, total + 1)) if whole else ()


@dataclass
class Cursors:
    """How far accounts were read, in the order in which it was noted."""

    busy: bool = False
    noted: list[tuple[str, str]] = field(default_factory=list)

    async def get(self, account: str) -> str:
        return dict(self.noted).get(account, "")

    async def put(self, account: str, cursor: str) -> None:
        if self.busy:
            raise Busy
        self.noted.append((account, cursor))


@dataclass
class Uploaded:
    """What providers have of our files, until when."""

    noted: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)

    async def get(self, account: str, file: str) -> str:
        name, until = self.noted.get((account, file), ("", NOW))
        return name if until > NOW else ""

    async def put(self, account: str, file: str, name: str, until: datetime) -> None:
        self.noted[account, file] = (name, until)


@dataclass
class Blobs:
    """Files by their hash."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def put(self, content: bytes) -> str:
        key = hashlib.sha256(content).hexdigest()
        self.files[key] = content
        return key

    async def get(self, key: str) -> bytes:
        if key not in self.files:
            raise NotFound(key)
        return self.files[key]


@dataclass
class Counts:
    refusals: list[str] = field(default_factory=list)
    tokens: int = 0

    def refused(self, account: str, reason: str) -> None:
        self.refusals.append(reason)

    def token_refreshed(self, account: str) -> None:
        self.tokens += 1


@dataclass
class Media:
    """A pipeline of files that accepts what it knows by its name, and notes what it was brought."""

    known: dict[str, Part] = field(default_factory=dict)
    brought: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, sender, content, name):
        self.brought.append((sender, name))
        return self.known.get(name)


@dataclass
class Consents:
    """Who agreed to which template, as it was told."""

    noted: list[tuple] = field(default_factory=list)

    async def note(self, address, template, *, given, once) -> None:
        self.noted.append((address.user, template, given, once))


@dataclass
class Opinions:
    """What providers thought of files, as it was told."""

    busy: bool = False
    told: list[tuple] = field(default_factory=list)

    async def tell(self, account, name, opinion) -> None:
        if self.busy:
            raise Busy
        self.told.append((account, name, opinion))


@dataclass
class Unions:
    """Who people are on which platform, as it was told."""

    noted: list[tuple] = field(default_factory=list)

    async def note(self, address, platform, union) -> None:
        self.noted.append((address.user, platform, union))


def sign(text: str) -> bytes:
    return hmac.digest(b"test key", text.encode(), "sha256")


def tools(
    http,
    door=None,
    counts=None,
    keys=None,
    now=lambda: NOW,
    *,
    receipts=None,
    consents=None,
    opinions=None,
    unions=None,
    parts=None,
    cursors=None,
    uploaded=None,
    blobs=None,
    media=None,
) -> Tools:
    return Tools(
        inbox=door or Door(),
        receipts=receipts or Receipts(),
        consents=consents or Consents(),
        opinions=opinions or Opinions(),
        unions=unions or Unions(),
        parts=parts or Parts(),
        cursors=cursors or Cursors(),
        uploaded=uploaded or Uploaded(),
        blobs=blobs or Blobs(),
        media=media or Media(),
        keys=keys or MemoryBus(),
        http=http,
        meter=counts or Counts(),
        now=now,
        sign=sign,
    )
