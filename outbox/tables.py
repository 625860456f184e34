"""The tables of what we owe: one row per outgoing message, one per attempt to send it.

Times are milliseconds since the epoch, UTC; ids are UUIDv7 bytes, so their order is the order of promises.
``METADATA`` is the one of the whole program; ``gateway.store.tables`` adds to it.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    literal_column,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

Id = LargeBinary(16)
Instant = BigInteger().with_variant(Integer, "sqlite")


class OutState(StrEnum):
    """Where an outgoing row stands.

    queued → sending → sent | queued (retry) | unknown | dead. A passive reply begins as sent, in a flight; one that
    was not seen to reach the network becomes passive, and then sent, queued or unknown;
    a receipt makes sent or unknown delivered or undelivered, and later ones change no more; a person revives a dead,
    unknown or undelivered row to queued, or buries it. ``stale`` was written under an older owner; ``moved`` goes to
    another address of the same person, in a row of its own; ``told`` was told by a person who called.
    """

    QUEUED = "queued"
    PASSIVE = "passive"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"
    DEAD = "dead"
    BURIED = "buried"
    STALE = "stale"
    MOVED = "moved"
    TOLD = "told"


def literal(state: OutState) -> ColumnElement[str]:
    """Return a state as SQL sees it without a parameter: only so does SQLite know that a partial index will do."""
    return literal_column(f"'{state.value}'", Text)


QUEUED = literal(OutState.QUEUED)
LOST = tuple(literal(state) for state in (OutState.DEAD, OutState.UNDELIVERED))
UNSETTLED = tuple(literal(state) for state in (OutState.QUEUED, OutState.PASSIVE, OutState.SENDING))
_keyed = text("notice_key IS NOT NULL")
_unsettled = text("state IN ('queued', 'passive', 'sending')")
_queued = text("state = 'queued'")
_lost = text("state IN ('dead', 'undelivered')")
_web = text("account = 'web'")
"""Only talks of our own pages are read from here; no other channel pays for the index."""

_unprompted = text("notice <> 'reply'")

OUTGOING = Table(
    "outgoing",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("conversation", Id, nullable=False),
    Column("account", Text, nullable=False),
    Column("case_no", Text, nullable=False, server_default=""),
    Column("notice", Text, nullable=False),
    Column("notice_key", Text),
    Column("epoch", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("route", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("next_at", Instant, nullable=False),
    Column("lease_until", Instant, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("fields", LargeBinary),
    Index(
        "ix_outgoing_unsettled",
        "conversation",
        "id",
        sqlite_where=_unsettled,
        postgresql_where=_unsettled,
    ),
    Index("ix_outgoing_lost", "id", sqlite_where=_lost, postgresql_where=_lost),
    Index("ix_outgoing_talk", "conversation", "id", sqlite_where=_web, postgresql_where=_web),
    Index(
        "ix_outgoing_unprompted", "conversation", "id", sqlite_where=_unprompted, postgresql_where=_unprompted
    ),
    Index("ix_outgoing_queued", "next_at", sqlite_where=_queued, postgresql_where=_queued),
    Index(
        "uq_outgoing_notice_key",
        "notice_key",
        unique=True,
        sqlite_where=_keyed,
        postgresql_where=_keyed,
    ),
    sqlite_with_rowid=False,
)
"""``body`` is the sealed text, ``fields`` what a notice was made of, sealed, to be worded anew for another way; ``notice`` is "reply" or a notice kind; ``epoch`` the owner it was written under."""

FLIGHT = Table(
    "flight",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("lease_until", Instant, nullable=False),
    Column("members", LargeBinary, nullable=False),
)
"""Passive replies that one batch gave and that are sent on trust until all have reached the network; then the row goes.

``members`` are their conversations and ids by turns, 16 bytes each. A row that outlives its lease is a crash's, and its
replies are unknown.
"""

ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("outgoing", Id, primary_key=True),
    Column("n", SmallInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("route", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)

CONSENT = Table(
    "consent",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("template", Text, primary_key=True),
    Column("count", Integer),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
"""Who agreed to be sent which template of a provider: so many messages, or (NULL) until he agrees no more."""

_sent = text("outgoing IS NOT NULL")

SENT_AS = Table(
    "sent_as",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("outgoing", Id),
    Column("case_no", Text, nullable=False, server_default=""),
    Column("delivery", Text, nullable=False, server_default=""),
    Column("at", Instant, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Index("ix_sent_as_outgoing", "outgoing", sqlite_where=_sent, postgresql_where=_sent),
    sqlite_with_rowid=False,
)
"""What providers call messages: a row for each part of what we sent, with the receipt that came for it (perhaps
before the send was noted: then without ``outgoing``), and for each mail received that opened or moved a case."""
