"""Archives a case whose files' time is over (domain.md 3.2, row 35): it stays, and nothing moves it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cases.service import CLOCK, Moved
from gateway.store import cases
from gateway.store.rows import Rows
from normalizer.case import Command, Verb
from normalizer.moves import advance

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook


def archive(connection: Connection, case_no: str, book: CaseBook, now: datetime) -> None:
    """Move a closed case to the archive that stands locked; nobody is told."""
    before = cases.get(connection, case_no)
    assert before is not None
    case, event = advance(book.read(before), Command(Verb.ARCHIVE, CLOCK), now)
    rows = Rows()
    book.moved(Moved(case, (event,), (), None), before, rows)
    cases.save(connection, rows)
