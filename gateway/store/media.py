"""Whose files there are: one row per owner and file; the file itself lies in the media store."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import CASES, MEDIA, SEARCH_DOC, WANTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class MediaRow:
    """A row of ``media``; instants in milliseconds."""

    owner: str
    key: str
    kind: str
    mime: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    scan: str
    copies: str
    created_at: int
    expires_at: int | None
    body: bytes
    words: bytes | None = None
    noted: bytes | None = None


_TALK = "talk-"


def talk_owner(conversation: bytes) -> str:
    """Return whose a file is that came in a talk, until it is a case's."""
    return f"{_TALK}{conversation.hex()}"


def talk_of(owner: str) -> bytes | None:
    """Return the talk that an owner is; None for any other."""
    return bytes.fromhex(owner.removeprefix(_TALK)) if owner.startswith(_TALK) else None


def add(connection: Connection, row: MediaRow) -> None:
    """Write a file down; an owner who brings the same file again has it once, and kept the longer."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {column.name: getattr(row, column.name) for column in MEDIA.columns}
    fresh = {"expires_at": row.expires_at, "body": row.body, "noted": row.noted}
    statement = insert(MEDIA).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[MEDIA.c.owner, MEDIA.c.key],
            set_=fresh,
            where=MEDIA.c.expires_at.is_not(None),
        )
    )


def lend(connection: Connection, owner: str, key: str, to: str, until: int | None) -> MediaRow | None:
    """Give another owner a file too, until an instant (milliseconds; None: for good), and return it as his.

    None for no such file. It has the time at which the first owner got it; a file that the other has already stays so.
    """
    mine = find(connection, owner, key)
    if mine is None:
        return None
    add(connection, replace(mine, owner=to, expires_at=until))
    return find(connection, to, key)


def find(connection: Connection, owner: str, key: str) -> MediaRow | None:
    """Return an owner's file."""
    query = select(MEDIA).where(MEDIA.c.owner == owner, MEDIA.c.key == key)
    found = connection.execute(query).one_or_none()
    return None if found is None else MediaRow(*found)


def of(connection: Connection, owner: str) -> Sequence[MediaRow]:
    """Return an owner's files, oldest first."""
    query = select(MEDIA).where(MEDIA.c.owner == owner).order_by(MEDIA.c.created_at, MEDIA.c.key)
    return [MediaRow(*row) for row in connection.execute(query)]


def attach(connection: Connection, owner: str, to: str, keys: Sequence[str]) -> int:
    """Make an owner's files another's for good; those that the other has already are left. Return how many."""
    there = select(MEDIA.c.key).where(MEDIA.c.owner == to)
    mine = (MEDIA.c.owner == owner, MEDIA.c.key.in_(keys))
    moved = connection.execute(
        update(MEDIA).where(*mine, MEDIA.c.key.not_in(there)).values(owner=to, expires_at=None)
    ).rowcount
    connection.execute(
        update(MEDIA).where(MEDIA.c.owner == to, MEDIA.c.key.in_(keys)).values(expires_at=None)
    )
    return moved


def share(connection: Connection, conversation: bytes, key: str, stages: Sequence[str]) -> None:
    """Give a file of a talk to the newest case opened in it too, while that stands in one of these stages."""
    query = select(CASES.c.case_no).where(CASES.c.conversation == conversation, CASES.c.stage.in_(stages))
    newest = connection.execute(query.order_by(CASES.c.created_at.desc(), CASES.c.case_no.desc())).scalar()
    if newest is not None:
        lend(connection, talk_owner(conversation), key, newest, None)


def unshare(connection: Connection, conversation: bytes, copy: str) -> None:
    """Take the file of a copy from the cases of its talk again; those that had it of their own keep it."""
    cases = list(
        connection.execute(select(CASES.c.case_no).where(CASES.c.conversation == conversation)).scalars()
    )
    for row in of(connection, talk_owner(conversation)):
        if copy in {row.key, *(key for key, _ in json.loads(row.copies).values())}:
            shared = (MEDIA.c.owner.in_(cases), MEDIA.c.key == row.key, MEDIA.c.created_at == row.created_at)
            connection.execute(delete(MEDIA).where(*shared))


def file(connection: Connection, case_no: str, owner: str, blobs: Sequence[str]) -> None:
    """Make files of a talk a case's, those too that are still being fetched."""
    mine = WANTED.c.ref.in_(blobs)
    connection.execute(update(WANTED).where(mine).values(case_no=case_no))
    fetched = connection.execute(select(WANTED.c.key).where(mine, WANTED.c.key != "")).scalars()
    attach(connection, owner, case_no, [*blobs, *fetched])


def note_copy(connection: Connection, key: str, variant: str, copy: tuple[str, str]) -> None:
    """Note a copy made of a file, for all who have the file."""
    for owner, copies in connection.execute(
        select(MEDIA.c.owner, MEDIA.c.copies).where(MEDIA.c.key == key)
    ).all():
        noted = json.dumps(json.loads(copies) | {variant: copy})
        connection.execute(
            update(MEDIA).where(MEDIA.c.owner == owner, MEDIA.c.key == key).values(copies=noted)
        )


def note_words(connection: Connection, owner: str, key: str, words: bytes, noted: bytes) -> None:
    """Note what was read in a file (sealed), under a new id."""
    change = update(MEDIA).where(MEDIA.c.owner == owner, MEDIA.c.key == key)
    connection.execute(change.values(words=words, noted=noted))


def words_of(connection: Connection, owners: Sequence[str]) -> dict[str, list[bytes]]:
    """Return what was read in the files of owners (sealed)."""
    query = select(MEDIA.c.owner, MEDIA.c.words).where(MEDIA.c.owner.in_(owners), MEDIA.c.words.is_not(None))
    found: dict[str, list[bytes]] = {}
    for owner, words in connection.execute(query):
        found.setdefault(owner, []).append(words)
    return found


def unread(
    connection: Connection, kind: str, limit: int, mimes: Sequence[str] | None = None
) -> Sequence[MediaRow]:
    """Return files of a kind, and of some types if they are named, in which nobody has read yet."""
    query = select(MEDIA).where(MEDIA.c.words.is_(None), MEDIA.c.kind == kind)
    if mimes is not None:
        query = query.where(MEDIA.c.mime.in_(mimes))
    return [MediaRow(*row) for row in connection.execute(query.order_by(MEDIA.c.created_at).limit(limit))]


def forget(connection: Connection, owner: str, key: str) -> Sequence[str]:
    """Delete a row; return the keys of files and copies that nobody names any more, nor the search finds."""
    row = find(connection, owner, key)
    if row is None:
        return ()
    connection.execute(delete(MEDIA).where(MEDIA.c.owner == owner, MEDIA.c.key == key))
    others: int = connection.execute(select(func.count()).where(MEDIA.c.key == key)).scalar_one()
    if others:
        return ()
    connection.execute(delete(SEARCH_DOC).where(SEARCH_DOC.c.ref == key.encode()))
    return (key, *(copy[0] for copy in json.loads(row.copies).values()))


def expired(connection: Connection, now: int) -> Sequence[tuple[str, str]]:
    """Return (owner, key) of files that nobody attached in time, or whose owner is over."""
    query = select(MEDIA.c.owner, MEDIA.c.key).where(MEDIA.c.expires_at <= now)
    return [(owner, key) for owner, key in connection.execute(query)]
