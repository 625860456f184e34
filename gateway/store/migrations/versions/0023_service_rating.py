"""What citizens say of the service of a person: asked once, answered once."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "service_rating",
        sa.Column("conversation", ID, primary_key=True),
        sa.Column("began_at", INSTANT, primary_key=True, autoincrement=False),
        sa.Column("agent", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("score", sa.SmallInteger),
        sa.Column("rated_at", INSTANT),
    )
    op.create_index("ix_service_rating_asked_at", "service_rating", ["asked_at"])
