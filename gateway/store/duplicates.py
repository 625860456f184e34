"""Open cases of one category, for what is reported to be compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gateway.store.rows import CaseRow
from gateway.store.tables import CASES
from normalizer.case import OPEN
from normalizer.codes import Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

_OPEN = tuple(stage.value for stage in OPEN)


def query(category: str, since: int, limit: int) -> Select[Any]:
    """Return the question: it is served by ix_cases_category_created_at."""
    near = (
        CASES.c.category == category,
        CASES.c.created_at >= since,
        CASES.c.stage.in_(_OPEN),
        CASES.c.kind != Kind.REPORT.value,
    )
    return select(CASES).where(*near).order_by(CASES.c.created_at.desc()).limit(limit)


def near(connection: Connection, category: str, since: int, limit: int) -> list[CaseRow]:
    """Return the newest open cases of a category, reports of wrongdoing never among them."""
    return [CaseRow(*row) for row in connection.execute(query(category, since, limit))]
