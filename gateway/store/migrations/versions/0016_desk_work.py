"""The desk's work: drafts, replies at hand, saved views."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "desk_draft",
        sa.Column("conversation", ID, primary_key=True),
        sa.Column("agent", ID, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_desk_draft_at", "desk_draft", ["at"])
    op.create_table(
        "canned",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "desk_view",
        sa.Column("id", ID, primary_key=True),
        sa.Column("owner", ID, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_desk_view_owner", "desk_view", ["owner"])
