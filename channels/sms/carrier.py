"""What the carriers' protocols have in common above the link: send in parts, take words and receipts, acknowledge.

CMPP and SMGP differ in their frames; a ``Frames`` says how. Everything else is here once (sms-email.md 1.1, 1.3).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from channels.contract import Capabilities, Finding, SendError, SendReason, SendResult
from channels.lease import Lease
from channels.sms.concat import Concat, Piece
from channels.sms.link import Link
from channels.sms.numbers import bare, machine
from channels.sms.pace import Pace, Rate
from channels.sms.session import Dialect
from channels.sms.text import MAX_BYTES, decoded, fewest, opened, payload, signed
from normalizer.errors import Busy, InvalidInput
from normalizer.message import Delivery, Receipt, SourceChannel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from channels.contract import Grant, Route, Tools
    from channels.sms.settings import Gateway
    from channels.sms.text import Alphabet
    from normalizer.message import InboundMessage, OutboundMessage

log = structlog.get_logger()

FLOW_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a part is sent again that met flow control."""
BUSY_PAUSES = (1.0, 3.0, 9.0)
"""Seconds before the inbox is asked again; after them the request stays unanswered and comes again (T = 60 s)."""
PENDING = frozenset({"ACCEPTD", "ENROUTE", "UNKNOWN"})
"""States that decide nothing; of UNKNOWN the carrier itself does not know how it ended, so we say no more."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One short message to one number; ``content`` has its header when it is a part, ``coding`` says what it is in."""

    receiver: str
    coding: int
    content: bytes
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Upward:
    """A short message from a handset, as its frame has it."""

    external_id: str
    sender: str
    coding: int
    udhi: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message of ours: its name, and the state's word."""

    name: str
    stat: str


class Frames(Dialect, Protocol):
    """A protocol's frames for sending and receiving short messages.

    ``throttled`` are the results that ask for patience, ``reasons`` what the others mean; ``alphabets`` are those a
    text may go in, the surest first.
    """

    reasons: Mapping[int, SendReason]
    throttled: frozenset[int]
    alphabets: Sequence[Alphabet]

    def submit(self, sequence: int, message: Outgoing) -> bytes:
        """Return the request that sends a message; raises InvalidInput."""
        ...

    def submitted(self, frame: bytes) -> tuple[str, int]:
        """Return the name and result that an answer to ``submit`` carries; raises InvalidInput."""
        ...

    def delivered(self, frame: bytes) -> Upward | Outcome | None:
        """Read a request of the gateway, None when it is of no kind we know; raises InvalidInput."""
        ...

    def taken(self, frame: bytes) -> bytes:
        """Return the answer that takes a delivered request off the gateway's hands."""
        ...


class Line(Protocol):
    """A way to the gateway: kept up by ``run``, asked by everybody (``Link``)."""

    async def run(self) -> None:
        """Keep the way open until cancelled."""
        ...

    async def up(self) -> None:
        """Return once something can be asked."""
        ...

    async def ask(self, build: Callable[[int], bytes]) -> bytes:
        """Send a request and return its answer; raises SendError."""
        ...

    async def check(self) -> None:
        """Prove that the gateway lets us in; raises SendError."""
        ...


