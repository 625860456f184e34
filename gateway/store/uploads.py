"""Uploads in pieces: one row per upload, one per piece that is durable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, text, update

from gateway.store.tables import UPLOAD, UPLOAD_PIECE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A row of ``upload``; instants in milliseconds."""

    id: bytes
    owner: str
    size: int
    received: int
    state: str
    reason: str
    key: str
    created_at: int
    expires_at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A durable piece of an upload: from where, lying where, how many bytes."""

    at: int
    name: str
    size: int


def add(connection: Connection, row: UploadRow) -> None:
    """Begin an upload."""
    connection.execute(insert(UPLOAD).values({name: getattr(row, name) for name in row.__slots__}))


def alone(connection: Connection, owner: str) -> None:
    """Let no other transaction count an owner's uploads until this one ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:owner))"), {"owner": owner})


def sums(connection: Connection, owner: str) -> tuple[int, int]:
    """Return how many uploads of an owner are open or done, and their bytes together."""
    query = select(func.count(), func.coalesce(func.sum(UPLOAD.c.size), 0))
    count, size = connection.execute(query.where(UPLOAD.c.owner == owner, UPLOAD.c.state != "refused")).one()
    return int(count), int(size)


def find(connection: Connection, ident: bytes) -> UploadRow | None:
    """Return an upload."""
    found = connection.execute(select(UPLOAD).where(UPLOAD.c.id == ident)).one_or_none()
    return None if found is None else UploadRow(*found)


def pieces(connection: Connection, ident: bytes) -> Sequence[Piece]:
    """Return an upload's pieces in order."""
    query = select(UPLOAD_PIECE.c.at, UPLOAD_PIECE.c.name, UPLOAD_PIECE.c.size)
    query = query.where(UPLOAD_PIECE.c.upload == ident).order_by(UPLOAD_PIECE.c.at)
    return [Piece(*row) for row in connection.execute(query)]


def append(connection: Connection, ident: bytes, at: int, added: Sequence[Piece], expires_at: int) -> bool:
    """Note durable pieces that follow ``at``; False when the upload does not stand there (any more)."""
    received = at + sum(piece.size for piece in added)
    stands = (UPLOAD.c.id == ident, UPLOAD.c.received == at, UPLOAD.c.state == "open")
    statement = update(UPLOAD).where(*stands).values(received=received, expires_at=expires_at)
    if connection.execute(statement).rowcount != 1:
        return False
    rows = [{"upload": ident, "at": piece.at, "name": piece.name, "size": piece.size} for piece in added]
    connection.execute(insert(UPLOAD_PIECE), rows)
    return True


def end(
    connection: Connection,
    ident: bytes,
    state: str,
    *,
    reason: str = "",
    key: str = "",
    size: int | None = None,
) -> None:
    """Note how an upload ended (and its size, where it was not announced); its pieces are needed no more."""
    values: dict[str, str | int] = {"state": state, "reason": reason, "key": key}
    if size is not None:
        values |= {"size": size, "received": size}
    connection.execute(update(UPLOAD).where(UPLOAD.c.id == ident, UPLOAD.c.state == "open").values(values))
    connection.execute(delete(UPLOAD_PIECE).where(UPLOAD_PIECE.c.upload == ident))


def remove(connection: Connection, ident: bytes) -> bool:
    """Forget an upload; False when there is none."""
    connection.execute(delete(UPLOAD_PIECE).where(UPLOAD_PIECE.c.upload == ident))
    return connection.execute(delete(UPLOAD).where(UPLOAD.c.id == ident)).rowcount == 1


def remove_of(connection: Connection, owner: str, key: str) -> None:
    """Forget the uploads of an owner that became a file, so that they count no more."""
    connection.execute(delete(UPLOAD).where(UPLOAD.c.owner == owner, UPLOAD.c.key == key))


def expired(connection: Connection, now: int, limit: int) -> Sequence[bytes]:
    """Return uploads whose time is over."""
    query = select(UPLOAD.c.id).where(UPLOAD.c.expires_at <= now).limit(limit)
    return connection.execute(query).scalars().all()
