"""The web: what was submitted, so that a second click opens no second case, and what pages remember."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "submission",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=("pk_submission")),
    )
    op.create_index("ix_submission_at", "submission", ["at"])
    op.create_table(
        "web_session",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_web_session")),
    )
    op.create_index("ix_web_session_until", "web_session", ["until"])