class Carrier:
    """One account with one carrier's gateway, as a channel.

    Carriers let few logins in, so of all processes one holds the line; ``send`` is refused (CONNECTION) in the others.
    """

    def __init__(
        self,
        account: str,
        frames: Frames,
        settings: Gateway,
        tools: Tools,
        pace: Pace | None = None,
    ) -> None:
        self.account = account
        self.capabilities = Capabilities(source=SourceChannel.SMS, max_bytes=MAX_BYTES, phones=True)
        self._frames = frames
        self._tools = tools
        self._signature = settings.signature
        self._pace = pace or Pace()
        self._rate = Rate(settings.rate, self._pace)
        self.link: Line = Link(
            account,
            (settings.host, settings.port),
            frames,
            self._handle,
            timers=settings.timers,
            pace=self._pace,
        )
        self._lease = Lease(tools.keys, f"sms:{account}:line", sleep=self._pace.sleep)
        self._concat = Concat(account, tools, self._pace)
        self._reference = int(self._pace.chance() * 256)

    @property
    def sends_here(self) -> bool:
        """Whether this process holds the line."""
        return self._lease.ours

    def routes(self) -> Sequence[Route]:
        """Return nothing: we connect."""
        return ()

    def grant(self, message: InboundMessage) -> Grant | None:  # noqa: ARG002 - no rule depends on it
        """Change nothing: the carriers set no limit by what a citizen wrote."""
        return None

    async def run(self) -> None:
        """Hold the line whenever no other process does, and deliver what never comes whole, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lease.keep(self.link.run))
            group.create_task(self._concat.run())

    async def send(self, message: OutboundMessage) -> SendResult:
        """Send a text in as many parts as it needs, each with a receipt; raises SendError."""
        parts = fewest(signed(message.text, self._signature), self._frames.alphabets)
        self._reference = (self._reference + 1) % 256
        reference = self._reference
        names: list[str] = []
        for part in parts:
            given = Outgoing(
                receiver=message.address.user,
                coding=part.alphabet.coding,
                content=payload(part, reference),
                number=part.number,
                total=part.total,
            )
            try:
                names.append(await self._sent(given))
            except SendError as error:
                if names:
                    # Some parts are on their way: sent again, the citizen would get those twice.
                    raise SendError(SendReason.TIMEOUT, f"part {part.number}: {error}") from error
                raise
        return SendResult(tuple(names))

    async def check(self) -> Sequence[Finding]:
        """Log in: that needs address, name and secret to be right."""
        try:
            await self.link.check()
        except SendError as error:
            return [Finding(ok=False, what=f"{self.account}：短信网关不可用（{error}）", cure=_cure(error))]
        return [Finding(ok=True, what=f"{self.account}：短信网关可登录")]

    async def _sent(self, part: Outgoing) -> str:
        """Send one part, again after a pause where the gateway asks for it, and return its name."""
        for pause in (*FLOW_PAUSES, None):
            await self._rate.turn()
            name, result = await self._asked(part)
            if result == 0:
                return name
            if result not in self._frames.throttled:
                raise SendError(self._frames.reasons.get(result, SendReason.REFUSED), f"result {result}")
            if pause is not None:
                await self._pace.sleep(pause)
        raise SendError(SendReason.THROTTLED, "flow control", retry_after=5.0)

    async def _asked(self, part: Outgoing) -> tuple[str, int]:
        try:
            answer = await self.link.ask(lambda sequence: self._frames.submit(sequence, part))
        except InvalidInput as error:
            raise SendError(SendReason.CONTENT, str(error)) from error
        try:
            return self._frames.submitted(answer)
        except InvalidInput as error:
            raise SendError(SendReason.TIMEOUT, "an answer that cannot be read") from error

    async def _handle(self, frame: bytes) -> bytes | None:
        """Take a request of the gateway and answer it once it is written down; raises InvalidInput."""
        match self._frames.delivered(frame):
            case Upward() as upward:
                kept = await self._patiently(lambda: self._take(upward, frame))
            case Outcome() as outcome:
                kept = await self._patiently(lambda: self._note(outcome))
            case None:
                log.warning("sms.unknown_request", account=self.account)
                return None
        return self._frames.taken(frame) if kept else None

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> bool:
        for pause in (*BUSY_PAUSES, None):
            try:
                await work()
            except Busy:
                if pause is not None:
                    await self._pace.sleep(pause)
                continue
            return True
        return False

    async def _take(self, upward: Upward, frame: bytes) -> None:
        sender = bare(upward.sender)
        if not sender or machine(upward.sender):
            log.info("sms.machine_ignored", account=self.account)
            return
        long, words = opened(upward.content) if upward.udhi else (None, upward.content)
        text = decoded(words, upward.coding)
        await self._concat.take(
            Piece(sender, upward.external_id, text, long, raw=frame, at=self._tools.now())
        )

    async def _note(self, outcome: Outcome) -> None:
        if outcome.stat in PENDING:
            return
        delivery = Delivery.DELIVERED if outcome.stat == "DELIVRD" else Delivery.FAILED
        receipt = Receipt(self.account, outcome.name, delivery, self._tools.now(), outcome.stat)
        await self._tools.receipts.receive(receipt)


def _cure(error: SendError) -> str:
    if error.reason is SendReason.CREDENTIALS:
        return "核对账号、密码（密钥）和协议版本，并请运营商确认本机出口 IP 已登记"
    return "检查本机能否访问网关的地址和端口，以及防火墙和专线"
