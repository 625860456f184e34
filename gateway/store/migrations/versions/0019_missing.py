"""The files of a case that are not here are found by its number."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    missing = sa.text("state != 'stored'")
    op.create_index(
        "ix_wanted_case_no", "wanted", ["case_no"], sqlite_where=missing, postgresql_where=missing
    )
