"""The ladder against abuse, what was merged, and the cases by their time limits."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "restriction",
        sa.Column("id", ID, primary_key=True),
        sa.Column("conversation", ID, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("agent", ID, nullable=False),
        sa.Column("approver", ID),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("hours", sa.SmallInteger, nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("note", sa.LargeBinary),
    )
    op.create_index("ix_restriction_conversation_at", "restriction", ["conversation", "at"])
    op.create_index("ix_restriction_state", "restriction", ["state"])
    op.create_table(
        "desk_merge",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("one", sa.Text, nullable=False),
        sa.Column("into", sa.Text, nullable=False),
        sa.Column("agent", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("undone_at", INSTANT),
    )
    op.create_index("ix_desk_merge_one", "desk_merge", ["one"])
    op.create_index("ix_desk_merge_into", "desk_merge", ["into"])
    timed = sa.text("deadline_at IS NOT NULL")
    op.create_index(
        "ix_cases_deadline_at", "cases", ["deadline_at"], sqlite_where=timed, postgresql_where=timed
    )
