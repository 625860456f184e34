"""Who holds which talk, in SQL: the desk's own questions, each on the caller's connection.

The order of locks is one for all: conversation, agent, and the lock of the event log last of all. Whoever holds an
agent's row waits for no conversation, and whoever holds the log waits for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, case, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.desk_tables import AGENT, DESK_EVENT, DESK_TALK, PRESENCE, SERVICE_RATING
from gateway.store.rows import DeskEventRow
from gateway.store.tables import ALERT, CONVERSATION, OUTGOING
from outbox import notices
from outbox.queue import ANY_OWNER
from outbox.tables import UNSETTLED, OutState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from gateway.store.rows import OutgoingRow

EVENT_LOCK = 44_189_6222
"""The number of the advisory lock under which events get their ids, held until the commit."""
ACCEPTED = ("accepted", "assigned", "taken")
"""The kinds of events by which a talk went from the queue to an agent."""
RECENT = 20_000
"""How many of the newest events are looked through for them."""
TOLD = "told"
"""The kind of the event that says what a citizen was told of his wait."""
AGENT_NOTICE = notices.AGENT
"""The ``notice`` of a row that a person wrote."""


class Talk(NamedTuple):
    """A conversation as the desk sees it; ``state`` and ``address`` are sealed."""

    conversation: bytes
    account: str
    state: bytes
    owner: str
    epoch: int
    enqueued_at: int | None
    skill: str
    urgent: bool
    agent: bytes | None = None
    rank: int | None = None
    only_for: bytes | None = None
    weight: int = 5
    held: bool = False
    waiting_since: int | None = None
    clock: str = ""
    due_at: int | None = None
    last_agent: bytes | None = None
    last_at: int | None = None
    refused: bytes | None = None


class Event(NamedTuple):
    """A row of ``desk_event`` as it is read."""

    id: int
    at: int
    conversation: bytes | None
    kind: str
    owner: str
    epoch: int
    agent: bytes | None
    actor: bytes | None
    detail: str
    note: bytes | None


_C, _T = CONVERSATION.c, DESK_TALK.c
_OF_CONVERSATION = (_C.id, _C.account, _C.state, _C.owner, _C.epoch, _C.enqueued_at, _C.skill, _C.urgent)
_OF_TALK = Talk._fields[8:]

# A claim's statements are made once: to make them anew cost more than all that the database does with them.
_CONVERSATION = select(*_OF_CONVERSATION).where(_C.id == bindparam("conversation"))
_LOCK = _CONVERSATION.with_for_update(of=CONVERSATION)
_LOCK_OR_SKIP = _CONVERSATION.with_for_update(of=CONVERSATION, skip_locked=True)
_NOTED = select(*(_T[name] for name in _OF_TALK)).where(_T.conversation == bindparam("conversation"))
_GIVE = update(CONVERSATION).where(_C.id == bindparam("the_id")).values(version=_C.version + 1)
_WEIGHS = func.coalesce(func.sum(case((_T.held, 0), else_=_T.weight)), 0)
_LOAD = select(_WEIGHS).where(_T.agent == bindparam("agent"))
_LOCK_AGENT = select(AGENT).where(AGENT.c.id == bindparam("agent")).with_for_update()
_HERE = exists().where(PRESENCE.c.agent == bindparam("agent"), PRESENCE.c.until > bindparam("now"))
_PRESENT = select(_HERE)
_ROOM = select(_HERE, _LOAD.scalar_subquery())
_ASSIGNED = update(AGENT).where(AGENT.c.id == bindparam("the_id"))
_LAST_EVENT = select(func.coalesce(func.max(DESK_EVENT.c.id), 0))
_APPEND = insert(DESK_EVENT).values(id=_LAST_EVENT.scalar_subquery() + 1).returning(DESK_EVENT.c.id)
_PROMISE = insert(OUTGOING)
# By what is unsettled of one talk, never by all that is queued: with a long backlog every close would read it whole.
_RELEASE = (
    update(OUTGOING)
    .where(
        OUTGOING.c.conversation == bindparam("talk"),
        OUTGOING.c.state.in_(UNSETTLED),
        OUTGOING.c.state == OutState.QUEUED,
        OUTGOING.c.notice == AGENT_NOTICE,
        OUTGOING.c.epoch == bindparam("before"),
    )
    .values(
        epoch=ANY_OWNER,
        next_at=case((OUTGOING.c.attempts == 0, bindparam("now")), else_=OUTGOING.c.next_at),
    )
)
_LOG_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


def _keeping(made: Any) -> Any:
    row = made(DESK_TALK)
    changed = {name: row.excluded[name] for name in _OF_TALK}
    return row.on_conflict_do_update(index_elements=[_T.conversation], set_=changed)


_KEEP = {"sqlite": _keeping(sqlite.insert), "postgresql": _keeping(postgresql.insert)}


def lock(connection: Connection, conversation: bytes, *, skip: bool = False) -> Talk | None:
    """Lock a conversation and return it; None when there is none, or (``skip``) when another has the lock."""
    named = {"conversation": conversation}
    row = connection.execute(_LOCK_OR_SKIP if skip else _LOCK, named).first()
    if row is None:
        return None
    # A second statement: on PostgreSQL only that one sees what the former holder of the lock has written here.
    return Talk(*row, *(connection.execute(_NOTED, named).first() or ()))


def seen(connection: Connection, conversation: bytes) -> Talk | None:
    """Return a conversation without locking it."""
    joined = CONVERSATION.outerjoin(DESK_TALK, _T.conversation == _C.id)
    query = select(*_OF_CONVERSATION, _T.conversation, *(_T[name] for name in _OF_TALK)).select_from(joined)
    row = connection.execute(query.where(_C.id == conversation)).first()
    if row is None:
        return None
    return Talk(*row[:8]) if row[8] is None else Talk(*row[:8], *row[9:])


def give(connection: Connection, talk: Talk) -> Talk:
    """Write a locked talk under its next epoch and return it so."""
    new = talk._replace(epoch=talk.epoch + 1)
    change = {
        "owner": new.owner,
        "epoch": new.epoch,
        "state": new.state,
        "enqueued_at": new.enqueued_at,
        "skill": new.skill,
    }
    connection.execute(_GIVE, {"the_id": new.conversation, **change})
    keep(connection, new)
    return new


def remember(connection: Connection, talk: Talk) -> None:
    """Write what the bot remembers of a locked talk; its owner and epoch stay."""
    connection.execute(_GIVE, {"the_id": talk.conversation, "state": talk.state})


def keep(connection: Connection, talk: Talk) -> None:
    """Write what the desk notes of a locked talk; its owner stays."""
    noted = {name: getattr(talk, name) for name in _OF_TALK}
    connection.execute(_KEEP[connection.dialect.name], {"conversation": talk.conversation, **noted})


def load(connection: Connection, agent: bytes) -> int:
    """Return what an agent holds, in fifths of a chat; what is on hold weighs nothing."""
    return int(connection.execute(_LOAD, {"agent": agent}).scalar_one())


def lock_agent(connection: Connection, agent: bytes) -> dict[str, Any] | None:
    """Lock an agent's row and return it: while it is locked nobody else gives this agent anything."""
    row = connection.execute(_LOCK_AGENT, {"agent": agent}).mappings().first()
    return None if row is None else {**row}


