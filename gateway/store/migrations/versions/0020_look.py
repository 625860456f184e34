"""Files that providers were asked to look at, until they say what they think of them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "look",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", instant, nullable=False),
        sa.Column("case_no", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
    )
