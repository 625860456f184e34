"""Under which names providers have files of ours, so that each is brought there once in three days."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "uploaded",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("file", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("until", instant, nullable=False),
    )
