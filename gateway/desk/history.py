"""What is known of a citizen beside the talk at hand: his other talks and cases, where he proved that they are his."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store import cases as case_rows
from gateway.store import desk as sql
from gateway.store import merges
from normalizer.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.store.store import Store
    from normalizer.case import Case

MOST = 50


@dataclass(frozen=True, slots=True)
class OtherTalk:
    """Another talk: ``bound`` when the citizen proved it his, else an agent joined it (``merge`` undoes that)."""

    id: bytes
    account: str
    owner: str
    last_at: int
    bound: bool
    merge: bytes | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """A citizen's history, newest first."""

    talks: tuple[OtherTalk, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Tells the history of whoever talks."""

    store: Store
    book: CaseBook

    async def of(self, conversation: bytes) -> Past:
        """Return the history beside a talk; raises NotFound."""
        return await self.store.read(lambda c: self._of(c, conversation))

    def _of(self, connection: Connection, conversation: bytes) -> Past:
        if sql.seen(connection, conversation) is None:
            raise NotFound("no such conversation")
        bound = set(merges.bound(connection, conversation))
        mine = conversation.hex()
        joined = {
            bytes.fromhex(row.into if row.one == mine else row.one): row.id
            for row in merges.standing(connection, [mine])
            if row.kind == "talk"
        }
        talks = tuple(
            OtherTalk(row.id, row.account, row.owner, row.last_in_at, row.id in bound, joined.get(row.id))
            for row in merges.talks(connection, [*bound | joined.keys()][:MOST])
        )
        own = case_rows.own(connection, conversation, MOST)
        beside = [
            row for talk in joined if talk not in bound for row in case_rows.of_conversation(connection, talk)
        ]
        rows = {row.case_no: row for row in (*own, *beside)}
        newest = sorted(rows.values(), key=lambda row: (row.created_at, row.case_no), reverse=True)[:MOST]
        return Past(talks, tuple(self.book.read(row) for row in newest))
