"""Taking documents out of the index: what is over, what was erased, and the grams that lead nowhere then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, func, or_, select, tuple_

from gateway.store.media import talk_owner
from gateway.store.search import files, lock
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

    from sqlalchemy import Connection

_D, _G = SEARCH_DOC.c, SEARCH_GRAM.c


def clear(connection: Connection) -> None:
    """Empty the index, so that all is indexed anew."""
    lock(connection)
    for table in (SEARCH_GRAM, SEARCH_DOC, SEARCH_MARK):
        connection.execute(delete(table))


def drop(connection: Connection, ids: Sequence[int]) -> None:
    """Take documents out; their grams go by ``strays``."""
    connection.execute(delete(SEARCH_DOC).where(_D.id.in_(ids)))


def erase(connection: Connection, talks: Sequence[bytes]) -> int:
    """Take out what was said in talks, their cases and their files, all noted as erased; return how many that were."""
    lock(connection)
    mine = select(CASES.c.case_no).where(CASES.c.conversation.in_(talks))
    owners = [*connection.execute(mine).scalars(), *map(talk_owner, talks)]
    keys = set(connection.execute(select(MEDIA.c.key).where(MEDIA.c.owner.in_(owners))).scalars())
    keys -= {held.row.key for held in files(connection, list(keys))}
    since = select(ERASED.c.at).where(ERASED.c.conversation == _D.conversation).scalar_subquery()
    said = and_(_D.conversation.in_(talks), _D.at <= since)
    gone = or_(said, and_(_D.kind == "file", _D.ref.in_([key.encode() for key in keys])))
    return connection.execute(delete(SEARCH_DOC).where(gone)).rowcount


def following(connection: Connection, last: int, limit: int) -> list[int]:
    """Return the ids of the documents after one, in order."""
    query = select(_D.id).where(_D.id > last).order_by(_D.id)
    return list(connection.execute(query.limit(limit)).scalars())


def over(
    connection: Connection, ids: Sequence[int], stages: Sequence[str], *, cases: int, talks: int
) -> list[int]:
    """Return those of the documents whose time is over, or whose source is there no more.

    What was said before ``talks`` (an instant) is over, unless a case of its talk is open or ended after ``cases``.
    """
    last = select(func.max(CASE_EVENT.c.at)).where(CASE_EVENT.c.case_no == CASES.c.case_no).scalar_subquery()
    alive = or_(CASES.c.stage.not_in(stages), last >= cases)
    wanted = exists().where(CASES.c.conversation == _D.conversation, alive)
    gone = or_(
        and_(_D.kind.in_(("inbox", "outgoing")), _D.at < talks, ~wanted),
        and_(_D.kind == "inbox", ~exists().where(INBOX.c.id == _D.ref)),
        and_(_D.kind == "outgoing", ~exists().where(OUTGOING.c.id == _D.ref)),
    )
    found = connection.execute(select(_D.id).where(_D.id.in_(ids), gone)).scalars()
    return [*found, *_unheld(connection, ids)]


def strays(connection: Connection, last: tuple[int, int], limit: int) -> list[tuple[int, int, bool]]:
    """Return the grams and documents after one, in order, each with whether the document is there no more."""
    joined = SEARCH_GRAM.outerjoin(SEARCH_DOC, _D.id == _G.doc)
    query = select(_G.gram, _G.doc, _D.id.is_(None)).select_from(joined)
    query = query.where(tuple_(_G.gram, _G.doc) > last).order_by(_G.gram, _G.doc).limit(limit)
    return [tuple(row) for row in connection.execute(query)]


def drop_grams(connection: Connection, grams: Sequence[tuple[int, int]]) -> None:
    """Delete grams of documents that are there no more."""
    for gram, doc in grams:
        connection.execute(delete(SEARCH_GRAM).where(_G.gram == gram, _G.doc == doc))


def _unheld(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Return those of the documents that are files which nobody has any more."""
    query = select(_D.id, _D.ref).where(_D.id.in_(ids), _D.kind == "file")
    found = {row.ref.decode(): row.id for row in connection.execute(query)}
    held = connection.execute(select(MEDIA.c.key).where(MEDIA.c.key.in_(found))).scalars()
    return [found[key] for key in found.keys() - set(held)]
