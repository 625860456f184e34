"""Whose talks were erased and when; since when something is known of a file; short links to files."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column("conversation", ID, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
    )
    op.create_table(
        "short_link",
        sa.Column("number", INSTANT, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("variant", sa.Text, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
    )
    op.create_index("ix_short_link_until", "short_link", ["until"])
    op.add_column("media", sa.Column("noted", ID))
    media = sa.table("media", *map(sa.column, ("owner", "key", "created_at", "noted")))
    rows = op.get_bind().execute(sa.select(media.c.owner, media.c.key, media.c.created_at)).all()
    for number, (owner, key, at) in enumerate(rows):
        here = (media.c.owner == owner) & (media.c.key == key)
        noted = at.to_bytes(6) + number.to_bytes(10)
        op.execute(sa.update(media).where(here).values(noted=noted))
    op.create_index("ix_media_noted", "media", ["noted"])
