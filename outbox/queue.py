"""The queue of what we owe, on the caller's connection: claim, settle, expire, revive, bury.

A citizen's messages are claimed one at a time and in order: a row waits for every earlier one of its conversation
to be settled. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    and_,
    bindparam,
    case,
    column,
    exists,
    func,
    insert,
    select,
    table,
    update,
)

from outbox.route import CUSTOM
from outbox.tables import ATTEMPT, OUTGOING, UNSETTLED, OutState

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_OWNER = -1
"""The epoch of a row that is owed whoever holds the conversation."""

# The gateway owns this table; these are the columns that sending depends on.
CONVERSATION = table(
    "conversation",
    Column("id", LargeBinary),
    Column("address", LargeBinary),
    column("epoch"),
    column("opted_out"),
    column("window_until"),
    column("window_left"),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row to be sent now, with what its way depends on; ``body`` and ``address`` are sealed."""

    id: bytes
    conversation: bytes
    account: str
    case_no: str
    notice: str
    route: str
    body: bytes
    attempts: int
    created_at: int
    address: bytes
    opted_out: bool
    window_until: int
    window_left: int | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed row. ``tried`` says that an attempt was made by ``route``."""

    id: bytes
    conversation: bytes
    state: OutState
    at: int
    route: str
    attempts: int
    outcome: str
    tried: bool = True
    next_at: int = 0
    window_closed: bool = False


def claim(
    connection: Connection, now: int, limit: int, lease: int, busy: Sequence[str] = ()
) -> list[Claimed]:
    """Take the longest due rows for sending, at most one per conversation, none of the accounts in ``busy``."""
    while ids := _take(connection, now, limit, lease, busy):
        # Rows written under an earlier owner are set aside; then there is room for others.
        if fresh := _claimed(connection, ids, now):
            return fresh
    return []


def _take(connection: Connection, now: int, limit: int, lease: int, busy: Sequence[str]) -> list[bytes]:
    earlier = OUTGOING.alias("earlier")
    blocked = exists().where(
        earlier.c.conversation == OUTGOING.c.conversation,
        earlier.c.id < OUTGOING.c.id,
        earlier.c.state.in_(UNSETTLED),
    )
    due = select(OUTGOING.c.id).where(
        OUTGOING.c.state == OutState.QUEUED,
        OUTGOING.c.next_at <= now,
        ~blocked,
        OUTGOING.c.account.not_in(busy),
    )
    due = due.order_by(OUTGOING.c.next_at, OUTGOING.c.id).limit(limit).with_for_update(skip_locked=True)
    ids = list(connection.execute(due).scalars())
    taken = (
        update(OUTGOING)
        .where(OUTGOING.c.id.in_(ids), OUTGOING.c.state == OutState.QUEUED)
        .values(state=OutState.SENDING, lease_until=lease, attempts=OUTGOING.c.attempts + 1)
        .returning(OUTGOING.c.id)
    )
    return list(connection.execute(taken).scalars()) if ids else []


def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """Write what became of claimed rows, and one attempt each."""
    if not settled:
        return
    change = (
        update(OUTGOING)
        .where(OUTGOING.c.id == bindparam("the_id"), OUTGOING.c.state == OutState.SENDING)
        .values(
            state=bindparam("new_state"),
            route=bindparam("new_route"),
            attempts=bindparam("new_attempts"),
            outcome=bindparam("new_outcome"),
            next_at=bindparam("new_next_at"),
            sent_at=bindparam("new_sent_at"),
        )
    )
    connection.execute(change, [_changes(row) for row in settled])
    tried = [row for row in settled if row.tried]
    if tried:
        connection.execute(insert(ATTEMPT), [_attempt(row) for row in tried])
    _spend(connection, settled)


def expire(connection: Connection, now: int) -> int:
    """Write off rows whose sender fell silent: nobody knows whether they arrived. Return how many."""
    lost = and_(OUTGOING.c.state.in_((OutState.SENDING, OutState.PASSIVE)), OUTGOING.c.lease_until < now)
    change = (
        update(OUTGOING).where(lost).values(state=OutState.UNKNOWN, outcome="no word of whether it was sent")
    )
    rows = connection.execute(change.returning(OUTGOING.c.id, OUTGOING.c.attempts, OUTGOING.c.route)).all()
    if rows:
        connection.execute(insert(ATTEMPT), [_unknown(connection, row, now) for row in rows])
    return len(rows)


def revive(connection: Connection, row: bytes, now_ms: int) -> bool:
    """Queue a row again that was given up, written off or buried; False when there is none such."""
    back = OUTGOING.c.state.in_((OutState.DEAD, OutState.UNKNOWN, OutState.BURIED))
    change = update(OUTGOING).where(OUTGOING.c.id == row, back)
    return connection.execute(change.values(state=OutState.QUEUED, next_at=now_ms, route="")).rowcount == 1


def bury(connection: Connection, row: bytes) -> bool:
    """Give a row up for good; False when there is none that could be."""
    out = OUTGOING.c.state.in_((OutState.DEAD, OutState.UNKNOWN, OutState.QUEUED))
    change = update(OUTGOING).where(OUTGOING.c.id == row, out)
    return (
        connection.execute(change.values(state=OutState.BURIED, outcome="buried by a person")).rowcount == 1
    )


def depth_and_age(connection: Connection, now_ms: int) -> tuple[int, int]:
    """Return how many rows are due or under way, and how long the oldest has waited (milliseconds)."""
    waiting = OUTGOING.c.state.in_((OutState.QUEUED, OutState.SENDING))
    query = select(func.count(), func.min(OUTGOING.c.next_at)).where(waiting, OUTGOING.c.next_at <= now_ms)
    count, oldest = connection.execute(query).one()
    return count, max(now_ms - oldest, 0) if oldest is not None else 0


def dead(connection: Connection) -> int:
    """Return how many rows a person must look at."""
    query = select(func.count()).where(OUTGOING.c.state == OutState.DEAD)
    return connection.execute(query).scalar_one()


def _claimed(connection: Connection, ids: list[bytes], now: int) -> list[Claimed]:
    joined = OUTGOING.join(CONVERSATION, CONVERSATION.c.id == OUTGOING.c.conversation)
    o, c = OUTGOING.c, CONVERSATION.c
    query = select(
        o.id, o.conversation, o.account, o.case_no, o.notice, o.route, o.body, o.attempts, o.created_at,
        c.address, c.opted_out, c.window_until, c.window_left, o.epoch, c.epoch.label("owner_epoch"),
    ).select_from(joined).where(o.id.in_(ids)).order_by(o.id)  # fmt: skip
    fresh, seen = [], set()
    for row in connection.execute(query):
        if row.epoch not in (ANY_OWNER, row.owner_epoch):
            _set(connection, row.id, OutState.STALE, now, "written under an earlier owner")
        elif row.conversation in seen:
            _set(connection, row.id, OutState.QUEUED, now, "", attempts=row.attempts - 1)
        else:
            seen.add(row.conversation)
            fresh.append(Claimed(*row[:-2]))
    return fresh


def _set(connection: Connection, row: bytes, state: OutState, now: int, outcome: str, **more: Any) -> None:
    values = {"state": state, "next_at": now, "outcome": outcome, **more}
    connection.execute(update(OUTGOING).where(OUTGOING.c.id == row).values(values))


def _changes(row: Settled) -> dict[str, Any]:
    return {
        "the_id": row.id,
        "new_state": row.state,
        "new_route": row.route,
        "new_attempts": row.attempts,
        "new_outcome": row.outcome,
        "new_next_at": row.next_at or row.at,
        "new_sent_at": row.at if row.state is OutState.SENT else None,
    }


def _attempt(row: Settled) -> dict[str, Any]:
    outcome = row.state.value
    return {
        "outgoing": row.id,
        "n": row.attempts,
        "at": row.at,
        "route": row.route,
        "outcome": outcome,
        "detail": row.outcome,
    }


def _unknown(connection: Connection, row: Any, now: int) -> dict[str, Any]:
    last = connection.execute(select(func.max(ATTEMPT.c.n)).where(ATTEMPT.c.outgoing == row.id)).scalar() or 0
    n = max(last + 1, row.attempts)
    return {
        "outgoing": row.id,
        "n": n,
        "at": now,
        "route": row.route,
        "outcome": "unknown",
        "detail": "lease expired",
    }


def _spend(connection: Connection, settled: Sequence[Settled]) -> None:
    """Take a customer-service message off the citizen's count, or close a window that proved closed."""
    spent = {
        row.conversation
        for row in settled
        if row.route == CUSTOM and row.state is not OutState.QUEUED and row.tried
    }
    closed = {row.conversation for row in settled if row.window_closed}
    left = CONVERSATION.c.window_left
    if spent:
        less = case((left > 0, left - 1), else_=left)
        connection.execute(update(CONVERSATION).where(CONVERSATION.c.id.in_(spent)).values(window_left=less))
    if closed:
        connection.execute(update(CONVERSATION).where(CONVERSATION.c.id.in_(closed)).values(window_left=0))
