"""Who was called by a colleague in a note of the desk, until he has seen it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "desk_mention",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("conversation", ID, nullable=False),
        sa.Column("agent", ID, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("seen_at", INSTANT),
    )
    unseen = sa.text("seen_at IS NULL")
    op.create_index(
        "ix_desk_mention_agent", "desk_mention", ["agent"], sqlite_where=unseen, postgresql_where=unseen
    )
