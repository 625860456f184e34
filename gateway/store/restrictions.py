"""The ladder against abuse, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import exists, insert, select, update

from gateway.store.tables import CASES, CONVERSATION, DESK_EVENT, RESTRICTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

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


def lock(connection: Connection, restriction: bytes) -> Row | None:
    """Lock a step and return it."""
    query = select(RESTRICTION).where(_R.id == restriction).with_for_update()
    row = connection.execute(query).first()
    return Row(*row) if row else None


def keep(connection: Connection, row: Row) -> None:
    """Write a locked step as it is now."""
    change = {"state": row.state, "approver": row.approver, "until": row.until}
    connection.execute(update(RESTRICTION).where(_R.id == row.id).values(change))


def supersede(connection: Connection, row: Row) -> None:
    """End whatever else is active in a talk: one restriction at a time."""
    others = (_R.conversation == row.conversation, _R.state == "active", _R.id != row.id)
    connection.execute(update(RESTRICTION).where(*others).values(state="superseded"))


def of(connection: Connection, conversation: bytes) -> list[Row]:
    """Return the steps of a talk, newest first."""
    query = select(RESTRICTION).where(_R.conversation == conversation).order_by(_R.at.desc(), _R.id.desc())
    return [Row(*row) for row in connection.execute(query)]


def open_steps(connection: Connection, now: int, limit: int) -> list[tuple[Row, bool]]:
    """Return proposals, then what is active, each the oldest first; True for what an appeal waits against, and those come first."""
    proposed = select(RESTRICTION).where(_R.state == "proposed").order_by(_R.at).limit(limit)
    holding = (_R.state == "active", _R.until > now)
    active = select(RESTRICTION, _appeal_waits().label("appealed")).where(*holding).order_by(_R.at)
    held = [(Row(*row[:-1]), bool(row[-1])) for row in connection.execute(active.limit(limit))]
    held.sort(key=lambda each: not each[1])
    return [*((Row(*row), False) for row in connection.execute(proposed)), *held]


def appealed(connection: Connection, row: Row) -> bool:
    """Return whether an appeal against a step waits for an answer."""
    query = select(_R.id).where(_R.id == row.id, _appeal_waits())
    return connection.execute(query).first() is not None


def _appeal_waits() -> ColumnElement[bool]:
    """Return the condition that the last appeal of a step's talk came after the step, and after its last answer."""
    event, answer = DESK_EVENT.alias("appeal").c, DESK_EVENT.alias("answer").c
    answered = exists().where(
        answer.conversation == _R.conversation,
        answer.kind == "abuse",
        answer.detail.like(f"% {UPHELD}"),
        answer.id > event.id,
    )
    return exists().where(
        event.conversation == _R.conversation, event.kind == "appeal", event.at >= _R.at, ~answered
    )


def overdue(connection: Connection, conversation: bytes, stages: Sequence[str], now: int) -> bool:
    """Return whether one of a talk's open cases is past its time limit."""
    late = (CASES.c.conversation == conversation, CASES.c.stage.in_(stages), CASES.c.deadline_at < now)
    return connection.execute(select(CASES.c.case_no).where(*late).limit(1)).first() is not None


def set_state(connection: Connection, conversation: bytes, state: bytes) -> None:
    """Write what the bot remembers of a locked talk (sealed); a turn in hand is taken anew."""
    change = {"state": state, "version": CONVERSATION.c.version + 1}
    connection.execute(update(CONVERSATION).where(CONVERSATION.c.id == conversation).values(change))
