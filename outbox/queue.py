"""The queue of what we owe, on the caller's connection: claim, settle, expire, revive, bury.

A citizen's messages are claimed one at a time and in order: a row waits for every earlier one of its conversation
to be settled. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    LargeBinary,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from outbox import consents, receipts
from outbox.route import CUSTOM, PASSIVE, SUBSCRIBE
from outbox.tables import ATTEMPT, FLIGHT, OUTGOING, QUEUED, SENT_AS, UNSETTLED, OutState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.sql.compiler import SQLCompiler

ANY_OWNER = -1
"""The epoch of a row that is owed whoever holds the conversation."""
HELD = "quiet hours"
"""The outcome of a row that waits for the morning; it is in nobody's way until then."""
LOST_AT_ONCE = 500
"""How many rows one claim writes off, so that a great loss does not hold the writer long."""
OUTCOME_CHARS = 500

# The gateway owns this table; these are the columns that sending depends on.
CONVERSATION = table(
    "conversation",
    Column("id", LargeBinary),
    Column("address", LargeBinary),
    column("epoch"),
    column("opted_out"),
    column("window_until"),
    column("window_left"),
    Column("thread", LargeBinary),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row to be sent now, with what its way depends on; ``body``, ``address`` and ``thread`` are sealed."""

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
    thread: bytes | None = None
    fields: bytes | None = None
    notice_key: str | None = None
    consents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed row.

    ``tried`` is the route by which an attempt was made, empty for none; ``route`` is what the row keeps of its way;
    ``names`` are what the provider calls it; ``template`` is the one it was sent by, ``refused`` when he does not agree
    to it; ``astray`` when no way of its own account is left.
    """

    row: Claimed
    state: OutState
    at: int
    outcome: str = ""
    tried: str = ""
    route: str = ""
    next_at: int = 0
    window_closed: bool = False
    names: tuple[str, ...] = ()
    template: str = ""
    refused: bool = False
    astray: bool = False


def claim(
    connection: Connection, now: int, limit: int, lease: int, busy: Sequence[str] = ()
) -> list[Claimed]:
    """Take the longest due rows for sending, at most one per conversation, none of the accounts in ``busy``.

    Rows written under an earlier owner are set aside as stale on the way.
    """
    while ids := list(connection.execute(_due(now, limit, busy)).scalars()):
        rows = connection.execute(_READ, {"ids": ids}).all()
        stale = [
            row.id for row in rows if row.owner_epoch is None or row.epoch not in (ANY_OWNER, row.owner_epoch)
        ]
        if stale:
            _set_aside(connection, stale)
        taken = [_taken(tuple(row)) for row in rows if row.id not in stale]
        if taken:
            agreed = consents.of(connection, [row.conversation for row in taken if row.fields is not None])
            taken = [
                replace(row, consents=agreed[row.conversation]) if row.conversation in agreed else row
                for row in taken
            ]
            _mark_taken(connection, taken, lease)
            return taken
    return []


def settle(connection: Connection, settled: Sequence[Settled]) -> list[Settled]:
    """Write what became of claimed rows, and one attempt each; return those whose receipt says that they did not arrive.

    A row that was written off meanwhile takes the late word; one that a person or another sender took up does not.
    """
    if not settled:
        return []
    stand = _standing(connection, settled)
    written = [one for one in settled if stand.get(one.row.id, (0, ""))[0] == one.row.attempts]
    if not written:
        return []
    connection.execute(_CHANGE, [_changes(one) for one in written])
    if late := [_key(one) for one in written if stand[one.row.id][1] == OutState.UNKNOWN]:
        connection.execute(_FORGET, late)
    if tried := [_attempt(one) for one in written if one.tried]:
        connection.execute(insert(ATTEMPT), tried)
    _spend(connection, written)
    return [one for one in written if _named(connection, one) is OutState.UNDELIVERED]


def _named(connection: Connection, one: Settled) -> OutState | None:
    """Note under which names a row was sent, and return what a receipt that came before made of it."""
    row = one.row
    return receipts.sent(connection, row.account, one.names, outgoing=row.id, case_no=row.case_no, at=one.at)


def expire(connection: Connection, now: int) -> int:
    """Write off rows whose sender fell silent: nobody knows whether they arrived. Return how many."""
    under_way = OUTGOING.c.state.in_((OutState.SENDING, OutState.PASSIVE))
    unsettled = OUTGOING.c.state.in_(UNSETTLED)
    lost = select(OUTGOING.c.id).where(unsettled, under_way, OUTGOING.c.lease_until < now).limit(LOST_AT_ONCE)
    ids = list(connection.execute(lost.with_for_update(skip_locked=True)).scalars())
    ids += _crashed(connection, now)
    if not ids:
        return 0
    # A passive reply is counted as tried here; what the sender takes was counted when it was claimed.
    tries = case((OUTGOING.c.state == OutState.SENDING, OUTGOING.c.attempts), else_=OUTGOING.c.attempts + 1)
    change = (
        update(OUTGOING)
        .where(OUTGOING.c.id.in_(ids))
        .values(
            state=OutState.UNKNOWN, outcome="no word of whether it was sent", attempts=tries, sent_at=None
        )
        .returning(OUTGOING.c.id, OUTGOING.c.attempts, OUTGOING.c.route)
    )
    rows = connection.execute(change).all()
    connection.execute(insert(ATTEMPT), [_lost(row, now) for row in rows])
    return len(rows)


def _crashed(connection: Connection, now: int) -> list[bytes]:
    """Return the passive replies of flights that nobody ended, and end them."""
    old = select(FLIGHT.c.id, FLIGHT.c.members).where(FLIGHT.c.lease_until < now).limit(LOST_AT_ONCE // 100)
    flights = connection.execute(old.with_for_update(skip_locked=True)).all()
    if not flights:
        return []
    connection.execute(delete(FLIGHT).where(FLIGHT.c.id.in_([row.id for row in flights])))
    ids = [row.members[at : at + 16] for row in flights for at in range(16, len(row.members), 32)]
    trusted = (OUTGOING.c.state == OutState.SENT, OUTGOING.c.route == PASSIVE)
    lost = select(OUTGOING.c.id).where(OUTGOING.c.id.in_(ids), *trusted).with_for_update(skip_locked=True)
    return list(connection.execute(lost).scalars())


def moved(connection: Connection, row: bytes, outcome: str) -> None:
    """Note that a row is told by another address, in a row of its own."""
    lost = OUTGOING.c.state.in_((OutState.DEAD, OutState.UNDELIVERED))
    change = update(OUTGOING).where(OUTGOING.c.id == row, lost)
    connection.execute(change.values(state=OutState.MOVED, outcome=clean(outcome)))


def sent_as(connection: Connection, account: str, name: str) -> Claimed | None:
    """Return the row that was sent under a name, None when there is none."""
    outgoing = select(SENT_AS.c.outgoing).where(SENT_AS.c.account == account, SENT_AS.c.name == name)
    row = connection.execute(_READ, {"ids": [connection.execute(outgoing).scalar()]}).first()
    return Claimed(*tuple(row)[:-2]) if row is not None else None


def revive(connection: Connection, row: bytes, now_ms: int) -> bool:
    """Queue a row again that was given up, written off or buried; False when there is none such."""
    back = OUTGOING.c.state.in_((OutState.DEAD, OutState.UNKNOWN, OutState.UNDELIVERED, OutState.BURIED))
    change = update(OUTGOING).where(OUTGOING.c.id == row, back)
    return connection.execute(change.values(state=OutState.QUEUED, next_at=now_ms, route="")).rowcount == 1


def bury(connection: Connection, row: bytes) -> bool:
    """Give a row up for good; False when there is none that could be."""
    out = OUTGOING.c.state.in_((OutState.DEAD, OutState.UNKNOWN, OutState.UNDELIVERED, OutState.QUEUED))
    change = update(OUTGOING).where(OUTGOING.c.id == row, out)
    return (
        connection.execute(change.values(state=OutState.BURIED, outcome="buried by a person")).rowcount == 1
    )


def forget(connection: Connection, rows: Sequence[bytes]) -> None:
    """Forget settled rows with their attempts and their names at the provider's."""
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.outgoing.in_(rows)))
    connection.execute(delete(SENT_AS).where(SENT_AS.c.outgoing.in_(rows)))
    connection.execute(delete(OUTGOING).where(OUTGOING.c.id.in_(rows)))


