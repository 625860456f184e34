"""Conversations that a provider knows as one person's across several apps of one owner (unionid, wechat.md 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import BINDING, CONVERSATION, ERASED, SAME_PERSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_S = SAME_PERSON.c


def note(connection: Connection, conversation: bytes, union: bytes | None, at: int) -> bool:
    """Note a conversation's union (a keyed hash; None: the provider knows none) and join it; return whether it is joined."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"conversation": conversation, "person": union, "at": at}
    change = insert(SAME_PERSON).values(row)
    fresh = {"person": union, "at": at}
    connection.execute(change.on_conflict_do_update(index_elements=[_S.conversation], set_=fresh))
    return union is not None and join(connection, union, at)


def join(connection: Connection, union: bytes, at: int) -> bool:
    """Bind the conversations of a union to one person: who proved a telephone in one of them, else the union itself.

    Where two telephones were proved, each stays with its own, and nothing is joined.
    """
    query = select(_S.conversation, BINDING.c.person).outerjoin(
        BINDING, BINDING.c.conversation == _S.conversation
    )
    found = connection.execute(query.where(_S.person == union).order_by(_S.conversation)).all()
    proved = {row.person for row in found} - {None, union}
    if len(found) < 2 or len(proved) > 1:
        return False
    person = proved.pop() if proved else union
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for row in found:
        if row.person != person:
            change = insert(BINDING).values(conversation=row.conversation, person=person, at=at)
            joined = {"person": person, "at": at}
            connection.execute(change.on_conflict_do_update(index_elements=["conversation"], set_=joined))
    return True


def parted(connection: Connection, limit: int) -> list[bytes]:
    """Return unions in one conversation of which a telephone was proved since the others were joined."""
    mine, theirs, other = BINDING.alias("mine"), BINDING.alias("theirs"), SAME_PERSON.alias("other")
    query = (
        select(_S.person)
        .join(mine, mine.c.conversation == _S.conversation)
        .join(other, other.c.person == _S.person)
        .join(theirs, theirs.c.conversation == other.c.conversation)
        .where(mine.c.person == _S.person, theirs.c.person != _S.person)
    )
    return list(connection.execute(query.distinct().limit(limit)).scalars())


def unknown(
    connection: Connection, account: str, after: bytes, before: int, limit: int
) -> Sequence[tuple[bytes, bytes]]:
    """Return (conversation, sealed address) of an account's talks after an id of which no union is known.

    Those of which the provider knew none are among them again, once they were asked for before an instant. Who had
    all deleted is not, until he writes again.
    """
    joined = CONVERSATION.outerjoin(SAME_PERSON, _S.conversation == CONVERSATION.c.id)
    late = (_S.person.is_(None)) & (_S.at < before)
    erased = ERASED.c.conversation == CONVERSATION.c.id, ERASED.c.at >= CONVERSATION.c.last_in_at
    here = (CONVERSATION.c.account == account, CONVERSATION.c.id > after, ~exists().where(*erased))
    query = select(CONVERSATION.c.id, CONVERSATION.c.address).select_from(joined)
    query = query.where(*here, or_(_S.conversation.is_(None), late)).order_by(CONVERSATION.c.id).limit(limit)
    return [(row.id, row.address) for row in connection.execute(query)]
