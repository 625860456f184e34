"""Taking documents out of the index; the grams that lead nowhere then go by their walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_, select

from gateway.store.media import talk_owner
from gateway.store.search import files, lock
from gateway.store.tables import (
    CASES,
    ERASED,
    MEDIA,
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


def drop_said(connection: Connection, lines: Sequence[bytes]) -> None:
    """Take out what was said in lines that are forgotten, by their ids."""
    connection.execute(delete(SEARCH_DOC).where(_D.ref.in_(lines)))


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
