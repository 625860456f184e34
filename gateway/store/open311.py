"""The cases that Open311 may show: by number or by time, with whoever brought them and when they last moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, select

from gateway.store.rows import CaseRow, EventRow
from gateway.store.tables import CASE_EVENT, CASES, CONVERSATION
from normalizer.case import Stage
from normalizer.codes import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Select


class Listed(NamedTuple):
    """A case with the account it was opened at (None: by an agent) and the instant of its last event."""

    case: CaseRow
    account: str | None
    address: bytes | None
    moved_at: int


class Told(NamedTuple):
    """One line of a case's log, with the case as it is now."""

    event: EventRow
    listed: Listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: created from ``since`` to ``until`` (milliseconds, both included), of certain categories and stages.

    ``account`` with ``sources``: only what was opened at that account, counted as one of these sources. No
    ``categories`` or ``stages``: all.
    """

    since: int
    until: int
    categories: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    account: str = ""
    sources: tuple[str, ...] = ()


_WIDTH = len(CaseRow._fields)
_HIDDEN = (CASES.c.kind != Kind.REPORT.value) & (CASES.c.stage != Stage.DRAFT.value)
"""A report is never shown, whoever made it (domain.md 0.6)."""


def by_number(connection: Connection, numbers: Sequence[str]) -> list[Listed]:
    """Return the cases with these numbers, newest first."""
    return _read(connection, _newest(_cases().where(CASES.c.case_no.in_(numbers))))


def by_time(connection: Connection, wanted: Wanted, *, skip: int, limit: int) -> list[Listed]:
    """Return the newest cases of what is asked for, after so many."""
    query = _cases().where(CASES.c.created_at.between(wanted.since, wanted.until), *_narrowed(wanted))
    return _read(connection, _newest(query).offset(skip).limit(limit))


def told(
    connection: Connection, wanted: Wanted, verbs: Sequence[str], *, skip: int, limit: int
) -> list[Told]:
    """Return the events of these verbs from ``since`` to ``until``, oldest first, after so many."""
    event = CASE_EVENT.alias("told")
    query = _cases().add_columns(*event.c).join(event, event.c.case_no == CASES.c.case_no)
    query = query.where(
        event.c.at.between(wanted.since, wanted.until), event.c.verb.in_(verbs), *_narrowed(wanted)
    )
    query = query.order_by(event.c.at, event.c.id).offset(skip).limit(limit)
    width = _WIDTH + 3
    return [Told(EventRow(*row[width:]), _listed(row)) for row in connection.execute(query)]


def logs(connection: Connection, numbers: Sequence[str]) -> dict[str, list[EventRow]]:
    """Return what happened to each of some cases, oldest first."""
    query = select(CASE_EVENT).where(CASE_EVENT.c.case_no.in_(numbers))
    found: dict[str, list[EventRow]] = {number: [] for number in numbers}
    for row in connection.execute(query.order_by(CASE_EVENT.c.case_no, CASE_EVENT.c.seq)):
        event = EventRow(*row)
        found[event.case_no].append(event)
    return found


def _cases() -> Select[tuple[object, ...]]:
    # A case's revision counts its events, so its last one is found by key.
    last = and_(CASE_EVENT.c.case_no == CASES.c.case_no, CASE_EVENT.c.seq == CASES.c.rev)
    return (
        select(*CASES.c, CONVERSATION.c.account, CONVERSATION.c.address, CASE_EVENT.c.at)
        .join(CASE_EVENT, last)
        .outerjoin(CONVERSATION, CONVERSATION.c.id == CASES.c.conversation)
        .where(_HIDDEN)
    )


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    narrow: list[ColumnElement[bool]] = []
    if wanted.categories:
        narrow.append(CASES.c.category.in_(wanted.categories))
    if wanted.stages:
        narrow.append(CASES.c.stage.in_(wanted.stages))
    if wanted.account:
        narrow += [CONVERSATION.c.account == wanted.account, CASES.c.source.in_(wanted.sources)]
    return narrow


def _newest(query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    return query.order_by(CASES.c.created_at.desc(), CASES.c.case_no.desc())


def _read(connection: Connection, query: Select[tuple[object, ...]]) -> list[Listed]:
    return [_listed(row) for row in connection.execute(query)]


def _listed(row: Sequence[object]) -> Listed:
    return Listed(CaseRow(*row[:_WIDTH]), *row[_WIDTH : _WIDTH + 3])  # type: ignore[arg-type]
