"""Files that people sent and that are still to be fetched from their providers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STILL = sa.text("state = 'wanted'")


def upgrade() -> None:
    op.create_table(
        "wanted",
        sa.Column("ref", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("conversation", sa.LargeBinary(16), nullable=False),
        sa.Column("case_no", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_wanted_next_at", "wanted", ["next_at"], sqlite_where=STILL, postgresql_where=STILL)
