"""Who the provider of single sign-on says that an account is, and which session it began."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agent", sa.Column("subject", sa.LargeBinary))
    op.create_index("ix_agent_subject", "agent", ["subject"], unique=True)
    op.add_column("desk_session", sa.Column("hint", sa.LargeBinary))