def agent(connection: Connection, agent: bytes) -> dict[str, Any] | None:
    """Return an agent's row without locking it."""
    row = connection.execute(select(AGENT).where(AGENT.c.id == agent)).mappings().first()
    return None if row is None else {**row}


def choose(connection: Connection, agent: bytes, state: str) -> None:
    """Note what an agent chose to be."""
    connection.execute(update(AGENT).where(AGENT.c.id == agent).values(state=state))


def present(connection: Connection, agent: bytes, now: int) -> bool:
    """Return whether one of an agent's tabs is open."""
    return bool(connection.execute(_PRESENT, {"agent": agent, "now": now}).scalar())


def room(connection: Connection, agent: bytes, now: int) -> tuple[bool, int]:
    """Return whether an agent is there, and what he holds, in fifths of a chat."""
    here, held = connection.execute(_ROOM, {"agent": agent, "now": now}).one()
    return bool(here), int(held)


def assigned(connection: Connection, agent: bytes, now: int) -> None:
    """Note that an agent was given something."""
    connection.execute(_ASSIGNED, {"the_id": agent, "assigned_at": now})


def queue(connection: Connection, page: int) -> Iterator[Talk]:
    """Yield the queue in its order, read by pages: who reads no further asks for no more."""
    joined = DESK_TALK.join(CONVERSATION, _C.id == _T.conversation)
    query = select(*_OF_CONVERSATION, *(_T[name] for name in _OF_TALK)).select_from(joined)
    line = query.where(_T.rank.is_not(None), _C.owner == "queued").order_by(_T.rank, _T.conversation)
    after: Talk | None = None
    while True:
        rest = line if after is None else line.where(_behind(after))
        talks = [Talk(*row) for row in connection.execute(rest.limit(page))]
        yield from talks
        if len(talks) < page:
            return
        after = talks[-1]


def _behind(talk: Talk) -> ColumnElement[bool]:
    later = and_(_T.rank == talk.rank, _T.conversation > talk.conversation)
    return or_(_T.rank > talk.rank, later)


