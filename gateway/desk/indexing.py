"""The index of what can be found, kept behind the pipeline: nothing on the way of a message waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.media.intake import from_row
from gateway.store import search as sql
from gateway.store import unindex
from gateway.store.bodies import open_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.desk.grams import Grams
    from gateway.store.media import MediaRow
    from gateway.store.rows import CaseRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.case import Case

AT_ONCE = 500
"""Rows that are indexed in one commit."""
BACK_MS = 30_000
"""How far is looked back each time: what has a lesser id may be committed later (design.md 2)."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """Indexes what citizens and agents wrote, cases, and files; the bot's own words are the same for all and are not."""

    store: Store
    sealer: Sealer
    book: CaseBook
    grams: Grams

    async def catch_up(self) -> int:
        """Index what came since the last time and return how many documents were written."""
        written = 0
        for name, page in (
            ("inbox", self._heard),
            ("outgoing", self._written),
            ("case", self._cases),
            ("file", self._files),
        ):
            written += await self._through(name, page)
        return written

    async def clear(self) -> None:
        """Empty the index."""
        await self.store.write(unindex.clear)

    async def _through(
        self, name: str, page: Callable[[Connection, bytes], tuple[list[bytes], int] | None]
    ) -> int:
        after = behind(await self.store.read(lambda c: sql.mark(c, name)))
        written = 0
        while True:
            done = await self.store.write(partial(self._page, name=name, page=page, after=after))
            if done is None:
                return written
            ids, count = done
            written += count
            if len(ids) < AT_ONCE:
                return written
            after = ids[-1]

    def _page(
        self,
        connection: Connection,
        *,
        name: str,
        page: Callable[[Connection, bytes], tuple[list[bytes], int] | None],
        after: bytes,
    ) -> tuple[list[bytes], int] | None:
        sql.lock(connection)
        if (done := page(connection, after)) is None:
            return None
        sql.set_mark(connection, name, done[0][-1])
        return done

    def _heard(self, connection: Connection, after: bytes) -> tuple[list[bytes], int] | None:
        def text(body: bytes) -> str:
            message = open_message(self.sealer, body)
            return f"{message.subject}\n{message.text}"

        return self._said(connection, "inbox", sql.heard(connection, after, AT_ONCE), text)

    def _written(self, connection: Connection, after: bytes) -> tuple[list[bytes], int] | None:
        def text(body: bytes) -> str:
            return self.sealer.open(body).decode()

        return self._said(connection, "outgoing", sql.written(connection, after, AT_ONCE), text)

    def _said(
        self, connection: Connection, kind: str, lines: list[sql.Said], text: Callable[[bytes], str]
    ) -> tuple[list[bytes], int] | None:
        if not lines:
            return None
        known = sql.known(connection, [line.id for line in lines])
        docs = [
            (sql.Doc(0, kind, line.id, line.conversation, line.at, b""), self.grams.of(text(line.body)))
            for line in lines
            if line.id not in known
        ]
        made = [(doc, grams) for doc, grams in docs if grams]
        sql.put(connection, made)
        return [line.id for line in lines], len(made)

    def _cases(self, connection: Connection, after: bytes) -> tuple[list[bytes], int] | None:
        events = sql.moved(connection, after, AT_ONCE)
        if not events:
            return None
        rows = sql.cases(connection, list(dict.fromkeys(number for _, number in events)))
        known = sql.known(connection, [row.case_no.encode() for row in rows])
        docs = [doc for row in rows if (doc := self._case(row, known)) is not None]
        sql.put(connection, docs)
        return [event for event, _ in events], len(docs)

    def _case(self, row: CaseRow, known: dict[bytes, bytes]) -> tuple[sql.Doc, frozenset[int]] | None:
        text, ref = case_text(self.book.read(row)), row.case_no.encode()
        doc = sql.Doc(0, "case", ref, row.conversation, row.created_at, self._digest(text))
        return None if known.get(ref) == doc.digest else (doc, self.grams.of(text))

    def _files(self, connection: Connection, after: bytes) -> tuple[list[bytes], int] | None:
        found = sql.noted(connection, after, AT_ONCE)
        if not found:
            return None
        said: dict[str, list[MediaRow]] = {}
        for held in sql.files(connection, list({key for _, key in found})):
            said.setdefault(held.row.key, []).append(held.row)
        known = sql.known(connection, [key.encode() for key in said])
        docs = [doc for rows in said.values() if (doc := self._file(rows, known)) is not None]
        sql.put(connection, docs)
        return [noted for noted, _ in found], len(docs)

    def _file(self, rows: list[MediaRow], known: dict[bytes, bytes]) -> tuple[sql.Doc, frozenset[int]] | None:
        """Return the document of a file that several may have, each under a name of his own."""
        text, ref = "\n".join(sorted({file_text(row, self.sealer) for row in rows})), rows[0].key.encode()
        doc = sql.Doc(0, "file", ref, None, rows[0].created_at, self._digest(text))
        return None if known.get(ref) == doc.digest else (doc, self.grams.of(text))

    def _digest(self, text: str) -> bytes:
        return self.sealer.hash(f"indexed {text}")[:16]


def file_text(row: MediaRow, sealer: Sealer) -> str:
    """Return what a file is found by: its name, and what was read or spoken in it."""
    taken = from_row(row, sealer)
    return f"{taken.name}\n{taken.words}".strip()


def case_text(case: Case) -> str:
    """Return what a case is found by: the matter, who it is about, the name, the answers; never a telephone."""
    matter = case.matter
    said = (
        matter.title,
        matter.original,
        matter.content,
        matter.demand,
        matter.place_text,
        matter.place_detail,
    )
    return "\n".join((*said, matter.reflect_name, case.complainant.name, *(r.text for r in case.replies)))


def behind(row: bytes) -> bytes:
    """Return the id from which to look again for what was committed after a row though its id is less (RFC 9562)."""
    if not row:
        return row
    return max(0, int.from_bytes(row[:6]) - BACK_MS).to_bytes(6) + bytes(10)
