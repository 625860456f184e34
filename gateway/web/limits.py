"""How often something may be done in an hour or a day, counted in the database, so that no restart forgets it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store import tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.store.seal import Sealer
    from gateway.store.store import Store

HOUR, DAY = 3_600_000, 86_400_000
REPORTS_A_DAY, REPORTS_AN_HOUR = 20, 120
"""Reports that one browser, app or telephone may submit in a day, and one address, which many may share, in an hour."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So often may somebody do something within a span (milliseconds)."""

    what: str
    who: str
    most: int
    span: int


def reports(who: str, address: str) -> tuple[Limit, Limit]:
    """Return the limits of reports, by pages and apps alike (domain.md 1.11)."""
    return (
        Limit("report by", who, REPORTS_A_DAY, DAY),
        Limit("report from", address, REPORTS_AN_HOUR, HOUR),
    )


class Limits:
    """Counts what people do against limits; who did it is kept as a keyed hash."""

    def __init__(self, *, store: Store, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now

    async def over(self, *limits: Limit) -> bool:
        """Count once against every limit; return whether one of them is passed, and then count nothing."""
        try:
            await self._store.write(partial(self._count, limits=limits))
        except _OverError:
            return True
        return False

    def _count(self, connection: Connection, limits: Sequence[Limit]) -> None:
        now = millis(self._now())
        by_hash = {self._sealer.hash(f"{limit.what} {limit.who}"): limit for limit in limits}
        # One order for all, so that two countings never wait for one another.
        for subject in sorted(by_hash):
            limit = by_hash[subject]
            if tally.count(connection, subject, span=limit.span, now=now) > limit.most:
                raise _OverError


class _OverError(Exception):
    """A limit is passed; what was counted is taken back."""