def ahead(connection: Connection, talk: Talk) -> int:
    """Return how many stand before a queued talk; whoever left is not counted."""
    before = or_(_T.rank < talk.rank, and_(_T.rank == talk.rank, _T.conversation < talk.conversation))
    return int(connection.execute(select(func.count()).select_from(DESK_TALK).where(before)).scalar_one())


def waiting(connection: Connection) -> int:
    """Return how many are in the queue."""
    return int(connection.execute(select(func.count(_T.rank)).where(_T.rank.is_not(None))).scalar_one())


def online(connection: Connection, roles: Sequence[str], now: int) -> int:
    """Return how many are there to whom talks may be given, busy ones too."""
    here = select(PRESENCE.c.agent).where(PRESENCE.c.until > now)
    able = (AGENT.c.state != "away", ~AGENT.c.disabled, AGENT.c.role.in_(roles), AGENT.c.id.in_(here))
    return int(connection.execute(select(func.count()).select_from(AGENT).where(*able)).scalar_one())


def accepted(connection: Connection, since: int) -> int:
    """Return how many talks went to an agent since an instant, among the newest events."""
    newest = last_event(connection) - RECENT
    got = (DESK_EVENT.c.id > newest, DESK_EVENT.c.kind.in_(ACCEPTED), DESK_EVENT.c.at > since)
    return int(connection.execute(select(func.count()).select_from(DESK_EVENT).where(*got)).scalar_one())


def told(connection: Connection, conversation: bytes, since: int) -> list[str]:
    """Return what a citizen was told of his wait since he came, oldest first."""
    his = (DESK_EVENT.c.conversation == conversation, DESK_EVENT.c.kind == TOLD, DESK_EVENT.c.at >= since)
    return list(
        connection.execute(select(DESK_EVENT.c.detail).where(*his).order_by(DESK_EVENT.c.id)).scalars()
    )


def may_write(connection: Connection, conversation: bytes, now: int, spare: int) -> bool:
    """Return whether the channel's leave holds and has more than ``spare`` messages left, or it asks for none."""
    row = connection.execute(select(_C.window_until, _C.window_left).where(_C.id == conversation)).one()
    if row.window_until == 0:
        return True
    return row.window_until > now and (row.window_left is None or row.window_left > spare)


def free(connection: Connection, roles: Sequence[str], now: int) -> list[tuple[dict[str, Any], int]]:
    """Return who is online, may reply and is not disabled, each with what he holds."""
    here = select(PRESENCE.c.agent).where(PRESENCE.c.until > now)
    weighs = func.sum(case((_T.held, 0), else_=_T.weight)).label("load")
    held = select(_T.agent, weighs).where(_T.agent.is_not(None)).group_by(_T.agent).subquery()
    query = (
        select(AGENT, func.coalesce(held.c.load, 0).label("load"))
        .select_from(AGENT.outerjoin(held, held.c.agent == AGENT.c.id))
        .where(AGENT.c.state == "online", ~AGENT.c.disabled, AGENT.c.role.in_(roles), AGENT.c.id.in_(here))
    )
    return [({**row}, row["load"]) for row in connection.execute(query).mappings()]


def owned(connection: Connection, agent: bytes) -> list[bytes]:
    """Return the conversations an agent holds."""
    query = select(_T.conversation).where(_T.agent == agent).order_by(_T.conversation)
    return list(connection.execute(query).scalars())


def due(connection: Connection, now: int, limit: int) -> list[bytes]:
    """Return the conversations whose clock has struck."""
    query = select(_T.conversation).where(_T.due_at.is_not(None), _T.due_at <= now)
    return list(connection.execute(query.order_by(_T.due_at).limit(limit)).scalars())


def clocked(connection: Connection, after: bytes, limit: int) -> list[bytes]:
    """Return the conversations that have a running clock, in the order of their ids."""
    query = select(_T.conversation).where(_T.due_at.is_not(None), _T.conversation > after)
    return list(connection.execute(query.order_by(_T.conversation).limit(limit)).scalars())


def latest(connection: Connection, conversation: bytes, kinds: Sequence[str]) -> int | None:
    """Return when something of these kinds happened last in a conversation, None for never."""
    query = select(DESK_EVENT.c.at).where(_of(conversation), DESK_EVENT.c.kind.in_(kinds))
    return connection.execute(query.order_by(DESK_EVENT.c.id.desc()).limit(1)).scalar()


def first(connection: Connection, conversation: bytes, kind: str, after: int) -> int | None:
    """Return when something of a kind happened first after an instant, None for never."""
    query = select(DESK_EVENT.c.at).where(
        _of(conversation), DESK_EVENT.c.kind == kind, DESK_EVENT.c.at > after
    )
    return connection.execute(query.order_by(DESK_EVENT.c.id).limit(1)).scalar()


