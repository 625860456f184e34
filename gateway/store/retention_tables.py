"""The tables of forgetting: how far a pass is, and which cases were made anonymous.

Times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from outbox.tables import METADATA, Instant

FORGETTING = Table(
    "forgetting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("walk", Text, nullable=False),
    Column("after", LargeBinary, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("through", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("gone", Integer, nullable=False),
)
"""The one pass through all that may be over: ``walk`` is the table at hand and ``after`` the key up to which it was
looked through, so that a pass goes on where a kill left it; ``gone`` counts what went. It looks at what came before
``through``: where somebody had all deleted, that is when it began. ``ended_at`` is NULL while it is under way."""

ANONYMISED = Table(
    "anonymised",
    METADATA,
    Column("case_no", Text, primary_key=True),
    Column("head", LargeBinary, nullable=False),
    Column("at", Instant),
)
"""Cases whose record is over: what is kept of them says nothing of anybody. ``head`` is the hash with which the log
ended before; ``at`` is NULL only inside the commit that rewrites the log, and the trigger lets that one pass."""
