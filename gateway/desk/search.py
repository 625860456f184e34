"""Finding talks and cases by what stands in them, by a case's number, or by a telephone.

The index says where the words may stand; each candidate is opened and looked at, so that nothing is shown by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from gateway.desk.grams import words_of
from gateway.desk.indexing import case_text, file_text
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
    """Finds what the words of a query stand in, newest first; without ``by_words`` (no index) cases by number and telephone.

    Words stand in what was said, in cases, and in files: their names, and what was read or spoken in them.
    """

    store: Store
    sealer: Sealer
    book: CaseBook
    grams: Grams
    by_words: bool = True

    def finds(self, query: str) -> bool:
        """Return whether there are words in a query that could be found."""
        return self.by_words and bool(self.grams.of(" ".join(words_of(query))))

    async def find(self, query: str, kind: Kind = Kind.ALL, limit: int = 50) -> tuple[Hit, ...]:
        """Return what was found; words of one character alone find nothing."""
        query = query[:LONGEST_QUERY]
        hits: list[Hit] = []
        if kind is not Kind.TALK:
            hits += await self.store.read(partial(self._exact, query=query, limit=limit))
        words = words_of(query)
        grams = sorted(self.grams.of(" ".join(words)))[:GRAMS]
        if grams and self.by_words:
            hits += await self.store.read(
                partial(self._with_words, words=words, grams=grams, kind=kind, limit=limit)
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

    def _with_words(
        self, connection: Connection, words: Sequence[str], grams: Sequence[int], kind: Kind, limit: int
    ) -> list[Hit]:
        docs = sql.find(connection, grams, _KINDS[kind], CANDIDATES)
        hits = []
        for text, hit in self._opened(connection, docs, words):
            if all(word in for_matching(text) for word in words) and hit.kind in _SHOWN[kind]:
                hits.append(hit)
            if len(hits) == limit:
                break
        return hits

    def _opened(
        self, connection: Connection, docs: Sequence[sql.Doc], words: Sequence[str]
    ) -> Iterator[tuple[str, Hit]]:
        """Yield what each document says, and what is shown of it."""
        lines = {
            kind: sql.said(connection, kind, [doc.ref for doc in docs if doc.kind == kind])
            for kind in ("inbox", "outgoing")
        }
        numbers = [doc.ref.decode() for doc in docs if doc.kind == "case"]
        found = {row.case_no: row for row in sql.cases(connection, numbers)}
        files = self._files(connection, [doc.ref.decode() for doc in docs if doc.kind == "file"], words)
        for doc in docs:
            if doc.kind == "file":
                yield from files.get(doc.ref.decode(), ())
            elif doc.kind == "case":
                row = found.get(doc.ref.decode())
                if row is not None:
                    yield case_text(self.book.read(row)), self._case(row, words)
            elif (line := lines[doc.kind].get(doc.ref)) is not None:
                text = self._text(doc.kind, line.body)
                yield text, Hit(Kind.TALK, doc.at, _snippet(text, words), doc.conversation, doc.ref)

    def _files(
        self, connection: Connection, keys: Sequence[str], words: Sequence[str]
    ) -> dict[str, list[tuple[str, Hit]]]:
        """Return what files say, by their keys, for each case or talk that has them."""
        found: dict[str, list[tuple[str, Hit]]] = {}
        for row, conversation, case in sql.files(connection, keys) if keys else ():
            if conversation is None and case is None:
                continue
            text = file_text(row, self.sealer)
            kind, number = (Kind.CASE, case.case_no) if case else (Kind.TALK, "")
            hit = Hit(kind, row.created_at, _snippet(text, words), conversation, case_no=number)
            found.setdefault(row.key, []).append((text, hit))
        return found

    def _text(self, kind: str, body: bytes) -> str:
        if kind == "outgoing":
            return self.sealer.open(body).decode()
        message = open_message(self.sealer, body)
        return f"{message.subject}\n{message.text}".strip()

    def _case(self, row: CaseRow, words: Sequence[str]) -> Hit:
        matter = self.book.read(row).matter
        text = next((t for t in (matter.title, matter.content) if _where(t, words) >= 0), matter.title)
        return Hit(Kind.CASE, row.created_at, _snippet(text, words), row.conversation, case_no=row.case_no)


_KINDS = {
    Kind.ALL: ("inbox", "outgoing", "case", "file"),
    Kind.TALK: ("inbox", "outgoing", "file"),
    Kind.CASE: ("case", "file"),
}
_SHOWN = {Kind.ALL: frozenset(Kind), Kind.TALK: {Kind.TALK}, Kind.CASE: {Kind.CASE}}


def _where(text: str, words: Sequence[str]) -> int:
    return for_matching(text).find(words[0]) if words else 0


def _snippet(text: str, words: Sequence[str]) -> str:
    """Return the surroundings of the first word, masked before they are cut."""
    shown = mask_names(mask(text))
    at = max(0, _where(shown, words))
    start, end = max(0, at - _AROUND), at + _AROUND * 2
    return ("…" if start else "") + shown[start:end] + ("…" if end < len(shown) else "")
