"""Calls to make: what did not get through is found without reading all that was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lost = sa.text("state IN ('dead', 'undelivered')")
    op.create_index("ix_outgoing_lost", "outgoing", ["id"], sqlite_where=lost, postgresql_where=lost)
