"""Long messages in parts, kept in the database until all are there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from channels.contract import LongPart
from gateway.runtime import millis
from gateway.store import parts as rows
from normalizer.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

_PART = TypeAdapter(LongPart)


class Parts:
    """Implements ``channels.contract.Parts``."""

    def __init__(self, *, store: Store, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now

    async def keep(self, part: LongPart) -> tuple[LongPart, ...]:
        """Write a part down; return all parts in order once the last is there, else nothing; raises Busy."""
        row = {
            "message": self._message(part),
            "external_id": part.external_id,
            "account": part.account,
            "received_at": millis(part.received_at),
            "done": False,
            "body": self._sealer.seal(_PART.dump_json(part)),
        }
        try:
            kept = await self._store.write(partial(rows.keep, row=row))
        except (SQLAlchemyError, OSError) as error:
            raise Busy from error
        return _whole(self._opened(kept), part.total)

    async def done(self, parts: Sequence[LongPart]) -> None:
        """Note that the message of these parts was accepted."""
        now = millis(self._now())
        await self._store.write(partial(rows.done, message=self._message(parts[0]), now=now))

    async def overdue(self, account: str, before: datetime) -> Sequence[tuple[LongPart, ...]]:
        """Return the incomplete messages of an account whose last part came before an instant."""
        found = await self._store.read(partial(rows.overdue, account=account, before=millis(before)))
        messages = (self._opened(kept) for kept in found)
        return [tuple(parts[n] for n in sorted(parts)) for parts in messages if parts]

    def _message(self, part: LongPart) -> bytes:
        return self._sealer.hash(f"{part.account}\0{part.sender}\0{part.reference}\0{part.total}")

    def _opened(self, kept: Sequence[tuple[str, bytes]]) -> dict[int, LongPart]:
        parts = (_PART.validate_json(self._sealer.open(body)) for _, body in kept)
        numbered: dict[int, LongPart] = {}
        for part in parts:
            # The first to come with its number stands; a copy under another id is one of it.
            numbered.setdefault(part.number, part)
        return numbered


def _whole(parts: dict[int, LongPart], total: int) -> tuple[LongPart, ...]:
    numbers = range(1, total + 1)
    return tuple(parts[n] for n in numbers) if parts.keys() == set(numbers) else ()
