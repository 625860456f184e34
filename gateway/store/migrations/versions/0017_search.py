"""Search: keyed hashes of neighbouring characters, and what they stand in."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ID = sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "search_doc",
        sa.Column("id", INSTANT, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.LargeBinary, nullable=False),
        sa.Column("conversation", ID),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    op.create_index("uq_search_doc_ref", "search_doc", ["ref"], unique=True)
    op.create_table(
        "search_gram",
        sa.Column("gram", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("doc", INSTANT, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_mark",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
