"""Parts of long messages become one message; what never comes whole is delivered as far as it came.

Durable before acknowledged: a part is kept, or the whole message accepted, before its carrier gets an answer
(sms-email.md 1.1, "Field traps"; domain.md 4.4, 60 s).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from channels.contract import LongPart
from channels.sms.text import joined
from normalizer.errors import JiesuError
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from channels.contract import Tools
    from channels.sms.pace import Pace
    from channels.sms.text import Long

log = structlog.get_logger()

PATIENCE = 60.0
"""Seconds that missing parts are waited for after the last one came (domain.md 4.4)."""
SWEEP = 10.0
"""Seconds between two looks for messages whose missing parts are overdue."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One short message as it came: its words (``text.decoded``), and what its header says if it is a part."""

    sender: str
    external_id: str
    text: str
    long: Long | None
    raw: bytes
    at: datetime


class Concat:
    """Brings one account's short messages to the inbox, long ones whole."""

    def __init__(self, account: str, tools: Tools, pace: Pace, patience: float = PATIENCE) -> None:
        self._account = account
        self._tools = tools
        self._pace = pace
        self._patience = timedelta(seconds=patience)

    async def take(self, piece: Piece) -> None:
        """Write a short message down and return after the commit; raises Busy."""
        if piece.long is None or piece.long.total == 1:
            await self._accept(piece.external_id, [piece.text], piece)
            return
        parts = await self._tools.parts.keep(self._part(piece, piece.long))
        if parts:
            await self._accept(_name(parts), [part.text for part in parts], piece)
            await self._tools.parts.done(parts)

    async def run(self) -> None:
        """Deliver overdue messages until cancelled."""
        while True:
            await self._pace.sleep(SWEEP)
            try:
                await self.sweep()
            except Exception:
                log.exception("sms.sweep_failed", account=self._account)

    async def sweep(self) -> None:
        """Deliver the messages whose missing parts are overdue, marked for the agents."""
        before = self._tools.now() - self._patience
        for parts in await self._tools.parts.overdue(self._account, before):
            try:
                await self._accept_rest(parts)
            except JiesuError as error:
                # One that cannot be written down now is found again by the next sweep; the others go on.
                log.warning("sms.overdue_waits", account=self._account, reason=str(error))

    async def _accept_rest(self, parts: Sequence[LongPart]) -> None:
        text = joined(part.text for part in parts)
        message = InboundMessage(
            account=self._account,
            sender=parts[0].sender,
            external_id=_name(parts),
            source=SourceChannel.SMS,
            received_at=self._tools.now(),
            sent_at=parts[0].received_at,
            parts=(Part(PartKind.TEXT, text),),
            raw=text.encode(),
            notes={"incomplete": _missing(parts)},
        )
        await self._tools.inbox.accept(message)
        await self._tools.parts.done(parts)

    async def _accept(self, external_id: str, texts: Sequence[str], piece: Piece) -> None:
        message = InboundMessage(
            account=self._account,
            sender=piece.sender,
            external_id=external_id,
            source=SourceChannel.SMS,
            received_at=piece.at,
            sent_at=piece.at,
            parts=(Part(PartKind.TEXT, joined(texts)),),
            raw=piece.raw,
        )
        await self._tools.inbox.accept(message)

    def _part(self, piece: Piece, long: Long) -> LongPart:
        return LongPart(
            account=self._account,
            sender=piece.sender,
            reference=long.reference,
            total=long.total,
            number=long.number,
            external_id=piece.external_id,
            text=piece.text,
            received_at=piece.at,
        )


def _name(parts: Sequence[LongPart]) -> str:
    """Return an id that the same parts always give: a message that is accepted twice is then a repeat."""
    ids = "\0".join(part.external_id for part in sorted(parts, key=lambda part: part.number))
    return "long-" + hashlib.sha256(ids.encode()).hexdigest()[:32]


def _missing(parts: Sequence[LongPart]) -> str:
    here, total = {part.number for part in parts}, parts[0].total
    numbers = "、".join(str(n) for n in range(1, total + 1) if n not in here)
    return f"第{numbers}/{total}段未收到"
