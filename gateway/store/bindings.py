"""Codes that bind a telephone to a conversation: given out in one, sent from the other (domain.md 4.4, YZ)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from gateway.store.tables import BIND_CODE, CONVERSATION

if TYPE_CHECKING:
    from sqlalchemy import Connection


def give(connection: Connection, code: bytes, conversation: bytes, *, now: int, until: int) -> bool:
    """Keep a code (its keyed hash) for a conversation until an instant; False when another one has it just now."""
    connection.execute(
        delete(BIND_CODE).where((BIND_CODE.c.until <= now) | (BIND_CODE.c.conversation == conversation))
    )
    if connection.execute(select(BIND_CODE.c.code).where(BIND_CODE.c.code == code)).first():
        return False
    connection.execute(insert(BIND_CODE).values(code=code, conversation=conversation, until=until))
    return True


def find(connection: Connection, code: bytes, now: int) -> Any:
    """Return (id, account) of the conversation that a code was given to, None for a wrong or late code."""
    query = (
        select(CONVERSATION.c.id, CONVERSATION.c.account)
        .join(BIND_CODE, BIND_CODE.c.conversation == CONVERSATION.c.id)
        .where(BIND_CODE.c.code == code, BIND_CODE.c.until > now)
    )
    return connection.execute(query).first()
