"""The ladder against abuse, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import exists, insert, literal, or_, select, union, update

from gateway.store.tables import BINDING, CASES, CONVERSATION, DESK_EVENT, RESTRICTION
from outbox.tables import Id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, CompoundSelect, Connection

_R = RESTRICTION.c
UPHELD = "upheld"
"""What the event of an appeal that was refused ends with."""


class Row(NamedTuple):
    """A row of ``restriction``."""

    id: bytes
    conversation: bytes
    level: int
    why: str
    state: str
    agent: bytes
    approver: bytes | None
    at: int
    hours: int
    until: int | None
    note: bytes | None


def add(connection: Connection, row: Row) -> None:
    """Write a step down."""
    connection.execute(insert(RESTRICTION).values(row._asdict()))


def talk_of(connection: Connection, restriction: bytes) -> bytes | None:
    """Return the talk a step was taken in, None for no such step."""
    return connection.execute(select(_R.conversation).where(_R.id == restriction)).scalar()


def lock(connection: Connection, restriction: bytes) -> Row:
    """Lock a step that is there and return it."""
    query = select(RESTRICTION).where(_R.id == restriction).with_for_update()
    return Row(*connection.execute(query).one())


def keep(connection: Connection, row: Row) -> None:
    """Write a locked step as it is now."""
    change = {"state": row.state, "approver": row.approver, "until": row.until}
    connection.execute(update(RESTRICTION).where(_R.id == row.id).values(change))


def supersede(connection: Connection, row: Row) -> None:
    """End whatever else is active against a person: one restriction at a time."""
    others = (_R.conversation.in_(_his(row.conversation)), _R.state == "active", _R.id != row.id)
    connection.execute(update(RESTRICTION).where(*others).values(state="superseded"))


def of(connection: Connection, conversation: bytes) -> list[Row]:
    """Return the steps taken against a talk's person, newest first."""
    his = _R.conversation.in_(_his(conversation))
    query = select(RESTRICTION).where(his).order_by(_R.at.desc(), _R.id.desc())
    return [Row(*row) for row in connection.execute(query)]


def open_steps(connection: Connection, now: int, limit: int) -> list[tuple[Row, bool]]:
    """Return proposals, then what is active, each the oldest first; True for what an appeal waits against, and those come first."""
    proposed = select(RESTRICTION).where(_R.state == "proposed").order_by(_R.at).limit(limit)
    holding = (_R.state == "active", _R.until > now)
    active = select(RESTRICTION, appeal_waits().label("appealed")).where(*holding).order_by(_R.at)
    held = [(Row(*row[:-1]), bool(row[-1])) for row in connection.execute(active.limit(limit))]
    held.sort(key=lambda each: not each[1])
    return [*((Row(*row), False) for row in connection.execute(proposed)), *held]


def appealed(connection: Connection, row: Row) -> bool:
    """Return whether an appeal against a step waits for an answer."""
    query = select(_R.id).where(_R.id == row.id, appeal_waits())
    return connection.execute(query).first() is not None


def appeal(connection: Connection, row: Row) -> bytes | None:
    """Return the talk in which the last appeal against a step was made, None for none."""
    event = DESK_EVENT.c
    made = (event.conversation.in_(_his(row.conversation)), event.kind == "appeal", event.at >= row.at)
    return connection.execute(select(event.conversation).where(*made).order_by(event.id.desc())).scalar()


def appeal_waits() -> ColumnElement[bool]:
    """Return the condition that the last appeal of a step's person came after the step, and after its last answer."""
    appeal, answers = DESK_EVENT.alias("appeal"), DESK_EVENT.alias("answer")
    event, answer = appeal.c, answers.c
    answered = exists().where(
        answer.conversation == _R.conversation,
        answer.kind == "abuse",
        answer.detail.like(f"% {UPHELD}"),
        answer.id > event.id,
    )
    me, other = BINDING.alias("appealed"), BINDING.alias("appeals")
    his = exists().where(
        me.c.conversation == _R.conversation,
        other.c.person == me.c.person,
        other.c.conversation == event.conversation,
    )
    # Said outright: by itself a statement within two others sees the nearer one alone, and would ask of any step.
    answered, his = (each.correlate(RESTRICTION, appeal) for each in (answered, his))
    return exists().where(
        or_(event.conversation == _R.conversation, his),
        event.kind == "appeal",
        event.at >= _R.at,
        ~answered,
    )


def holding(connection: Connection, conversation: bytes, now: int, least: int = 0) -> Row | None:
    """Return the strongest step, of at least a level, that holds a talk's person off; None for none."""
    on = (_R.state == "active", _R.until > now, _R.level >= least)
    query = select(RESTRICTION).where(_R.conversation.in_(_his(conversation)), *on)
    row = connection.execute(query.order_by(_R.level.desc(), _R.until.desc()).limit(1)).first()
    return Row(*row) if row else None


def joined(connection: Connection, now: int) -> list[bytes]:
    """Return the talks that were found to be those of somebody held off after he was."""
    me, other = BINDING.alias("me"), BINDING.alias("other")
    query = (
        select(other.c.conversation)
        .join(me, me.c.person == other.c.person)
        .join(RESTRICTION, _R.conversation == me.c.conversation)
        .join(CONVERSATION, CONVERSATION.c.id == other.c.conversation)
        .where(_R.state == "active", _R.until > now, other.c.conversation != _R.conversation)
        .where(or_(other.c.at > _R.at, me.c.at > _R.at))
    )
    return list(connection.execute(query.distinct()).scalars())


def talks(connection: Connection, conversation: bytes) -> list[bytes]:
    """Return all talks of a talk's person, itself among them, in the order in which they are to be locked."""
    query = select(CONVERSATION.c.id).where(CONVERSATION.c.id.in_(_his(conversation)))
    return list(connection.execute(query.order_by(CONVERSATION.c.id)).scalars())


def lock_talks(connection: Connection, ids: Sequence[bytes]) -> None:
    """Lock conversations in the order that the pipeline locks them in."""
    query = select(CONVERSATION.c.id).where(CONVERSATION.c.id.in_(ids)).order_by(CONVERSATION.c.id)
    connection.execute(query.with_for_update()).all()


def state_of(connection: Connection, conversation: bytes) -> bytes:
    """Return what the bot remembers of a locked talk (sealed)."""
    query = select(CONVERSATION.c.state).where(CONVERSATION.c.id == conversation)
    found: bytes = connection.execute(query).scalar_one()
    return found


def _his(conversation: bytes) -> CompoundSelect[Any]:
    """Return the ids of all conversations that a conversation's person proved to be his, and itself."""
    me, other = BINDING.alias(), BINDING.alias()
    bound = select(other.c.conversation).join(me, me.c.person == other.c.person)
    return union(bound.where(me.c.conversation == conversation), select(literal(conversation, Id)))


def overdue(connection: Connection, conversation: bytes, stages: Sequence[str], now: int) -> bool:
    """Return whether one of the open cases of a talk's person is past its time limit."""
    late = (
        CASES.c.conversation.in_(_his(conversation)),
        CASES.c.stage.in_(stages),
        CASES.c.deadline_at < now,
    )
    return connection.execute(select(CASES.c.case_no).where(*late).limit(1)).first() is not None


def set_state(connection: Connection, conversation: bytes, state: bytes) -> None:
    """Write what the bot remembers of a locked talk (sealed); a turn in hand is taken anew."""
    change = {"state": state, "version": CONVERSATION.c.version + 1}
    connection.execute(update(CONVERSATION).where(CONVERSATION.c.id == conversation).values(change))
