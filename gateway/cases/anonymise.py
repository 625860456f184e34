"""Makes a case anonymous whose record's time is over: its figures stay, and its log is chained anew, in the open."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.cases.book import chain
from gateway.store import anonymised, cases
from gateway.store.bodies import open_case, open_event, seal_case, seal_event
from normalizer.anonymous import anonymous, anonymous_event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.rows import EventRow
    from gateway.store.seal import Sealer

_CODE_BYTES = 32


def anonymise(connection: Connection, case_no: str, sealer: Sealer, now: int) -> None:
    """Make an ended case anonymous that stands locked; ``now`` in milliseconds."""
    row = cases.get(connection, case_no)
    assert row is not None
    log, head = _rewritten(cases.events(connection, case_no), sealer)
    case = anonymous(open_case(sealer, row.body))
    fresh = row._replace(
        conversation=None,
        query_code=os.urandom(_CODE_BYTES),
        phone_hash=None,
        check_at=None,
        rev=row.rev + 1,
        head=head,
        body=seal_case(sealer, replace(case, rev=row.rev + 1)),
    )
    anonymised.rewrite(connection, row.head, fresh, log, now)


def _rewritten(log: list[EventRow], sealer: Sealer) -> tuple[list[EventRow], bytes]:
    head, rows = b"", []
    for event in log:
        body = seal_event(sealer, anonymous_event(open_event(sealer, event.body)))
        head = chain(head, event._replace(body=body))
        rows.append(event._replace(body=body, hash=head))
    return rows, head
