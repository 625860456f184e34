"""Messages not yet turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, literal_column, select, update

from gateway.store.tables import CONVERSATION, INBOX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


# Without a parameter: only so does SQLite know that the partial index will do.
_WAITING = literal_column("'waiting'", Text)


def messages(connection: Connection, limit: int) -> Sequence[Any]:
    """Return (id, conversation, body) of the oldest messages that wait for their turn."""
    query = select(INBOX.c.id, INBOX.c.conversation, INBOX.c.body).where(INBOX.c.state == _WAITING)
    return connection.execute(query.order_by(INBOX.c.id).limit(limit)).all()


def again(connection: Connection, message: bytes) -> bool:
    """Let a failed message take its turn again; False when there is no such message."""
    query = select(INBOX.c.conversation).where(INBOX.c.id == message, INBOX.c.state == "failed")
    conversation = connection.execute(query).scalar()
    if conversation is None:
        return False
    connection.execute(update(INBOX).where(INBOX.c.id == message).values(state="waiting", error=""))
    wait = {"waiting": CONVERSATION.c.waiting + 1, "version": CONVERSATION.c.version + 1}
    connection.execute(update(CONVERSATION).where(CONVERSATION.c.id == conversation).values(wait))
    return True
