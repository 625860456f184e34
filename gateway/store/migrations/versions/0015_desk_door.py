"""The desk's sessions, who looks at which talk, and the way to what a person wrote and was written."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "desk_session",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("agent", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
    )
    op.create_index("ix_desk_session_used_at", "desk_session", ["used_at"])
    op.create_table(
        "desk_viewer",
        sa.Column("conversation", ID, primary_key=True),
        sa.Column("agent", ID, primary_key=True),
        sa.Column("typing", sa.Boolean, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
    )
    for name, table, where in (
        ("ix_inbox_unanswered", "inbox", "reply IS NULL"),
        ("ix_outgoing_unprompted", "outgoing", "notice <> 'reply'"),
    ):
        op.create_index(
            name,
            table,
            ["conversation", "id"],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
