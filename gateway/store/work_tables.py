"""The tables of the desk's work: drafts, the replies at hand, saved views.

Times are milliseconds since the epoch, UTC; what a citizen or an agent wrote is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from outbox.tables import METADATA, Id, Instant

DESK_DRAFT = Table(
    "desk_draft",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("agent", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_desk_draft_at", "at"),
)
"""What an agent has begun to write in a talk: his own, whoever has the talk meanwhile (T24); ``body`` is sealed JSON."""

CANNED = Table(
    "canned",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)
"""Replies and macros at hand; ``body`` is the whole of one as JSON, which holds nothing personal and is not sealed."""

DESK_VIEW = Table(
    "desk_view",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("owner", Id, nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_desk_view_owner", "owner"),
)
"""Saved views: ``scope`` is own, or the word of a group, or all; ``body`` is what the view shows, as JSON."""
