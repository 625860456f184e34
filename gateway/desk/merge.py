"""Joining what belongs together, and taking it apart again: cases about one matter, talks of one person.

A case that is merged keeps its number and its citizen; a talk that is joined is closed where it was and shown with the
other. Joining talks binds nobody: what a citizen may see of himself hangs on what he proved, not on what an agent thinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Right, may
from gateway.runtime import millis
from gateway.store import cases as case_rows
from gateway.store import desk as sql
from gateway.store import merges
from gateway.store.merges import Row
from gateway.store.rows import Conflict, DeskEventRow
from normalizer.case import OPEN, Command, Verb
from normalizer.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.cases.office import Office
    from gateway.desk.cases import Staff
    from gateway.desk.desk import Desk
    from gateway.store.store import Store

UNDO_MS = 7 * 24 * 3_600_000
"""How long a merge can be taken apart."""
_HELD = frozenset({"offered", "agent", "wrap_up"})


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge: what was joined to what; ``undo_until`` in milliseconds."""

    id: bytes
    kind: Literal["case", "talk"]
    one: str
    into: str
    undo_until: int


@dataclass(frozen=True, slots=True)
class Merging:
    """Joins and takes apart."""

    store: Store
    book: CaseBook
    office: Office
    desk: Desk
    ids: Callable[[], bytes]
    now: Callable[[], datetime]

    async def cases(self, by: Staff, one: str, into: str, rev: int | None = None) -> Merged:
        """Merge a case into an open one that is not merged itself; raises NotFound, Refused, Conflict."""
        target = await self.store.read(lambda c: case_rows.get(c, into))
        if target is None:
            raise NotFound(f"no case {into}")
        master = self.book.read(target)
        if master.stage not in OPEN or master.matter.master_case_no or one == into:
            raise Refused(Why.STATE)
        await self.office.act(one, Command(Verb.MERGE, by.actor(), target=into), rev)
        return await self._noted("case", one, into, by)

    async def talks(self, by: Staff, one: bytes, into: bytes, epoch: int | None = None) -> Merged:
        """Join a talk to another that this person has; the first is his too, or nobody's. Raises Refused, NotFound."""
        if not may(by.role, Right.REPLY):
            raise Refused(Why.RIGHT)
        first, second = await self.store.read(lambda c: (sql.seen(c, one), sql.seen(c, into)))
        if first is None or second is None:
            raise NotFound("no such conversation")
        if one == into or second.agent != by.id:
            raise Refused(Why.STATE, second.agent)
        at = first.epoch if epoch is None else epoch
        if first.owner == "queued":
            held = await self.desk.take(by.id, one, at)
            await self.desk.close(by.id, one, held.epoch)
        elif first.owner in _HELD:
            await self.desk.close(by.id, one, at)
        return await self._noted("talk", one.hex(), into.hex(), by)

    async def undo(self, by: Staff, merge: bytes) -> None:
        """Take a merge apart within a week; what was closed stays closed until somebody writes. Raises as the merge."""
        row = await self.store.read(lambda c: merges.lock(c, merge))
        if row is None:
            raise NotFound("no such merge")
        now = millis(self.now())
        if row.undone_at is not None or now > row.at + UNDO_MS:
            raise Refused(Why.STATE)
        if row.kind == "case":
            await self.office.act(row.one, Command(Verb.UNMERGE, by.actor()))
        elif not may(by.role, Right.REPLY):
            raise Refused(Why.RIGHT)

        def work(connection: Connection) -> None:
            locked = merges.lock(connection, merge)
            if locked is None or locked.undone_at is not None:
                raise Conflict(merge.hex())
            merges.undone(connection, merge, now)
            self._event(connection, row, "unmerged", by, now)

        await self.store.write(work)
        self.desk.changed()

    async def _noted(self, kind: Literal["case", "talk"], one: str, into: str, by: Staff) -> Merged:
        now = millis(self.now())
        row = Row(self.ids(), kind, one, into, by.id, now, None)

        def work(connection: Connection) -> None:
            merges.add(connection, row)
            self._event(connection, row, "merged", by, now)

        await self.store.write(work)
        self.desk.changed()
        return Merged(row.id, kind, one, into, now + UNDO_MS)

    def _event(self, connection: Connection, row: Row, kind: str, by: Staff, now: int) -> None:
        if row.kind != "talk":
            return
        talk = sql.seen(connection, bytes.fromhex(row.into))
        assert talk is not None
        event = DeskEventRow(now, talk.conversation, kind, talk.owner, talk.epoch, talk.agent, by.id, row.one)
        sql.append(connection, [event])
