"""The calls to make: people whom no message reached, or who wish to be called (domain.md 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from outbox.notices import NoticeKind
from outbox.queue import clean
from outbox.tables import LOST, OUTGOING, OutState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row


def owed(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the notices of cases that did not get through, oldest first."""
    query = select(OUTGOING).where(*_OWED).order_by(OUTGOING.c.id).limit(limit)
    return connection.execute(query).all()


def told(connection: Connection, case_no: str, outcome: str) -> int:
    """Note that somebody told a citizen of his case by telephone, and return how many notices that settles."""
    change = update(OUTGOING).where(*_OWED, OUTGOING.c.case_no == case_no)
    return connection.execute(change.values(state=OutState.TOLD, outcome=clean(outcome))).rowcount


_OWED: tuple[ColumnElement[bool], ...] = (
    OUTGOING.c.state.in_(LOST),
    OUTGOING.c.case_no != "",
    OUTGOING.c.notice.in_(tuple(NoticeKind)),
)
