"""The tables of the desk: who works there, who is there now, who holds which talk, and what happened.

Who owns a conversation and its epoch stand in ``conversation`` and nowhere else; ``desk_talk`` says the rest. Times are
milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from outbox.tables import METADATA, Id, Instant

_waits = text("rank IS NOT NULL")
_held = text("agent IS NOT NULL")
_due = text("due_at IS NOT NULL")
_unseen = text("seen_at IS NULL")

AGENT = Table(
    "agent",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("one_time", Boolean, nullable=False),
    Column("totp", LargeBinary),
    Column("totp_step", Integer, nullable=False),
    Column("failures", SmallInteger, nullable=False),
    Column("locked_until", Instant, nullable=False),
    Column("session_version", Integer, nullable=False),
    Column("skills", Text, nullable=False),
    Column("groups", Text, nullable=False),
    Column("capacity", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("assigned_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("subject", LargeBinary),
    Index("ix_agent_subject", "subject", unique=True),
)
"""``password`` is an argon2id hash, ``totp`` the sealed secret, ``totp_step`` the last time step that was used (no code
twice); ``session_version`` grows when every session must end; ``skills`` and ``groups`` are words between blanks;
``capacity`` is how many chats at once; ``state`` is what the agent chose: online, busy or away; ``subject`` is a keyed
hash of who the provider of single sign-on says that it is, once that was said."""

PRESENCE = Table(
    "agent_presence",
    METADATA,
    Column("agent", Id, primary_key=True),
    Column("tab", Text, primary_key=True),
    Column("until", Instant, nullable=False),
)
"""One lease for each open tab; an agent is there while one of them runs."""

DESK_TALK = Table(
    "desk_talk",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("agent", Id),
    Column("rank", Instant),
    Column("only_for", Id),
    Column("weight", SmallInteger, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("waiting_since", Instant),
    Column("clock", Text, nullable=False),
    Column("due_at", Instant),
    Column("last_agent", Id),
    Column("last_at", Instant),
    Column("refused", LargeBinary),
    Index("ix_desk_talk_rank", "rank", sqlite_where=_waits, postgresql_where=_waits),
    Index("ix_desk_talk_agent", "agent", sqlite_where=_held, postgresql_where=_held),
    Index("ix_desk_talk_due_at", "due_at", sqlite_where=_due, postgresql_where=_due),
)
"""``agent`` is set exactly while a talk is offered, an agent's or wrapped up; ``rank`` exactly while it is queued:
``enqueued_at`` less its boost. ``only_for`` is whom it was transferred to; ``weight`` is in fifths of a chat;
``waiting_since`` is the citizen's first message that nobody answered; ``clock`` is the one clock that runs, and
``due_at`` when it strikes: every move sets both, so that no clock outlives its state; ``refused`` is who declined last."""

DESK_EVENT = Table(
    "desk_event",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("conversation", Id),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("agent", Id),
    Column("actor", Id),
    Column("detail", Text, nullable=False),
    Column("note", LargeBinary),
    Index("ix_desk_event_conversation_id", "conversation", "id"),
)
"""What happened at the desk, append-only. ``id`` is given under one lock that is held until the commit, so ids become
visible in their order and a reader that has seen one has missed none before it. ``agent`` holds the talk afterwards,
``actor`` did it (NULL: the system or the citizen); ``detail`` is a word of the program, ``note`` is sealed."""

DESK_SESSION = Table(
    "desk_session",
    METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("agent", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("hint", LargeBinary),
    Column("sid", LargeBinary),
    Index("ix_desk_session_used_at", "used_at"),
    Index("ix_desk_session_sid", "sid"),
    Index("ix_desk_session_agent", "agent"),
)
"""Who is logged in at the desk: ``id`` is a keyed hash of what the browser keeps; ``version`` is the account's
``session_version`` at the login, and another one there ends this session; ``used_at`` is when a person last did
something; ``hint`` is there exactly when the login was by single sign-on: the sealed ID token, to log out there too; ``sid`` is a keyed hash of the provider's session that began it, NULL where
it told none."""

DESK_VIEWER = Table(
    "desk_viewer",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("agent", Id, primary_key=True),
    Column("typing", Boolean, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Who looks at which talk, and writes there, until when."""

SERVICE_RATING = Table(
    "service_rating",
    METADATA,
    Column("conversation", Id, primary_key=True),
    Column("began_at", Instant, primary_key=True, autoincrement=False),
    Column("agent", Id, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("score", SmallInteger),
    Column("rated_at", Instant),
    Index("ix_service_rating_asked_at", "asked_at"),
)
"""What a citizen says of the service that a person gave him. ``began_at`` is when he came into the queue, which one
service keeps through every transfer, so that the key asks once for it; ``agent`` is who ended it; ``score`` is 5 to 1,
NULL while he has said nothing (which is no rating, domain.md 1.8)."""
DESK_MENTION = Table(
    "desk_mention",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("conversation", Id, nullable=False),
    Column("agent", Id, nullable=False),
    Column("actor", Id, nullable=False),
    Column("seen_at", Instant),
    Index("ix_desk_mention_agent", "agent", sqlite_where=_unseen, postgresql_where=_unseen),
)
"""Who was called by a colleague (``actor``) in a note; it is an alert of his until he has seen it."""
