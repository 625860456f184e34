"""What was said in a conversation: its inbox rows and its outgoing rows, in the order of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, literal, select, text, union_all

from gateway.store.tables import INBOX, OUTGOING
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Subquery


class Line(NamedTuple):
    """One message, sealed: ``mine`` is the citizen's (a message body), else ours (a text)."""

    id: bytes
    mine: bool
    at: int
    body: bytes


# Without a parameter: only so does the database know that the partial index will do.
_IN_PAGES, _OUT_PAGES = text("inbox.account = 'web'"), text("outgoing.account = 'web'")
_NOT_SHOWN = (OutState.STALE.value, OutState.BURIED.value)


def lines(connection: Connection, conversation: bytes, after: bytes, limit: int) -> list[Line]:
    """Return the newest messages of a conversation after an id, oldest first."""
    both = _said(conversation, after)
    query = select(both).order_by(both.c.id.desc()).limit(limit)
    return [_line(row) for row in connection.execute(query)][::-1]


def since(connection: Connection, conversation: bytes, after: bytes, limit: int) -> list[Line]:
    """Return the messages of a conversation that follow an id (empty: the first), oldest first."""
    both = _said(conversation, after)
    return [_line(row) for row in connection.execute(select(both).order_by(both.c.id).limit(limit))]


def _said(conversation: bytes, after: bytes) -> Subquery:
    received = select(
        INBOX.c.id, literal(1).label("mine"), INBOX.c.received_at.label("at"), INBOX.c.body
    ).where(_IN_PAGES, INBOX.c.conversation == conversation, INBOX.c.id > after)
    shown = and_(
        _OUT_PAGES,
        OUTGOING.c.conversation == conversation,
        OUTGOING.c.id > after,
        OUTGOING.c.state.not_in(_NOT_SHOWN),
    )
    sent = select(OUTGOING.c.id, literal(0).label("mine"), OUTGOING.c.created_at.label("at"), OUTGOING.c.body)
    return union_all(received, sent.where(shown)).subquery()


def _line(row: Any) -> Line:
    return Line(row.id, bool(row.mine), row.at, row.body)


def fresh(connection: Connection, conversations: Sequence[bytes], after: bytes) -> list[tuple[bytes, bytes]]:
    """Return id and conversation of every message after an id in some conversations; ``after`` lies just behind now."""
    received = select(INBOX.c.id, INBOX.c.conversation).where(
        _IN_PAGES, INBOX.c.id > after, INBOX.c.conversation.in_(conversations)
    )
    sent = select(OUTGOING.c.id, OUTGOING.c.conversation).where(
        _OUT_PAGES, OUTGOING.c.id > after, OUTGOING.c.conversation.in_(conversations)
    )
    return [(row.id, row.conversation) for row in connection.execute(union_all(received, sent))]


def fields_of(connection: Connection, row: bytes) -> bytes | None:
    """Return what an outgoing row brings beside its text (sealed)."""
    fields: bytes | None = connection.execute(select(OUTGOING.c.fields).where(OUTGOING.c.id == row)).scalar()
    return fields
