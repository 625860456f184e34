"""Cases made anonymous: the one act that may rewrite a log, in one commit, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from gateway.store import unindex
from gateway.store.tables import ANONYMISED, CASE_EVENT, CASES, FOLLOW, MEDIA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from gateway.store.rows import CaseRow, EventRow


def rewrite(connection: Connection, before: bytes, row: CaseRow, log: Sequence[EventRow], now: int) -> None:
    """Write a case and its log anew, and let go what else leads to people; ``before`` is the log's hash until now."""
    here = ANONYMISED.c.case_no == row.case_no
    connection.execute(insert(ANONYMISED).values(case_no=row.case_no, head=before, at=None))
    for event in log:
        line = (CASE_EVENT.c.case_no == event.case_no, CASE_EVENT.c.seq == event.seq)
        connection.execute(update(CASE_EVENT).where(*line).values(body=event.body, hash=event.hash))
    connection.execute(update(CASES).where(CASES.c.case_no == row.case_no).values(row._asdict()))
    connection.execute(delete(FOLLOW).where(FOLLOW.c.case_no == row.case_no))
    connection.execute(update(MEDIA).where(MEDIA.c.owner == row.case_no).values(expires_at=now))
    unindex.drop_said(connection, [row.case_no.encode()])
    connection.execute(update(ANONYMISED).where(here).values(at=now))


def count(connection: Connection) -> int:
    """Return how many cases were made anonymous."""
    return int(connection.execute(select(func.count()).select_from(ANONYMISED)).scalar_one())
