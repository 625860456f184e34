"""Saved views, and the talks that a view shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, insert, or_, select

from gateway.store.tables import CONVERSATION, DESK_TALK, DESK_VIEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

_C, _T, _V = CONVERSATION.c, DESK_TALK.c, DESK_VIEW.c


class ViewRow(NamedTuple):
    """A row of ``desk_view``."""

    id: bytes
    owner: bytes
    scope: str
    name: str
    at: int
    body: str


def add(connection: Connection, row: ViewRow) -> None:
    """Save a view."""
    connection.execute(insert(DESK_VIEW).values(row._asdict()))


def drop(connection: Connection, view: bytes, owner: bytes) -> bool:
    """Drop a view of an owner; False when he has none such."""
    return connection.execute(delete(DESK_VIEW).where(_V.id == view, _V.owner == owner)).rowcount == 1


def seen_by(connection: Connection, agent: bytes, scopes: Sequence[str]) -> list[ViewRow]:
    """Return an agent's own views and those of the scopes, by their names."""
    mine = or_(_V.owner == agent, _V.scope.in_(scopes))
    query = select(DESK_VIEW).where(mine).order_by(_V.name, _V.id)
    return [ViewRow(*row) for row in connection.execute(query)]


def talks(connection: Connection, where: Sequence[ColumnElement[bool]], limit: int) -> list[bytes]:
    """Return the talks for which all conditions hold, who waits longest first."""
    query = _joined(_C.id).where(*where).order_by(func.coalesce(_T.waiting_since, _C.last_in_at), _C.id)
    return list(connection.execute(query.limit(limit)).scalars())


def count(connection: Connection, where: Sequence[ColumnElement[bool]]) -> int:
    """Return for how many talks all conditions hold."""
    return int(connection.execute(_joined(func.count()).where(*where)).scalar_one())


def conditions(
    *,
    owners: Sequence[str],
    skill: str,
    account: str,
    urgent: bool | None,
    agent: bytes | None,
    before: int | None,
    among: Sequence[bytes] | None = None,
) -> list[ColumnElement[bool]]:
    """Return the conditions of a view; ``before``: who has waited since before that instant; ``among``: these talks."""
    found: list[ColumnElement[bool]] = []
    if owners:
        found.append(_C.owner.in_(owners))
    if skill:
        # Skills are words between blanks.
        found.append((" " + _C.skill + " ").contains(f" {skill} ", autoescape=True))
    if account:
        found.append(_C.account == account)
    if urgent is not None:
        found.append(_C.urgent.is_(urgent))
    if agent is not None:
        found.append(_T.agent == agent)
    if before is not None:
        found.append(_T.waiting_since <= before)
    if among is not None:
        found.append(_C.id.in_(among))
    return found


def _joined(*columns: Any) -> Any:
    joined = DESK_TALK.join(CONVERSATION, _C.id == _T.conversation)
    return select(*columns).select_from(joined)
