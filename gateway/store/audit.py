"""Does the log still say what was written? Each case's chain is followed from its first event to its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gateway.store.cases import chain_of, events
from gateway.store.tables import CASE_EVENT, CASES, INBOX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from gateway.store.rows import EventRow


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where the log was changed: the case, the event's number (0: the whole), and what is wrong."""

    case_no: str
    seq: int
    what: str


def breaches(connection: Connection, chain: Callable[[bytes, EventRow], bytes]) -> Iterator[Breach]:
    """Yield every breach found."""
    for case_no, head, _ in chain_of(connection):
        yield from _of_case(case_no, head, events(connection, case_no), chain)
    yield from _missing(connection)


def _of_case(
    case_no: str,
    head: bytes,
    log: list[EventRow],
    chain: Callable[[bytes, EventRow], bytes],
) -> Iterator[Breach]:
    at = b""
    for number, event in enumerate(log, 1):
        at = chain(at, event)
        if event.seq != number:
            yield Breach(case_no, event.seq, f"event {number} is missing")
            return
        if event.hash != at:
            yield Breach(case_no, event.seq, "the event was changed")
            return
    if at != head:
        yield Breach(case_no, len(log), "the log does not end where the case says")


def _missing(connection: Connection) -> Iterator[Breach]:
    """Cases that messages or events still speak of."""
    gone = CASES.c.case_no.is_(None)
    spoken = select(INBOX.c.case_no).outerjoin(CASES, CASES.c.case_no == INBOX.c.case_no)
    logged = select(CASE_EVENT.c.case_no).outerjoin(CASES, CASES.c.case_no == CASE_EVENT.c.case_no)
    query = spoken.where(gone, INBOX.c.case_no != "").union(logged.where(gone))
    for (case_no,) in connection.execute(query):
        yield Breach(case_no, 0, "the case is gone")


def counts(connection: Connection) -> tuple[int, int]:
    """Return how many cases and events there are."""
    cases = connection.execute(select(func.count()).select_from(CASES)).scalar_one()
    return cases, connection.execute(select(func.count()).select_from(CASE_EVENT)).scalar_one()
