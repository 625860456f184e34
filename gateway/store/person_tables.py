"""The tables of people: whose talks are one person's, what pages remember of him, and what he wishes of his data.

Times are milliseconds since the epoch, UTC; a column that holds what is personal is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from outbox.tables import METADATA, Id, Instant

BINDING = Table(
    "binding",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("person", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_binding_person", "person"),
)
"""Which conversations are one person's: ``person`` is a keyed hash of a telephone number that each of them proved."""

SAME_PERSON = Table(
    "same_person",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("person", Id),
    Column("at", Instant, nullable=False),
    Index("ix_same_person_person", "person"),
)
"""Who a provider says that the person of a conversation is, across several apps of one owner (a keyed hash; NULL: it
does not say). What follows of it stands in ``binding``."""

BIND_CODE = Table(
    "bind_code",
    METADATA,
    Column("code", LargeBinary, primary_key=True),
    Column("conversation", Id, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Codes given out in one conversation, to be sent from the telephone it shall be bound to (domain.md 4.4, YZ)."""

WEB_SESSION = Table(
    "web_session",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("until", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_web_session_until", "until"),
)
"""What pages remember of who sits at them (a draft, a proved telephone), sealed; ``id`` is the session's conversation."""

TALLY = Table(
    "tally",
    METADATA,
    Column("subject", LargeBinary, primary_key=True),
    Column("until", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Index("ix_tally_until", "until"),
)
"""How often something was done by somebody (a keyed hash of both) in a span that ends at ``until``."""

DATA_REQUEST = Table(
    "data_request",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("conversation", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("settled_at", Instant),
    Column("body", LargeBinary, nullable=False),
    Index("ix_data_request_conversation", "conversation"),
)
"""What people want done with their data (PIPL 45-47), for a person to settle; ``state`` is open, done or refused."""

ERASED = Table(
    "erased",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""Whose wish to be deleted was carried out, and when: what was said before is not found by words nor joined anew."""
