"""The tables of cases: the cases, their append-only log, and what is kept beside them.

Times are milliseconds since the epoch, UTC; a column that holds what is personal is sealed.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, false, text

from outbox.tables import METADATA, Id, Instant

_untold = text("NOT told")
_timed = text("deadline_at IS NOT NULL")

CASES = Table(
    "cases",
    METADATA,
    Column("case_no", Text, primary_key=True),
    Column("conversation", Id),
    Column("query_code", LargeBinary, nullable=False),
    Column("phone_hash", LargeBinary),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deadline_at", Instant),
    Column("check_at", Instant),
    Column("profile_version", Text, nullable=False),
    Column("rev", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_cases_conversation_created_at", "conversation", "created_at"),
    Index("ix_cases_created_at", "created_at"),
    Index("ix_cases_category_created_at", "category", "created_at"),
    Index("ix_cases_check_at", "check_at"),
    Index("ix_cases_phone_hash", "phone_hash"),
    Index("ix_cases_source_created_at", "source", "created_at"),
    Index("ix_cases_deadline_at", "deadline_at", sqlite_where=_timed, postgresql_where=_timed),
)
"""``query_code`` is a keyed hash; ``head`` is the hash of the last event; ``check_at`` is when supervision looks next."""

CASE_EVENT = Table(
    "case_event",
    METADATA,
    Column("case_no", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("verb", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_case_event_id", "id"),
    Index("ix_case_event_at", "at"),
    sqlite_with_rowid=False,
)
"""Append-only (a trigger refuses change); ``hash`` chains each event to the one before."""

CODE_TRY = Table(
    "code_try",
    METADATA,
    Column("subject", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("locked_until", Instant, nullable=False),
)
"""Wrong query codes by case and by sender (domain.md 2.3)."""

CASE_FLAG = Table(
    "case_flag",
    METADATA,
    Column("case_no", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""Marks on cases for who reviews them: who set it and what it advises, and what it is about."""

LOOK = Table(
    "look",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("label", Text, nullable=False),
)
"""Files that a provider looks at under a name, until both the case and the provider's word are known."""

FOLLOW = Table(
    "follow",
    METADATA,
    Column("case_no", Text, primary_key=True),
    Column("conversation", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("told", Boolean, nullable=False, server_default=false()),
    Index("ix_follow_conversation", "conversation"),
    Index("ix_follow_untold", "case_no", sqlite_where=_untold, postgresql_where=_untold),
)
"""Who follows whose case instead of reporting the same matter again; ``told`` once he knows how it ended."""

SUBMISSION = Table(
    "submission",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_submission_at", "at"),
)
"""What pages and neighbouring systems submitted, by a keyed hash of what makes it itself: a second click opens no
second case and is told the same number and query code (``body``, sealed)."""
