"""The portal: counts behind its limits, followers of cases, wishes about one's data, and near cases by category."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.LargeBinary(length=16)


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=("pk_tally")),
    )
    op.create_index("ix_tally_until", "tally", ["until"])
    op.create_table(
        "follow",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("conversation", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("case_no", "conversation", name=("pk_follow")),
    )
    untold = sa.text("NOT told")
    op.create_index("ix_follow_untold", "follow", ["case_no"], sqlite_where=untold, postgresql_where=untold)
    op.create_index("ix_follow_conversation", "follow", ["conversation"])
    op.create_table(
        "data_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("conversation", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_data_request")),
    )
    op.create_index("ix_data_request_conversation", "data_request", ["conversation"])
    op.create_index("ix_cases_category_created_at", "cases", ["category", "created_at"])
