"""Media: whose files there are, and uploads in pieces."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNREAD = sa.text("words IS NULL")
EXPIRING = sa.text("expires_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("scan", sa.Text(), nullable=False),
        sa.Column("copies", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "key", name=("pk_media")),
    )
    op.create_index("ix_media_key", "media", ["key"])
    op.create_index(
        "ix_media_created_at", "media", ["created_at"], sqlite_where=UNREAD, postgresql_where=UNREAD
    )
    op.create_index(
        "ix_media_expires_at", "media", ["expires_at"], sqlite_where=EXPIRING, postgresql_where=EXPIRING
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("received", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_upload")),
    )
    op.create_index("ix_upload_owner", "upload", ["owner"])
    op.create_index("ix_upload_expires_at", "upload", ["expires_at"])
    op.create_table(
        "upload_piece",
        sa.Column("upload", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("upload", "at", name=("pk_upload_piece")),
    )
