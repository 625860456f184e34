"""Open311: the cases of a source by time, and what happened by time, for its lists."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_cases_source_created_at", "cases", ["source", "created_at"])
    op.create_index("ix_case_event_at", "case_event", ["at"])
