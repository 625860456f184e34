"""Talks of our own pages are found without looking through every message."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WEB = sa.text("account = 'web'")


def upgrade() -> None:
    for table in ("inbox", "outgoing"):
        columns = ["conversation", "id"]
        op.create_index(f"ix_{table}_talk", table, columns, sqlite_where=WEB, postgresql_where=WEB)
