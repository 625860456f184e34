"""The one door by which anything but the pipeline moves a case: agents, units, the clock, the command line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateway.cases import service
from gateway.runtime import millis
from gateway.store import cases
from gateway.store.rows import Rows
from normalizer.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.calendar import Calendar
    from gateway.cases.book import CaseBook
    from gateway.profile import Profiles
    from gateway.store.rows import CaseRow
    from gateway.store.store import Store
    from normalizer.case import Case, Command


class Office:
    """Carries out commands on cases, each in a commit of its own with the notices it owes."""

    def __init__(
        self,
        *,
        store: Store,
        book: CaseBook,
        profiles: Profiles,
        calendar: Calendar,
        now: Callable[[], datetime],
        queued: Callable[[], None],
        moved: Callable[[str], None],
    ) -> None:
        self._store = store
        self._book = book
        self._profiles = profiles
        self._calendar = calendar
        self._now = now
        self._queued = queued
        self._moved = moved

    async def act(self, case_no: str, command: Command) -> Case:
        """Carry out one command; raises NotFound, Refused, or Conflict when somebody else was faster."""
        case = await self._store.write(partial(self._act, case_no=case_no, command=command))
        self._moved(command.verb.value)
        self._queued()
        return case

    async def supervise(self, limit: int) -> int:
        """Let the clock act on the cases that are due and return how many were looked at (domain.md 3.2)."""
        rows = await self._store.read(partial(cases.due, now=millis(self._now()), limit=limit))
        for row in rows:
            await self._store.write(partial(self._look_at, row=row))
        if rows:
            self._queued()
        return len(rows)

    def _act(self, connection: Connection, case_no: str, command: Command) -> Case:
        before = cases.get(connection, case_no)
        if before is None:
            raise NotFound(f"no case {case_no}")
        return self._move(connection, before, command)

    def _look_at(self, connection: Connection, row: CaseRow) -> None:
        now = self._now()
        case = self._book.read(row)
        profile = self._profiles.at(case.profile_version)
        moves = service.due_moves(case, profile, self._calendar, now)
        if not moves:
            at = service.check_at(case, profile, self._calendar, now)
            cases.check_again(connection, row.case_no, millis(at) if at else None)
            return
        for command in moves:
            before = cases.get(connection, row.case_no)
            assert before is not None
            self._move(connection, before, command)

    def _move(self, connection: Connection, before: CaseRow, command: Command) -> Case:
        case, now = self._book.read(before), self._now()
        profile = self._profiles.at(case.profile_version)
        moved = service.act(case, command, profile, self._calendar, now)
        rows = Rows()
        self._book.moved(moved, before, rows)
        person = cases.person(connection, before.conversation) if before.conversation else None
        if person is not None and before.conversation is not None:
            account = person.account
            rows.outgoing += self._book.notices(
                moved.notices, before.conversation, account, now, source=case.source_channel
            )
        cases.save(connection, rows)
        return moved.case