def depth_and_age(connection: Connection, now_ms: int) -> tuple[int, int]:
    """Return how many rows are due or under way, and how long the oldest has waited (milliseconds)."""
    waiting = (OUTGOING.c.state.in_(UNSETTLED), OUTGOING.c.state != OutState.PASSIVE)
    query = select(func.count(), func.min(OUTGOING.c.next_at)).where(*waiting, OUTGOING.c.next_at <= now_ms)
    count, oldest = connection.execute(query).one()
    return count, max(now_ms - oldest, 0) if oldest is not None else 0


_OF_ROW = ("id", "conversation", "account", "case_no", "notice", "route", "body", "attempts", "created_at")
_OF_PERSON = ("address", "opted_out", "window_until", "window_left", "thread")
_OF_NOTICE = ("fields", "notice_key")
_CHANGE = (
    update(OUTGOING)
    .where(OUTGOING.c.id == bindparam("the_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("state", "route", "attempts", "outcome", "next_at", "sent_at")
        }
    )
)
_READ = (
    select(
        *(OUTGOING.c[name] for name in _OF_ROW), *(CONVERSATION.c[name] for name in _OF_PERSON),
        *(OUTGOING.c[name] for name in _OF_NOTICE),
        OUTGOING.c.epoch, CONVERSATION.c.epoch.label("owner_epoch"),
    )
    .select_from(OUTGOING.outerjoin(CONVERSATION, CONVERSATION.c.id == OUTGOING.c.conversation))
    .where(OUTGOING.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(OUTGOING.c.id)
)  # fmt: skip
_FORGET = delete(ATTEMPT).where(ATTEMPT.c.outgoing == bindparam("the_id"), ATTEMPT.c.n == bindparam("the_n"))


class _Holds(FunctionElement[bool]):
    """Whether the first bytes hold the second."""

    type = Boolean()
    inherit_cache = True


@compiles(_Holds)
def _instr(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    whole, part = element.clauses
    return f"instr({compiler.process(whole, **options)}, {compiler.process(part, **options)}) > 0"


@compiles(_Holds, "postgresql")
def _position(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    whole, part = element.clauses
    return f"position({compiler.process(part, **options)} IN {compiler.process(whole, **options)}) > 0"


def _due(now: int, limit: int, busy: Sequence[str]) -> Select[Any]:
    o, earlier = OUTGOING.c, OUTGOING.alias("earlier").c
    held = and_(earlier.state == OutState.QUEUED, earlier.outcome == HELD, earlier.next_at > now)
    before = and_(earlier.conversation == o.conversation, earlier.id < o.id)
    # Not EXISTS: PostgreSQL without fresh statistics makes a join of that, and reads all unsettled rows for every due
    # one (95 ms a claim instead of 6 with 2,000 rows due).
    earliest = select(earlier.id).where(before, earlier.state.in_(UNSETTLED), ~held).limit(1)
    free = earliest.correlate(OUTGOING).scalar_subquery().is_(None)
    flying = select(FLIGHT.c.id).where(_Holds(FLIGHT.c.members, o.conversation)).limit(1)
    landed = flying.correlate(OUTGOING).scalar_subquery().is_(None)
    due = select(o.id).where(o.state == QUEUED, o.next_at <= now, o.account.not_in(busy), free, landed)
    oldest = due.order_by(o.next_at, o.id).limit(limit)
    return oldest.with_for_update(of=OUTGOING, skip_locked=True)


def _taken(row: tuple[Any, ...]) -> Claimed:
    claimed = Claimed(*row[:-2])
    # What the sender takes rides in no answer any more.
    route = "" if claimed.route == PASSIVE else claimed.route
    return replace(claimed, attempts=claimed.attempts + 1, route=route)


def _mark_taken(connection: Connection, taken: Sequence[Claimed], lease: int) -> None:
    change = update(OUTGOING).where(OUTGOING.c.id.in_([row.id for row in taken]))
    route = case((OUTGOING.c.route == PASSIVE, ""), else_=OUTGOING.c.route)
    tries = OUTGOING.c.attempts + 1
    connection.execute(change.values(state=OutState.SENDING, lease_until=lease, attempts=tries, route=route))


def _set_aside(connection: Connection, ids: Sequence[bytes]) -> None:
    change = update(OUTGOING).where(OUTGOING.c.id.in_(ids))
    connection.execute(change.values(state=OutState.STALE, outcome="written under an earlier owner"))


def _standing(connection: Connection, settled: Sequence[Settled]) -> dict[bytes, tuple[int, str]]:
    """Return tries and state of the rows that still wait for their sender's word.

    Conversations are locked in id order, as a batch of the pipeline does, so that neither waits for the other.
    """
    o, c = OUTGOING.c, CONVERSATION.c
    silent = o.state.in_((OutState.SENDING, OutState.UNKNOWN))
    query = (
        select(o.id, o.attempts, o.state)
        .select_from(OUTGOING.join(CONVERSATION, c.id == o.conversation))
        .where(o.id.in_([one.row.id for one in settled]), silent)
        .order_by(c.id)
        .with_for_update()
    )
    return {row.id: (row.attempts, row.state) for row in connection.execute(query)}


def _key(one: Settled) -> dict[str, Any]:
    return {"the_id": one.row.id, "the_n": one.row.attempts}


def _changes(one: Settled) -> dict[str, Any]:
    return {
        "the_id": one.row.id,
        "new_state": one.state,
        "new_route": one.route,
        "new_attempts": one.row.attempts if one.tried else one.row.attempts - 1,
        "new_outcome": clean(one.outcome),
        "new_next_at": one.next_at or one.at,
        "new_sent_at": one.at if one.state is OutState.SENT else None,
    }


def _attempt(one: Settled) -> dict[str, Any]:
    return {
        "outgoing": one.row.id,
        "n": one.row.attempts,
        "at": one.at,
        "route": one.tried,
        "outcome": one.state.value,
        "detail": clean(one.outcome),
    }


def _lost(row: Row[Any], now: int) -> dict[str, Any]:
    return {
        "outgoing": row.id,
        "n": row.attempts,
        "at": now,
        "route": row.route,
        "outcome": OutState.UNKNOWN.value,
        "detail": "lease expired",
    }


def clean(outcome: str) -> str:
    """Return a provider's words as any database takes them: no NUL, no half of a character, not too many."""
    return outcome[:OUTCOME_CHARS].replace("\0", "").encode("utf-8", "replace").decode()


def _spend(connection: Connection, written: Sequence[Settled]) -> None:
    """Take a customer-service message off the citizen's count, or close a window that proved closed."""
    gone = (OutState.SENT, OutState.UNKNOWN)
    spent = [one.row.conversation for one in written if one.tried == CUSTOM and one.state in gone]
    closed = [one.row.conversation for one in written if one.window_closed]
    used = [one for one in written if one.tried == SUBSCRIBE]
    consents.spend(connection, [(one.row.conversation, one.template) for one in used if one.state in gone])
    consents.end(connection, [(one.row.conversation, one.template) for one in used if one.refused])
    left = CONVERSATION.c.window_left
    if spent:
        less = case((left > 0, left - 1), else_=left)
        connection.execute(update(CONVERSATION).where(CONVERSATION.c.id.in_(spent)).values(window_left=less))
    if closed:
        connection.execute(update(CONVERSATION).where(CONVERSATION.c.id.in_(closed)).values(window_left=0))
