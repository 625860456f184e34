"""Mail and SMS: names of messages with their receipts, long messages in parts, conversations of one person."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SENT = sa.text("outgoing IS NOT NULL")
OPEN = sa.text("NOT done")


def upgrade() -> None:
    op.add_column("conversation", sa.Column("thread", sa.LargeBinary(), nullable=True))
    op.create_table(
        "sent_as",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outgoing", sa.LargeBinary(length=16), nullable=True),
        sa.Column("case_no", sa.Text(), nullable=False, server_default=""),
        sa.Column("delivery", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("account", "name", name=("pk_sent_as")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sent_as_outgoing", "sent_as", ["outgoing"], sqlite_where=SENT, postgresql_where=SENT)
    op.create_table(
        "binding",
        sa.Column("conversation", sa.LargeBinary(length=16), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("conversation", name=("pk_binding")),
    )
    op.create_index("ix_binding_person", "binding", ["person"])
    op.create_table(
        "bind_code",
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("conversation", sa.LargeBinary(length=16), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("code", name=("pk_bind_code")),
    )
    op.create_table(
        "long_part",
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("message", "external_id", name=("pk_long_part")),
    )
    op.create_index(
        "ix_long_part_account_received_at",
        "long_part",
        ["account", "received_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
