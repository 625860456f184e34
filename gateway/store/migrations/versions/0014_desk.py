"""The desk: its people, who is there, who holds which talk, and what happened."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "agent",
        sa.Column("id", ID, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("one_time", sa.Boolean, nullable=False),
        sa.Column("totp", sa.LargeBinary),
        sa.Column("totp_step", sa.Integer, nullable=False),
        sa.Column("failures", sa.SmallInteger, nullable=False),
        sa.Column("locked_until", INSTANT, nullable=False),
        sa.Column("session_version", sa.Integer, nullable=False),
        sa.Column("skills", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("capacity", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("assigned_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_table(
        "agent_presence",
        sa.Column("agent", ID, primary_key=True),
        sa.Column("tab", sa.Text, primary_key=True),
        sa.Column("until", INSTANT, nullable=False),
    )
    op.create_table(
        "desk_talk",
        sa.Column("conversation", ID, primary_key=True),
        sa.Column("agent", ID),
        sa.Column("rank", INSTANT),
        sa.Column("only_for", ID),
        sa.Column("weight", sa.SmallInteger, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("waiting_since", INSTANT),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("last_agent", ID),
        sa.Column("last_at", INSTANT),
        sa.Column("refused", sa.LargeBinary),
    )
    for column, where in (
        ("rank", "rank IS NOT NULL"),
        ("agent", "agent IS NOT NULL"),
        ("due_at", "due_at IS NOT NULL"),
    ):
        only = sa.text(where)
        op.create_index(
            f"ix_desk_talk_{column}", "desk_talk", [column], sqlite_where=only, postgresql_where=only
        )
    op.create_table(
        "desk_event",
        sa.Column("id", INSTANT, primary_key=True, autoincrement=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("conversation", ID),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("agent", ID),
        sa.Column("actor", ID),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("note", sa.LargeBinary),
    )
    op.create_index("ix_desk_event_conversation_id", "desk_event", ["conversation", "id"])
    # Who waits already goes on waiting, in the place he has.
    op.execute(
        "INSERT INTO desk_talk (conversation, rank, weight, held, clock)"
        " SELECT id, enqueued_at, 5, false, '' FROM conversation"
        " WHERE owner = 'queued' AND enqueued_at IS NOT NULL"
    )
