"""Who may see which case: his own, or one whose number and query code he knows (domain.md 0.10, 2.3)."""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING

from bots.contract import Found
from gateway.runtime import millis
from gateway.store import cases, codes
from gateway.store.bodies import open_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.store.rows import CaseRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.case import Case, CaseEvent

OWN_SHOWN = 50
"""How many of his cases a page shows somebody, newest first."""


def found(
    connection: Connection,
    book: CaseBook,
    sealer: Sealer,
    *,
    number: str,
    code: str,
    by: str,
    now: int,
    address: str = "",
) -> Found:
    """Return the case of a number and its query code; wrong ones are counted against number and asker, and lock both.

    ``by`` is who asks, in whatever way the asker can be known again; ``address`` where he asks from, if he could be
    somebody else at once.
    """
    subjects = {sealer.hash(f"case {number}"): codes.TRIES, sealer.hash(f"by {by}"): codes.TRIES}
    if address:
        subjects[sealer.hash(f"from {address}")] = codes.ADDRESS_TRIES
    row = cases.get(connection, number)
    given = book.code_hash(number, code)

    def look() -> CaseRow | None:
        # Compared even when there is no such case, so that both take the same time.
        right = hmac.compare_digest(given, row.query_code if row else bytes(len(given)))
        return row if right else None

    locked, right = codes.attempt(connection, subjects, now, look)
    return Found(book.read(right) if right is not None else None, locked=locked)


class Lookup:
    """Shows pages the cases that whoever looks may see."""

    def __init__(self, *, store: Store, book: CaseBook, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._book = book
        self._sealer = sealer
        self._now = now

    async def own(self, conversation: bytes) -> tuple[Case, ...]:
        """Return the newest cases of a conversation and of all others of the same person."""
        rows = await self._store.read(partial(cases.own, conversation=conversation, limit=OWN_SHOWN))
        return tuple(self._book.read(row) for row in rows)

    async def found(self, number: str, code: str, by: str, address: str = "") -> Found:
        """Return the case of a number and its query code; no case for a wrong code and for no such case alike."""
        work = partial(
            found,
            book=self._book,
            sealer=self._sealer,
            number=number,
            code=code,
            by=by,
            now=millis(self._now()),
            address=address,
        )
        return await self._store.write(work)

    async def case(self, number: str) -> Case | None:
        """Return a case, for whoever has shown that he may see it."""
        row = await self._store.read(partial(cases.get, case_no=number))
        return self._book.read(row) if row is not None else None

    async def log(self, case_no: str) -> tuple[CaseEvent, ...]:
        """Return what happened to a case, oldest first."""
        rows = await self._store.read(partial(cases.events, case_no=case_no))
        return tuple(open_event(self._sealer, row.body) for row in rows)
