"""The tables of files: whose they are, where they are still to be had, and how they come in pieces.

Times are milliseconds since the epoch, UTC; a column that holds what is personal is sealed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, SmallInteger, Table, Text, text

from outbox.tables import METADATA, Id, Instant

_wanted = text("state = 'wanted'")
_missing = text("state != 'stored'")
_unread = text("words IS NULL")
_expiring = text("expires_at IS NOT NULL")

Size = BigInteger().with_variant(Integer, "sqlite")

MEDIA = Table(
    "media",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size", Size, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("seconds", Float),
    Column("scan", Text, nullable=False),
    Column("copies", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("body", LargeBinary, nullable=False),
    Column("words", LargeBinary),
    Column("noted", Id),
    Index("ix_media_key", "key"),
    Index("ix_media_noted", "noted"),
    Index("ix_media_created_at", "created_at", sqlite_where=_unread, postgresql_where=_unread),
    Index("ix_media_expires_at", "expires_at", sqlite_where=_expiring, postgresql_where=_expiring),
)
"""Whose file it is and what it is: ``owner`` is a draft, a conversation or a case number; ``copies`` names the copies
made of it (JSON: variant to key and media type); ``body`` holds its name, SHA-256, place and time, sealed; ``words``
what was read in it, ``noted`` an id (UUIDv7) of when its name or its words came. ``expires_at`` is set until somebody
attaches it to something."""

SHORT_LINK = Table(
    "short_link",
    METADATA,
    Column("number", Instant, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_short_link_until", "until"),
)
"""What a short link leads to, which copy of whose file; the link itself is the number, signed."""

WANTED = Table(
    "wanted",
    METADATA,
    Column("ref", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("conversation", Id, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", SmallInteger, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_wanted_case_no", "case_no", sqlite_where=_missing, postgresql_where=_missing),
    Index("ix_wanted_next_at", "next_at", sqlite_where=_wanted, postgresql_where=_wanted),
)
"""Files that people sent and that their providers keep: ``state`` is wanted, stored (``key`` names it in ``media``) or
lost (``reason`` says why). ``ref`` is what messages and cases know the file by; ``next_at`` is when it is asked for
next, or until when somebody has it in hand; ``body`` is the part of the message, sealed."""

UPLOADED = Table(
    "uploaded",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Under which name a provider has a file of ours, and until when."""

UPLOAD = Table(
    "upload",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("size", Size, nullable=False),
    Column("received", Size, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_upload_owner", "owner"),
    Index("ix_upload_expires_at", "expires_at"),
)
"""Uploads in pieces (tus): ``state`` is open, done or refused (``reason``: which rule it broke); ``body`` is sealed."""

UPLOAD_PIECE = Table(
    "upload_piece",
    METADATA,
    Column("upload", Id, primary_key=True),
    Column("at", Size, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
)
"""The pieces of an upload that are durable, by where they begin; ``name`` is where each lies on the shelf."""
