"""Passive replies that are on their way, a row for each batch."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "flight",
        sa.Column("id", ID, primary_key=True),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
    )
