"""Open311: the cases of a source by time, for its listing."""

from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_cases_source_created_at", "cases", ["source", "created_at"])
