"""The tables of the spine: what came in, who is talking, and what is known of this installation. All others are named here too.

Times are milliseconds since the epoch, UTC. A column named ``body``, ``address``, ``state`` or ``note`` that is
binary is sealed (gateway.store.seal). A conversation's id is a keyed hash of account and sender, so nothing
personal is needed to find it.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text, false, text

from gateway.store.case_tables import CASE_EVENT, CASE_FLAG, CASES, CODE_TRY, FOLLOW, LOOK, SUBMISSION
from gateway.store.desk_tables import (
    AGENT,
    DESK_EVENT,
    DESK_SESSION,
    DESK_TALK,
    DESK_VIEWER,
    PRESENCE,
    SERVICE_RATING,
)
from gateway.store.file_tables import MEDIA, SHORT_LINK, UPLOAD, UPLOAD_PIECE, UPLOADED, WANTED
from gateway.store.knowledge_tables import KNOWLEDGE, KNOWLEDGE_GAP, KNOWLEDGE_LOG, KNOWLEDGE_VOTE
from gateway.store.person_tables import (
    BIND_CODE,
    BINDING,
    DATA_REQUEST,
    ERASED,
    SAME_PERSON,
    TALLY,
    WEB_SESSION,
)
from gateway.store.retention_tables import ANONYMISED, FORGETTING
from gateway.store.work_tables import (
    CANNED,
    DESK_DRAFT,
    DESK_MERGE,
    DESK_VIEW,
    RESTRICTION,
    SEARCH_DOC,
    SEARCH_GRAM,
    SEARCH_MARK,
)
from outbox.tables import ATTEMPT, METADATA, OUTGOING, SENT_AS, Id, Instant

__all__ = [
    "ACCESS",
    "AGENT",
    "ALERT",
    "ANONYMISED",
    "ATTEMPT",
    "BINDING",
    "BIND_CODE",
    "CANNED",
    "CASES",
    "CASE_EVENT",
    "CASE_FLAG",
    "CODE_TRY",
    "CONVERSATION",
    "COUNTER",
    "DATA_REQUEST",
    "DESK_DRAFT",
    "DESK_EVENT",
    "DESK_MERGE",
    "DESK_SESSION",
    "DESK_TALK",
    "DESK_VIEW",
    "DESK_VIEWER",
    "ERASED",
    "FOLLOW",
    "FORGETTING",
    "INBOX",
    "KEPT",
    "KNOWLEDGE",
    "KNOWLEDGE_GAP",
    "KNOWLEDGE_LOG",
    "KNOWLEDGE_VOTE",
    "LONG_PART",
    "LOOK",
    "MEDIA",
    "METADATA",
    "OUTGOING",
    "PRESENCE",
    "RESTRICTION",
    "SAME_PERSON",
    "SEARCH_DOC",
    "SEARCH_GRAM",
    "SEARCH_MARK",
    "SENT_AS",
    "SERVICE_RATING",
    "SHORT_LINK",
    "SUBMISSION",
    "TALLY",
    "UPLOAD",
    "UPLOADED",
    "UPLOAD_PIECE",
    "WANTED",
    "WEB_SESSION",
]

_waiting = text("state = 'waiting'")
_web = text("account = 'web'")
_unanswered = text("reply IS NULL")
_open = text("NOT done")
_queued = text("owner = 'queued'")

INBOX = Table(
    "inbox",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("conversation", Id, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("reply", Id),
    Column("case_no", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("uq_inbox_external_id_conversation", "external_id", "conversation", unique=True),
    Index("ix_inbox_waiting", "id", sqlite_where=_waiting, postgresql_where=_waiting),
    Index("ix_inbox_talk", "conversation", "id", sqlite_where=_web, postgresql_where=_web),
    Index(
        "ix_inbox_unanswered", "conversation", "id", sqlite_where=_unanswered, postgresql_where=_unanswered
    ),
    sqlite_with_rowid=False,
)
"""``state`` is done, waiting or failed; ``reply`` is the outgoing row that answers it.

The key begins with the provider's id, which mostly ascends: a page of the index is then written once for many rows.
"""

CONVERSATION = Table(
    "conversation",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("owner", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("waiting", SmallInteger, nullable=False),
    Column("window_until", Instant, nullable=False),
    Column("window_left", Integer),
    Column("opted_out", Boolean, nullable=False, server_default=false()),
    Column("last_in_at", Instant, nullable=False),
    Column("enqueued_at", Instant),
    Column("skill", Text, nullable=False, server_default=""),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("note", LargeBinary),
    Column("thread", LargeBinary),
    Index("ix_conversation_enqueued_at", "enqueued_at", sqlite_where=_queued, postgresql_where=_queued),
)
"""``owner``/``epoch`` say who talks (bots.contract.Owner); ``window_*`` is the leave the channel gives us to
write; ``waiting`` counts messages accepted and not yet turned; ``note`` is what the handoff carries; ``thread``
what the channel noted of the last message, to answer in its thread."""

COUNTER = Table(
    "counter",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

ALERT = Table(
    "alert",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("conversation", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("word", Text, nullable=False),
    Column("acknowledged_at", Instant),
)
"""Somebody may be in danger (domain.md 4.3)."""

ACCESS = Table(
    "access",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
)
"""Full views of personal data, each a logged act (domain.md 1.10); ``actor`` as ``gateway.actors`` writes it."""

KEPT = Table(
    "kept",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about this installation, such as the mark by which its key is recognised."""

LONG_PART = Table(
    "long_part",
    METADATA,
    Column("message", LargeBinary, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(
        "ix_long_part_account_received_at",
        "account",
        "received_at",
        sqlite_where=_open,
        postgresql_where=_open,
    ),
)
"""Parts of long messages (SMS); ``message`` is a keyed hash of account, sender, reference and total; done ones are
kept for a while, so that a part brought again starts nothing."""

READ_TO = Table(
    "read_to",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)
"""How far the accounts were read whose providers keep messages until they are asked for them."""
