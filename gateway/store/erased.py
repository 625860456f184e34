"""Erasing what is kept of a person beside his cases: what was wanted, what is found by words, who the platform says he is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import unindex
from gateway.store.tables import BINDING, ERASED, SAME_PERSON, WANTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_S = SAME_PERSON.c


def erase(connection: Connection, conversation: bytes, at: int) -> None:
    """Erase it for all talks of a conversation's person, and note it, so that nothing of before comes again."""
    talks = _talks(connection, conversation)
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    noted = insert(ERASED).on_conflict_do_update(index_elements=[ERASED.c.conversation], set_={"at": at})
    connection.execute(noted, [{"conversation": talk, "at": at} for talk in talks])
    connection.execute(delete(WANTED).where(WANTED.c.conversation.in_(talks)))
    unindex.erase(connection, talks)
    _forget_unions(connection, talks)


def _talks(connection: Connection, conversation: bytes) -> list[bytes]:
    me, others = BINDING.alias("me"), BINDING.alias("others")
    bound = select(others.c.conversation).join(me, me.c.person == others.c.person)
    found = connection.execute(bound.where(me.c.conversation == conversation)).scalars()
    return sorted({conversation, *found})


def _forget_unions(connection: Connection, talks: Sequence[bytes]) -> None:
    """Delete the keyed hashes of unions, in a binding too that rests on nothing else."""
    mine = select(_S.person).where(_S.conversation.in_(talks), _S.person.is_not(None))
    unions = list(connection.execute(mine).scalars())
    connection.execute(delete(BINDING).where(BINDING.c.conversation.in_(talks), BINDING.c.person.in_(unions)))
    connection.execute(delete(SAME_PERSON).where(_S.conversation.in_(talks)))
