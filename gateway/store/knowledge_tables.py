"""The tables of the knowledge base, and of the questions that it did not answer.

Times are milliseconds since the epoch, UTC; a column that holds what is personal is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from outbox.tables import METADATA, Id, Instant

KNOWLEDGE = Table(
    "knowledge",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)
"""Entries as they stand; ``body`` is the whole entry as JSON, which holds nothing personal and is not sealed."""

KNOWLEDGE_LOG = Table(
    "knowledge_log",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
)
"""Every version an entry has had."""

KNOWLEDGE_VOTE = Table(
    "knowledge_vote",
    METADATA,
    Column("entry", Text, primary_key=True),
    Column("helpful", Integer, nullable=False),
    Column("unhelpful", Integer, nullable=False),
)
"""How often an answer solved the matter, and how often it did not."""

KNOWLEDGE_GAP = Table(
    "knowledge_gap",
    METADATA,
    Column("question", Id, primary_key=True),
    Column("asked", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Questions that found no answer, and how often each was put. ``question`` is a keyed hash of its words; they stand
sealed in ``body`` with personal data masked, for a name may be left in them."""
