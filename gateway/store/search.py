"""Search, in SQL: documents, and the keyed hashes of neighbouring characters that stand in them.

Only one process indexes at a time: the lock of the index is held until the commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, exists, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import kept
from gateway.store.desk import AGENT_NOTICE
from gateway.store.media import MediaRow, talk_of
from gateway.store.rows import CaseRow
from gateway.store.tables import (
    CASE_EVENT,
    CASES,
    ERASED,
    INBOX,
    MEDIA,
    OUTGOING,
    SEARCH_DOC,
    SEARCH_GRAM,
    SEARCH_MARK,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

INDEX_LOCK = 44_189_7311
"""The number of the advisory lock of whoever indexes."""
COMMON = 5_000
"""How far the documents of a gram are counted: beyond that it is common."""
_D, _G = SEARCH_DOC.c, SEARCH_GRAM.c


class Doc(NamedTuple):
    """A row of ``search_doc``."""

    id: int
    kind: str
    ref: bytes
    conversation: bytes | None
    at: int
    digest: bytes


class Said(NamedTuple):
    """A line that can be found: a row of ``inbox`` (a sealed message) or of ``outgoing`` (a sealed text)."""

    id: bytes
    conversation: bytes
    at: int
    body: bytes


class Held(NamedTuple):
    """A file that can be found, and whose it is: a talk's, a case's, or neither's yet."""

    row: MediaRow
    conversation: bytes | None
    case: CaseRow | None


def lock(connection: Connection) -> None:
    """Wait until nobody else indexes; what the other wrote is seen then."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": INDEX_LOCK})


def mark(connection: Connection, name: str) -> bytes:
    """Return how far a table was indexed."""
    found: bytes | None = connection.execute(
        select(SEARCH_MARK.c.value).where(SEARCH_MARK.c.name == name)
    ).scalar()
    return found or b""


def set_mark(connection: Connection, name: str, value: bytes) -> None:
    """Note how far a table was indexed."""
    made = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = made(SEARCH_MARK).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def heard(connection: Connection, after: bytes, limit: int) -> list[Said]:
    """Return what citizens wrote after an id, in order."""
    query = select(INBOX.c.id, INBOX.c.conversation, INBOX.c.received_at, INBOX.c.body)
    mine = (INBOX.c.id > after, _kept(INBOX.c.conversation, INBOX.c.received_at))
    return [Said(*row) for row in connection.execute(query.where(*mine).order_by(INBOX.c.id).limit(limit))]


def written(connection: Connection, after: bytes, limit: int) -> list[Said]:
    """Return what agents wrote after an id, in order."""
    query = select(OUTGOING.c.id, OUTGOING.c.conversation, OUTGOING.c.created_at, OUTGOING.c.body)
    here = _kept(OUTGOING.c.conversation, OUTGOING.c.created_at)
    mine = (OUTGOING.c.id > after, OUTGOING.c.notice == AGENT_NOTICE, here)
    return [Said(*row) for row in connection.execute(query.where(*mine).order_by(OUTGOING.c.id).limit(limit))]


def moved(connection: Connection, after: bytes, limit: int) -> list[tuple[bytes, str]]:
    """Return id and case number of the events of cases after an id, in order."""
    query = select(CASE_EVENT.c.id, CASE_EVENT.c.case_no).where(CASE_EVENT.c.id > after)
    return [tuple(row) for row in connection.execute(query.order_by(CASE_EVENT.c.id).limit(limit))]


def noted(connection: Connection, after: bytes, limit: int) -> list[tuple[bytes, str]]:
    """Return id and key of the files of which something became known after an id, in order."""
    query = select(MEDIA.c.noted, MEDIA.c.key).where(MEDIA.c.noted > after)
    return [tuple(row) for row in connection.execute(query.order_by(MEDIA.c.noted).limit(limit))]


def cases(connection: Connection, numbers: Sequence[str]) -> list[CaseRow]:
    """Return the cases with these numbers that nobody had erased."""
    mine = (CASES.c.case_no.in_(numbers), _kept(CASES.c.conversation, CASES.c.created_at))
    return [CaseRow(*row) for row in connection.execute(select(CASES).where(*mine))]


def files(connection: Connection, keys: Sequence[str]) -> list[Held]:
    """Return the files with these keys, once for each who has them, newest first; what was erased is not there."""
    query = select(MEDIA).where(MEDIA.c.key.in_(keys)).order_by(MEDIA.c.created_at.desc())
    rows = [MediaRow(*row) for row in connection.execute(query)]
    owners = [row.owner for row in rows]
    of_cases = {row.case_no: row for row in cases(connection, owners)}
    erased = set(connection.execute(select(CASES.c.case_no).where(CASES.c.case_no.in_(owners))).scalars())
    erased -= of_cases.keys()
    talks = {owner: talk for owner in owners if (talk := talk_of(owner)) is not None}
    since = select(ERASED.c.conversation, ERASED.c.at).where(ERASED.c.conversation.in_(talks.values()))
    gone = {row.conversation: row.at for row in connection.execute(since)}
    return [
        Held(row, case.conversation if case else talk, case)
        for row in rows
        for case, talk in [(of_cases.get(row.owner), talks.get(row.owner))]
        if row.owner not in erased and (talk is None or gone.get(talk, -1) < row.created_at)
    ]


def by_phone(connection: Connection, phone_hash: bytes, limit: int) -> list[CaseRow]:
    """Return the newest cases of a telephone number (its keyed hash)."""
    query = select(CASES).where(CASES.c.phone_hash == phone_hash).order_by(CASES.c.created_at.desc())
    return [CaseRow(*row) for row in connection.execute(query.limit(limit))]


def said(connection: Connection, kind: str, ids: Sequence[bytes]) -> dict[bytes, Said]:
    """Return lines by id; what its writer took back is not there."""
    if kind == "inbox":
        query = select(INBOX.c.id, INBOX.c.conversation, INBOX.c.received_at, INBOX.c.body)
        return {row.id: Said(*row) for row in connection.execute(query.where(INBOX.c.id.in_(ids)))}
    out = select(OUTGOING.c.id, OUTGOING.c.conversation, OUTGOING.c.created_at, OUTGOING.c.body)
    rows = connection.execute(out.where(OUTGOING.c.id.in_(ids), OUTGOING.c.state != "buried"))
    return {row.id: Said(*row) for row in rows}


def known(connection: Connection, refs: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return what was indexed of these, by reference: its digest."""
    query = select(_D.ref, _D.digest).where(_D.ref.in_(refs))
    return {row.ref: row.digest for row in connection.execute(query)}


