"""How far accounts were read whose providers keep messages until they are asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "read_to",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text, nullable=False),
    )