def _of(conversation: bytes) -> ColumnElement[bool]:
    return DESK_EVENT.c.conversation == conversation


def holders_gone(connection: Connection, before: int) -> list[bytes]:
    """Return the agents who hold something and whose last tab was closed before an instant, or who are disabled."""
    last = select(func.max(PRESENCE.c.until)).where(PRESENCE.c.agent == AGENT.c.id).scalar_subquery()
    holds = select(_T.agent).where(_T.agent.is_not(None))
    gone = or_(AGENT.c.disabled, func.coalesce(last, 0) < before)
    return list(connection.execute(select(AGENT.c.id).where(AGENT.c.id.in_(holds), gone)).scalars())


def promise(connection: Connection, rows: Sequence[OutgoingRow]) -> None:
    """Put rows into the queue of what is owed."""
    if rows:
        connection.execute(_PROMISE, [row._asdict() for row in rows])


def release(connection: Connection, talk: Talk, now: int) -> None:
    """Let what the holder wrote go out now, whoever is next: he hands over with his words said."""
    connection.execute(_RELEASE, {"talk": talk.conversation, "before": talk.epoch, "now": now})


def undo(connection: Connection, row: bytes, conversation: bytes, epoch: int, now: int) -> bool:
    """Take back what a person wrote while it has not gone out; False when it is too late."""
    still = (
        OUTGOING.c.id == row,
        OUTGOING.c.conversation == conversation,
        OUTGOING.c.epoch == epoch,
        OUTGOING.c.notice == AGENT_NOTICE,
        OUTGOING.c.state == OutState.QUEUED,
        OUTGOING.c.attempts == 0,
        OUTGOING.c.next_at > now,
    )
    gone = update(OUTGOING).where(*still).values(state=OutState.BURIED, outcome="taken back by its writer")
    return connection.execute(gone).rowcount == 1


def echoed(connection: Connection, key: str) -> bytes | None:
    """Return the row that was written under a key before."""
    return connection.execute(select(OUTGOING.c.id).where(OUTGOING.c.notice_key == key)).scalar()


def ask(connection: Connection, talk: Talk, now: int) -> bool:
    """Note that the citizen of a locked talk is asked to rate the service; False when he was asked before."""
    made: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"conversation": talk.conversation, "began_at": talk.enqueued_at, "agent": talk.agent}
    statement = made(SERVICE_RATING).values(**row, asked_at=now).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def acknowledge(connection: Connection, alert: bytes, now: int) -> bytes | None:
    """Note that somebody looks after an alert and return its conversation; None for one that is not open."""
    here = (ALERT.c.id == alert, ALERT.c.acknowledged_at.is_(None))
    done = update(ALERT).where(*here).values(acknowledged_at=now).returning(ALERT.c.conversation)
    return connection.execute(done).scalar()


def append(connection: Connection, events: Sequence[DeskEventRow]) -> int:
    """Append events and return the id of the last; nothing may be locked after this in the same transaction."""
    if connection.dialect.name == "postgresql":
        # A statement of its own: the next one then sees every event that has its id.
        connection.execute(_LOG_LOCK, {"lock": EVENT_LOCK})
    last = 0
    for event in events:
        last = int(connection.execute(_APPEND, event._asdict()).scalar_one())
    return last or last_event(connection)


def events(connection: Connection, after: int, limit: int) -> list[Event]:
    """Return what happened after an id, in order."""
    query = select(DESK_EVENT).where(DESK_EVENT.c.id > after).order_by(DESK_EVENT.c.id).limit(limit)
    return [Event(*row) for row in connection.execute(query)]


def last_event(connection: Connection) -> int:
    """Return the id of the newest event, 0 for none."""
    return int(connection.execute(_LAST_EVENT).scalar_one())


def beat(connection: Connection, agent: bytes, tab: str, until: int) -> None:
    """Extend the lease of a tab."""
    made: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = made(PRESENCE).values(agent=agent, tab=tab, until=until)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["agent", "tab"], set_={"until": until})
    )


def leave(connection: Connection, agent: bytes, tab: str, now: int) -> None:
    """End the lease of a tab now; the grace of the agent begins when it was the last."""
    mine = (PRESENCE.c.agent == agent, PRESENCE.c.tab == tab, PRESENCE.c.until > now)
    connection.execute(update(PRESENCE).where(*mine).values(until=now))


def last_seen(connection: Connection, agent: bytes) -> int:
    """Return until when the longest lease of an agent runs, 0 for none."""
    query = select(func.coalesce(func.max(PRESENCE.c.until), 0)).where(PRESENCE.c.agent == agent)
    return int(connection.execute(query).scalar_one())
