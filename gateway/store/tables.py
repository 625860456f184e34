"""The tables of the spine: what came in, who is talking, the cases and their log.

Times are milliseconds since the epoch, UTC. A column named ``body``, ``address``, ``state`` or ``note`` that is
binary is sealed (gateway.store.seal). A conversation's id is a keyed hash of account and sender, so nothing
personal is needed to find it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from gateway.store.desk_tables import (
    AGENT,
    DESK_EVENT,
    DESK_SESSION,
    DESK_TALK,
    DESK_VIEWER,
    PRESENCE,
    SERVICE_RATING,
)
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
_wanted = text("state = 'wanted'")
_missing = text("state != 'stored'")
_open = text("NOT done")
_untold = text("NOT told")
_queued = text("owner = 'queued'")
_unread = text("words IS NULL")
_timed = text("deadline_at IS NOT NULL")
_expiring = text("expires_at IS NOT NULL")

Size = BigInteger().with_variant(Integer, "sqlite")

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

COUNTER = Table(
    "counter",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

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
"""Full views of personal data, each a logged act (domain.md 1.10)."""

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

READ_TO = Table(
    "read_to",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)
"""How far the accounts were read whose providers keep messages until they are asked for them."""

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
