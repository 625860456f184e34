"""Conversations that begin elsewhere than in the pipeline: at a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import BINDING, CONVERSATION

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.rows import BindingRow, ConversationRow


class Reach(NamedTuple):
    """Where the citizen of a talk is reached; address and state are sealed."""

    account: str
    address: bytes
    state: bytes


def reach(connection: Connection, conversation: bytes) -> Reach | None:
    """Return where the citizen of a talk is reached, None when there is no such talk."""
    here = CONVERSATION.c.id == conversation
    query = select(CONVERSATION.c.account, CONVERSATION.c.address, CONVERSATION.c.state).where(here)
    row = connection.execute(query).first()
    return None if row is None else Reach(*row)


def begin(connection: Connection, row: ConversationRow) -> None:
    """Write a conversation down unless it exists."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(CONVERSATION).values(row._asdict()).on_conflict_do_nothing())


def bound(connection: Connection, conversation: bytes, account: str) -> bytes | None:
    """Return the sealed address that the person of a conversation proved to have in another account, None for none."""
    me, others = BINDING.alias("me"), BINDING.alias("others")
    query = (
        select(CONVERSATION.c.address)
        .join(others, others.c.conversation == CONVERSATION.c.id)
        .join(me, me.c.person == others.c.person)
        .where(me.c.conversation == conversation, CONVERSATION.c.account == account)
        .order_by(others.c.at.desc())
    )
    address: bytes | None = connection.execute(query).scalar()
    return address


def bind(connection: Connection, row: BindingRow) -> None:
    """Make a conversation a person's, whosever it was before."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(BINDING).values(row._asdict())
    changed = {"person": row.person, "at": row.at}
    connection.execute(statement.on_conflict_do_update(index_elements=[BINDING.c.conversation], set_=changed))
