"""Conversations that a provider knows as one person's across several apps."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "same_person",
        sa.Column("conversation", sa.LargeBinary(16), primary_key=True),
        sa.Column("person", sa.LargeBinary(16)),
        sa.Column("at", instant, nullable=False),
    )
    op.create_index("ix_same_person_person", "same_person", ["person"])
