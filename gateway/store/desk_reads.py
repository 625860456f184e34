"""What the desk shows, in SQL: the rows of its list, and what was said in one talk.

What a person was told or wrote has an index of its own; what the bot answered at once has none (it would cost every
message), and is looked for among the newest messages before the talk came to the desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import case, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.desk_tables import AGENT, DESK_EVENT, DESK_TALK, DESK_VIEWER, PRESENCE
from gateway.store.tables import ALERT, CASES, CONVERSATION, INBOX, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

_LAST = 9_223_372_036_854_775_807
LOOKED_AT = 20_000
"""Among so many messages of the whole city what the bot answered is looked for."""
REPEATS_MS = 30 * 24 * 3_600_000
_C, _T = CONVERSATION.c, DESK_TALK.c
# Without a parameter: only so does the database know that the partial index will do.
_UNANSWERED = INBOX.c.reply.is_(None)
_UNPROMPTED: Any = literal_column("notice <> 'reply'")


class Said(NamedTuple):
    """A message of a talk: the citizen's (``body`` is a sealed message) or ours (a sealed text)."""

    id: bytes
    mine: bool
    at: int
    body: bytes
    notice: str = ""
    key: str | None = None
    state: str = ""
    next_at: int = 0
    attempts: int = 0
    outcome: str = ""
    fields: bytes | None = None


def _newest(column: ColumnElement[bytes], *where: ColumnElement[bool]) -> Any:
    return (
        select(column)
        .where(*where)
        .order_by(column.desc())
        .limit(1)
        .correlate(CONVERSATION)
        .scalar_subquery()
    )


def _rows(now: int) -> Any:
    heard = _newest(INBOX.c.id, INBOX.c.conversation == _C.id, _UNANSWERED)
    wrote = _newest(
        OUTGOING.c.id, OUTGOING.c.conversation == _C.id, _UNPROMPTED, OUTGOING.c.notice == "agent"
    )
    number = (
        select(CASES.c.case_no)
        .where(CASES.c.conversation == _C.id)
        .order_by(CASES.c.created_at.desc())
        .limit(1)
        .correlate(CONVERSATION)
        .scalar_subquery()
    )
    cases = (
        select(func.count())
        .where(CASES.c.conversation == _C.id, CASES.c.created_at > now - REPEATS_MS)
        .correlate(CONVERSATION)
        .scalar_subquery()
    )
    joined = CONVERSATION.outerjoin(DESK_TALK, _T.conversation == _C.id).outerjoin(
        AGENT, AGENT.c.id == _T.agent
    )
    return select(
        _C.id,
        _C.account,
        _C.address,
        _C.state,
        _C.owner,
        _C.epoch,
        _C.version,
        _C.last_in_at,
        _C.enqueued_at,
        _C.skill,
        _C.urgent,
        _C.note,
        _C.window_until,
        _C.window_left,
        _T.agent,
        AGENT.c.name.label("agent_name"),
        _T.rank,
        _T.only_for,
        _T.held,
        _T.waiting_since,
        _T.clock,
        _T.due_at,
        heard.label("heard"),
        wrote.label("wrote"),
        number.label("case_no"),
        cases.label("cases"),
    ).select_from(joined)


def rows(connection: Connection, conversations: Sequence[bytes], now: int) -> Sequence[Row[Any]]:
    """Return what the list shows of some conversations."""
    if not conversations:
        return ()
    return connection.execute(_rows(now).where(_C.id.in_(conversations))).all()


def page(
    connection: Connection,
    where: Sequence[ColumnElement[bool]],
    *,
    placed: bool,
    skip: int,
    limit: int,
    now: int,
) -> Sequence[Row[Any]]:
    """Return a page of what conditions hold of: by place in the queue (``placed``), else who waits longest first."""
    waits = func.coalesce(_T.waiting_since, _LAST)
    order = (_T.rank, _C.id) if placed else (waits, _C.enqueued_at, _C.id)
    query = _rows(now).where(_T.conversation.is_not(None), *where).order_by(*order)
    return connection.execute(query.offset(skip).limit(limit)).all()


