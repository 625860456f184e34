"""Ways to a citizen: who agreed to be sent which template, and what a notice was made of."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outgoing", sa.Column("fields", sa.LargeBinary))
    op.create_table(
        "consent",
        sa.Column("conversation", sa.LargeBinary(16), primary_key=True),
        sa.Column("template", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
    )