def put(connection: Connection, docs: Sequence[tuple[Doc, frozenset[int]]]) -> None:
    """Write documents with their grams, in place of those with the same reference; their ids are given here."""
    if not docs:
        return
    connection.execute(delete(SEARCH_DOC).where(_D.ref.in_([doc.ref for doc, _ in docs])))
    # Counted on: the grams of a document that was replaced stay, and must not become another's.
    last = kept.add(connection, "search_doc", len(docs))
    rows = [doc._replace(id=last - n) for n, (doc, _) in zip(range(len(docs) - 1, -1, -1), docs, strict=True)]
    connection.execute(insert(SEARCH_DOC), [row._asdict() for row in rows])
    grams = [
        {"gram": gram, "doc": row.id}
        for row, (_, grams) in zip(rows, docs, strict=True)
        for gram in sorted(grams)
    ]
    if grams:
        connection.execute(insert(SEARCH_GRAM), grams)


def find(connection: Connection, grams: Sequence[int], kinds: Sequence[str], limit: int) -> list[Doc]:
    """Return the newest documents in which all the grams stand."""
    first, *others = sorted(grams, key=lambda gram: _count(connection, gram))
    query = select(SEARCH_DOC).join(SEARCH_GRAM, _G.doc == _D.id).where(_G.gram == first, _D.kind.in_(kinds))
    for gram in others:
        other = SEARCH_GRAM.alias()
        query = query.where(exists().where(other.c.gram == gram, other.c.doc == _G.doc))
    return [Doc(*row) for row in connection.execute(query.order_by(_G.doc.desc()).limit(limit))]


def _count(connection: Connection, gram: int) -> int:
    some = select(_G.doc).where(_G.gram == gram).limit(COMMON).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _kept(conversation: ColumnElement[bytes], at: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that nobody had a talk erased since."""
    return ~exists().where(ERASED.c.conversation == conversation, ERASED.c.at >= at)