def last_heard(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the sealed bodies of messages by their ids."""
    query = select(INBOX.c.id, INBOX.c.body).where(INBOX.c.id.in_(ids))
    return {row.id: row.body for row in connection.execute(query)}


def last_written(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """Return the sealed texts of what was written, and when, by their ids."""
    query = select(OUTGOING.c.id, OUTGOING.c.body, OUTGOING.c.created_at).where(OUTGOING.c.id.in_(ids))
    return {row.id: (row.body, row.created_at) for row in connection.execute(query)}


def newest_between(connection: Connection, conversation: bytes, after: bytes, before: bytes) -> bytes | None:
    """Return the id of the newest message of a conversation in a short span; a span of seconds is a few pages."""
    query = select(INBOX.c.id).where(
        INBOX.c.id > after, INBOX.c.id < before, INBOX.c.conversation == conversation
    )
    return connection.execute(query.order_by(INBOX.c.id.desc()).limit(1)).scalar()


def unheard(connection: Connection, conversation: bytes, after: bytes, most: int) -> int:
    """Return how many messages that the bot did not answer came after an id, counted up to ``most``."""
    query = select(INBOX.c.id).where(INBOX.c.conversation == conversation, _UNANSWERED, INBOX.c.id > after)
    return int(
        connection.execute(select(func.count()).select_from(query.limit(most).subquery())).scalar_one()
    )


def by_person(connection: Connection, conversation: bytes, before: bytes, limit: int) -> list[Said]:
    """Return the newest of what the bot did not answer and what was written unprompted, before an id."""
    received = select(*_HEARD).where(INBOX.c.conversation == conversation, _UNANSWERED, INBOX.c.id < before)
    sent = select(*_WROTE).where(OUTGOING.c.conversation == conversation, _UNPROMPTED, OUTGOING.c.id < before)
    heard = [_heard(row) for row in connection.execute(received.order_by(INBOX.c.id.desc()).limit(limit))]
    wrote = [_wrote(row) for row in connection.execute(sent.order_by(OUTGOING.c.id.desc()).limit(limit))]
    return heard + wrote


def to_people(connection: Connection, conversation: bytes, after: bytes, limit: int) -> list[bytes]:
    """Return the sealed bodies of what a citizen told people after an id, oldest first; the first ``limit``."""
    query = select(INBOX.c.body).where(INBOX.c.conversation == conversation, _UNANSWERED, INBOX.c.id > after)
    return list(connection.execute(query.order_by(INBOX.c.id).limit(limit)).scalars())


def with_bot(connection: Connection, conversation: bytes, after: bytes, before: bytes) -> list[Said]:
    """Return what was said with the bot between two ids, of the newest messages in that span."""
    received = (
        select(INBOX.c.id, INBOX.c.conversation, INBOX.c.reply)
        .where(INBOX.c.id > after, INBOX.c.id < before)
        .order_by(INBOX.c.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    asked = select(received.c.id, received.c.reply).where(
        received.c.conversation == conversation, received.c.reply.is_not(None)
    )
    pairs = connection.execute(asked).all()
    heard = connection.execute(select(*_HEARD).where(INBOX.c.id.in_([pair.id for pair in pairs])))
    wrote = connection.execute(select(*_WROTE).where(OUTGOING.c.id.in_([pair.reply for pair in pairs])))
    return [_heard(row) for row in heard] + [_wrote(row) for row in wrote]


def these(connection: Connection, heard: Sequence[bytes], wrote: Sequence[bytes]) -> list[tuple[bytes, Said]]:
    """Return messages by their ids, each with its conversation."""
    came = connection.execute(select(INBOX.c.conversation, *_HEARD).where(INBOX.c.id.in_(heard)))
    went = connection.execute(select(OUTGOING.c.conversation, *_WROTE).where(OUTGOING.c.id.in_(wrote)))
    return [(row[0], _heard(row[1:])) for row in came] + [(row[0], _wrote(row[1:])) for row in went]


def told(connection: Connection, conversation: bytes, before: int, limit: int) -> Sequence[Row[Any]]:
    """Return the newest events of a conversation before an instant, with the names of who did them."""
    mine = (
        DESK_EVENT.c.conversation == conversation,
        DESK_EVENT.c.at < before,
        DESK_EVENT.c.kind.not_in(_ELSEWHERE),
    )
    return connection.execute(_events().where(*mine).order_by(DESK_EVENT.c.id.desc()).limit(limit)).all()


def _events() -> Any:
    by, to = AGENT.alias("by"), AGENT.alias("to")
    joined = DESK_EVENT.outerjoin(by, by.c.id == DESK_EVENT.c.actor)
    joined = joined.outerjoin(to, to.c.id == DESK_EVENT.c.agent)
    return select(DESK_EVENT, by.c.name.label("by"), to.c.name.label("to")).select_from(joined)


def event_at(connection: Connection, event: int) -> int | None:
    """Return when an event happened."""
    return connection.execute(select(DESK_EVENT.c.at).where(DESK_EVENT.c.id == event)).scalar()


_ELSEWHERE = ("message", "reply", "undone", "viewing", "mention")
"""Kinds of events that are shown as the messages they are about, or as somebody's alert."""
_HEARD = (INBOX.c.id, INBOX.c.received_at, INBOX.c.body)
_WROTE = (
    OUTGOING.c.id,
    OUTGOING.c.created_at,
    OUTGOING.c.body,
    OUTGOING.c.notice,
    OUTGOING.c.notice_key,
    OUTGOING.c.state,
    OUTGOING.c.next_at,
    OUTGOING.c.attempts,
    OUTGOING.c.outcome,
    OUTGOING.c.fields,
)


def _heard(row: Any) -> Said:
    return Said(row[0], True, row[1], row[2])


def _wrote(row: Any) -> Said:
    return Said(row[0], False, *row[1:])


def names(connection: Connection, agents: Sequence[bytes]) -> dict[bytes, str]:
    """Return the names of agents by their ids."""
    query = select(AGENT.c.id, AGENT.c.name).where(AGENT.c.id.in_(agents))
    return {row.id: row.name for row in connection.execute(query)}


def viewers(connection: Connection, conversations: Sequence[bytes], now: int) -> Sequence[Any]:
    """Return who looks at some conversations now."""
    joined = DESK_VIEWER.join(AGENT, AGENT.c.id == DESK_VIEWER.c.agent)
    query = select(DESK_VIEWER.c.conversation, AGENT.c.id, AGENT.c.name, DESK_VIEWER.c.typing).select_from(
        joined
    )
    here = (DESK_VIEWER.c.conversation.in_(conversations), DESK_VIEWER.c.until > now)
    return connection.execute(query.where(*here).order_by(AGENT.c.id)).all()


def alerts(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the alerts that nobody has acknowledged, newest first."""
    query = select(ALERT).where(ALERT.c.acknowledged_at.is_(None)).order_by(ALERT.c.id.desc())
    return connection.execute(query.limit(limit)).all()


def staff(connection: Connection, now: int, grace: int) -> Sequence[Any]:
    """Return everybody who is not disabled, with how long he is here, and what he holds in fifths of a chat."""
    until = (
        select(func.coalesce(func.max(PRESENCE.c.until), 0))
        .where(PRESENCE.c.agent == AGENT.c.id)
        .correlate(AGENT)
        .scalar_subquery()
    )
    load = (
        select(func.coalesce(func.sum(case((_T.held, 0), else_=_T.weight)), 0))
        .where(_T.agent == AGENT.c.id)
        .correlate(AGENT)
        .scalar_subquery()
    )
    state = case(
        (until + grace <= now, "offline"), (until <= now, "reconnecting"), else_=AGENT.c.state
    ).label("state")
    query = select(
        AGENT.c.id, AGENT.c.name, AGENT.c.role, AGENT.c.skills, AGENT.c.capacity, state, load.label("load")
    )
    return connection.execute(query.where(~AGENT.c.disabled).order_by(AGENT.c.name, AGENT.c.id)).all()


def look(connection: Connection, conversation: bytes, agent: bytes, *, typing: bool, until: int) -> None:
    """Note that somebody looks at a talk, until an instant; of the past: that he looks no more."""
    made: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"typing": typing, "until": until}
    statement = made(DESK_VIEWER).values(conversation=conversation, agent=agent, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["conversation", "agent"], set_=values))


def happened(connection: Connection, numbers: Sequence[int]) -> dict[int, Row[Any]]:
    """Return events by their numbers, each with the names of who did it and of who holds the talk."""
    query = _events().where(DESK_EVENT.c.id.in_(numbers))
    return {row.id: row for row in connection.execute(query)} if numbers else {}


def alerts_of(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, Row[Any]]:
    """Return alerts by their ids."""
    query = select(ALERT).where(ALERT.c.id.in_(ids))
    return {row.id: row for row in connection.execute(query)} if ids else {}
