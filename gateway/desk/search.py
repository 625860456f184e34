"""Finding talks and cases by what stands in them, by a case's number, or by a telephone.

The index says where the words may stand; each candidate is opened and looked at, so that nothing is shown by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from gateway.desk.grams import words_of
from gateway.desk.indexing import case_text
from gateway.store import cases as case_rows
from gateway.store import search as sql
from gateway.store.bodies import open_message
from normalizer import case_no
from normalizer.people import mask, mask_names, valid_phone
from normalizer.text import for_matching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.desk.grams import Grams
    from gateway.store.rows import CaseRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store

CANDIDATES = 400
"""How many candidates are opened for one question."""
LONGEST_QUERY = 100
GRAMS = 8
"""How many grams of a query are asked for; the words themselves are looked for in what is found."""
_AROUND = 30
"""Characters that are shown before and behind what was found."""


class Kind(StrEnum):
    """What is looked for."""

    ALL = "all"
    TALK = "talk"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found, masked: a line of a talk (``line`` its id) or a case (``case_no``); ``at`` in milliseconds."""

    kind: Kind
    at: int
    snippet: str
    conversation: bytes | None = None
    line: bytes | None = None
    case_no: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Finds what the words of a query stand in, newest first."""

    store: Store
    sealer: Sealer
    book: CaseBook
    grams: Grams

    async def find(self, query: str, kind: Kind = Kind.ALL, limit: int = 50) -> tuple[Hit, ...]:
        """Return what was found; words of one character alone find nothing."""
        query = query[:LONGEST_QUERY]
        hits: list[Hit] = []
        if kind is not Kind.TALK:
            hits += await self.store.read(partial(self._exact, query=query, limit=limit))
        words = words_of(query)
        grams = sorted(self.grams.of(" ".join(words)))[:GRAMS]
        if grams:
            hits += await self.store.read(
                partial(self._by_words, words=words, grams=grams, kind=kind, limit=limit)
            )
        return tuple(dict.fromkeys(hits))[:limit]

    def _exact(self, connection: Connection, query: str, limit: int) -> list[Hit]:
        """Return the case of a number, or the cases of a telephone."""
        number = case_no.parse(query)
        if number is not None and (row := case_rows.get(connection, number)) is not None:
            return [self._case(row, ())]
        phone = valid_phone(query)
        if phone is None:
            return []
        rows = sql.by_phone(connection, self.sealer.hash(phone), limit)
        return [self._case(row, ()) for row in rows]

    def _by_words(
        self, connection: Connection, words: Sequence[str], grams: Sequence[int], kind: Kind, limit: int
    ) -> list[Hit]:
        docs = sql.find(connection, grams, _KINDS[kind], CANDIDATES)
        hits = []
        for doc, (text, case) in self._opened(connection, docs):
            if all(word in for_matching(text) for word in words):
                hits.append(self._case(case, words) if case is not None else self._line(doc, text, words))
            if len(hits) == limit:
                break
        return hits

    def _opened(
        self, connection: Connection, docs: Sequence[sql.Doc]
    ) -> Iterator[tuple[sql.Doc, tuple[str, CaseRow | None]]]:
        lines = {
            kind: sql.said(connection, kind, [doc.ref for doc in docs if doc.kind == kind])
            for kind in ("inbox", "outgoing")
        }
        numbers = [doc.ref.decode() for doc in docs if doc.kind == "case"]
        found = {row.case_no: row for row in sql.cases(connection, numbers)}
        for doc in docs:
            if doc.kind == "case":
                row = found.get(doc.ref.decode())
                if row is not None:
                    yield doc, (case_text(self.book.read(row)), row)
            elif (line := lines[doc.kind].get(doc.ref)) is not None:
                yield doc, (self._text(doc.kind, line.body), None)

    def _text(self, kind: str, body: bytes) -> str:
        if kind == "outgoing":
            return self.sealer.open(body).decode()
        message = open_message(self.sealer, body)
        return f"{message.subject}\n{message.text}".strip()

    def _line(self, doc: sql.Doc, text: str, words: Sequence[str]) -> Hit:
        return Hit(Kind.TALK, doc.at, _snippet(text, words), doc.conversation, doc.ref)

    def _case(self, row: CaseRow, words: Sequence[str]) -> Hit:
        matter = self.book.read(row).matter
        text = next((t for t in (matter.title, matter.content) if _where(t, words) >= 0), matter.title)
        return Hit(Kind.CASE, row.created_at, _snippet(text, words), row.conversation, case_no=row.case_no)


_KINDS = {Kind.ALL: ("inbox", "outgoing", "case"), Kind.TALK: ("inbox", "outgoing"), Kind.CASE: ("case",)}


def _where(text: str, words: Sequence[str]) -> int:
    return for_matching(text).find(words[0]) if words else 0


def _snippet(text: str, words: Sequence[str]) -> str:
    """Return the surroundings of the first word, masked before they are cut."""
    shown = mask_names(mask(text))
    at = max(0, _where(shown, words))
    start, end = max(0, at - _AROUND), at + _AROUND * 2
    return ("…" if start else "") + shown[start:end] + ("…" if end < len(shown) else "")
