"""What a carrier knows: its phones and what they show, what waits for the service, and the faults ordered of it.

Written from the carriers' documents (sms-email.md 1.1 to 1.3), apart from the product's own adapters, so that the
two do not share a mistake. Time comes from an injected clock, in seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.sandbox.ismg import content

Pause = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class CarrierSettings:
    """The service's account at the carrier; ``receipts`` come "before" or "after" the answer, or "never"."""

    sp_id: str
    secret: str
    number: str = ""
    receipts: str = "after"
    receipt_bytes: int = 0
    stat: str = "DELIVRD"
    mo_udhi: int = 0x40
    window: int = 16
    seconds: float = 60.0
    tries: int = 3
    idle: float = 180.0


@dataclass(slots=True)
class Line:
    """One line on a phone; of a long message from the service it knows its parts until all are there."""

    who: str
    at: float
    total: int = 1
    parts: dict[int, str] = field(default_factory=dict)
    stats: dict[bytes, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text, of all parts in order."""
        return "".join(self.parts[number] for number in sorted(self.parts))

    @property
    def receipt(self) -> str:
        """The state that the service was told and took: the worst of the parts, empty while any is open."""
        if len(self.stats) < self.total:
            return ""
        return next((stat for stat in self.stats.values() if stat != "DELIVRD"), "DELIVRD")


@dataclass(slots=True)
class Phone:
    """A citizen's phone."""

    number: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Submission:
    """One message as the service handed it in."""

    to: tuple[str, ...]
    source: str
    coding: int
    numbered: bool
    content: bytes
    wants_receipt: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """The fate of a submitted message at one phone; ``id`` is the protocol's own name of it."""

    id: bytes
    stat: str
    submitted_at: float
    done_at: float


@dataclass(eq=False, slots=True)
class Delivery:
    """What the carrier brings to the service: a part of a citizen's message, or a receipt; ``sent`` when written."""

    number: int
    phone: str
    line: Line
    coding: int = 0
    content: bytes = b""
    udhi: int = 0
    receipt: Receipt | None = None
    sent: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next submit or deliver shall meet instead.

    ``kind`` for "submit": "flow", "result" (with ``code``), "silent", "cut", "slow" (for ``seconds``), "reorder" (the
    answer goes after the next one), "malformed". For "deliver": "duplicate", "cut", "malformed". ``deliver`` says
    whether the message gets to the phone all the same.
    """

    kind: str
    code: int = 0
    seconds: float = 0.0
    deliver: bool = False


class Carrier:
    """The carrier's memory; the servers of the protocols stand before it."""

    def __init__(
        self,
        settings: CarrierSettings,
        clock: Callable[[], float] = time.time,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.pause = pause
        self.phones: dict[str, Phone] = {}
        self.counts: Counter[str] = Counter()
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.watchers: set[Callable[[], None]] = set()
        self.outgoing: asyncio.Queue[Delivery] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._open: dict[tuple[str, str, int, int], Line] = {}

    def phone(self, number: str) -> Phone:
        """Return a phone, known from now on; 86 and +86 before a number do not make another phone."""
        number = number.removeprefix("+")
        if len(number) == 13:
            number = number.removeprefix("86")
        return self.phones.setdefault(number, Phone(number))

    def say(self, number: str, text: str, coding: int | None = None) -> Line:
        """Let a citizen text the service; what is long goes out in parts. Returns the line on the phone."""
        phone = self.phone(number)
        if coding is None:
            coding = 0 if text.isascii() and len(text) <= content.LONGEST else 8
        line = Line("citizen", self.clock(), parts={1: text})
        phone.lines.append(line)
        contents = content.write(text, coding, next(self._numbers))
        udhi = self.settings.mo_udhi if len(contents) > 1 else 0
        for part in contents:
            self.outgoing.put_nowait(
                Delivery(next(self._numbers), phone.number, line, coding, part, udhi),
            )
        self.changed()
        return line

    def take(self, submission: Submission, name: bytes) -> list[Delivery]:
        """Bring a submitted message to its phones and return the receipts that are due for it."""
        self.counts["submits"] += 1
        receipts = []
        for number in submission.to:
            phone = self.phone(number)
            line = self._shown(phone, submission)
            if submission.wants_receipt and self.settings.receipts != "never":
                receipt = Receipt(name, self.settings.stat, self.clock(), self.clock())
                receipts.append(Delivery(next(self._numbers), phone.number, line, receipt=receipt))
        self.changed()
        return receipts

    def brought(self, delivery: Delivery, result: int) -> None:
        """Note that the service answered a delivery."""
        if result:
            self.counts["delivers_refused"] += 1
        elif delivery.receipt is None:
            self.counts["delivers"] += 1
        else:
            self.counts["receipts"] += 1
            delivery.line.stats[delivery.receipt.id] = delivery.receipt.stat
        self.changed()

    def fault(self, way: str) -> Fault | None:
        """Take the next fault ordered for "submit" or "deliver"."""
        return self.faults[way].popleft() if self.faults[way] else None

    def next_number(self) -> int:
        """Return a number that no message had before."""
        return next(self._numbers)

    def changed(self) -> None:
        """Tell whoever watches."""
        for watcher in tuple(self.watchers):
            watcher()

    def shown(self) -> dict[str, Any]:
        """Return phones and counts as plain values for a page."""
        return {
            "phones": [
                {
                    "number": phone.number,
                    "lines": [
                        {"who": line.who, "text": line.text, "at": line.at, "receipt": line.receipt}
                        for line in phone.lines
                    ],
                }
                for phone in self.phones.values()
            ],
            "counts": dict(self.counts),
        }

    def _shown(self, phone: Phone, submission: Submission) -> Line:
        piece = content.read(submission.coding, submission.content, numbered=submission.numbered)
        key = (phone.number, submission.source, piece.reference, piece.total)
        line = self._open.get(key) if piece.total > 1 else None
        if line is None:
            line = Line("service", self.clock(), piece.total)
        line.parts[piece.number] = piece.text
        if len(line.parts) < piece.total:
            self._open[key] = line
            return line
        self._open.pop(key, None)
        phone.lines.append(line)
        return line
