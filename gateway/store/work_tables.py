"""The tables of the desk's work: drafts, the replies at hand, saved views, and what words are found by.

Times are milliseconds since the epoch, UTC; what a citizen or an agent wrote is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

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

SEARCH_DOC = Table(
    "search_doc",
    METADATA,
    Column("id", Instant, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("conversation", Id),
    Column("at", Instant, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("uq_search_doc_ref", "ref", unique=True),
)
"""What can be found: ``kind`` is inbox, outgoing, case or file, ``ref`` its id there (a case's number, a file's key); ``digest`` is
a keyed hash of what was indexed, so that nothing is indexed anew that says the same."""

SEARCH_GRAM = Table(
    "search_gram",
    METADATA,
    Column("gram", Integer, primary_key=True, autoincrement=False),
    Column("doc", Instant, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Which two characters stand side by side where: ``gram`` is 32 bits of a keyed hash of them."""

SEARCH_MARK = Table(
    "search_mark",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""How far each table was indexed: an id of its rows."""

RESTRICTION = Table(
    "restriction",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("conversation", Id, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("agent", Id, nullable=False),
    Column("approver", Id),
    Column("at", Instant, nullable=False),
    Column("hours", SmallInteger, nullable=False),
    Column("until", Instant),
    Column("note", LargeBinary),
    Index("ix_restriction_conversation_at", "conversation", "at"),
    Index("ix_restriction_state", "state"),
)
"""The ladder against abuse (domain.md 1.11): ``state`` is noted, proposed, active, superseded, refused or lifted; what is
active ends by itself at ``until``. Each step is an event of the desk too, which nobody changes. ``note`` is sealed."""

DESK_MERGE = Table(
    "desk_merge",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("one", Text, nullable=False),
    Column("into", Text, nullable=False),
    Column("agent", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),
    Index("ix_desk_merge_one", "one"),
    Index("ix_desk_merge_into", "into"),
)
"""What was joined to what: talks (their ids in hexadecimal) or cases (their numbers), and whether it was undone."""
