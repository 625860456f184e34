"""Which session of the provider a session of single sign-on belongs to, so that the provider can end it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("desk_session", sa.Column("sid", sa.LargeBinary))
    op.create_index("ix_desk_session_sid", "desk_session", ["sid"])
    op.create_index("ix_desk_session_agent", "desk_session", ["agent"])
