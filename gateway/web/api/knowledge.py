"""The knowledge base: what citizens may read, by words or by category, and one entry whole."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.web.api.models import Asked, EntryBrief, EntryWhole, Found
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.knowledge.book import Book
    from gateway.knowledge.entry import Entry
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts

MOST = 20
"""Entries in one answer."""


class Knowledge:
    """The operations of the knowledge base."""

    def __init__(self, parts: Parts, book: Book) -> None:
        self._parts = parts
        self._book = book

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        ok = HTTPStatus.OK
        return (
            Operation("GET", "/knowledge", "search_knowledge", "查政策和办事指南", self.search, {ok: Found}, query=Asked, session=False),
            Operation(
                "GET", "/knowledge/{entry}", "show_entry", "看一条", self.show, {ok: EntryWhole},
                session=False, problems=(HTTPStatus.NOT_FOUND,),
            ),
        )  # fmt: skip

    async def search(self, call: Call, query: Asked) -> Reply:
        """Return the entries nearest to some words, or those of a category."""
        if not query.q:
            return Reply(Found(entries=_briefly(self._book.listing(query.category)[:MOST])))
        now, region = self._parts.now(), self._parts.city.region
        hits = self._book.search(query.q, limit=MOST, now=now, region=region)
        near = (hit.entry for hit in hits if hit.entry.category.startswith(query.category))
        return Reply(Found(entries=_briefly(near)))

    async def show(self, call: Call) -> Reply:
        """Return an entry."""
        entry = self._book.entry(call.request.match_info["entry"])
        if entry is None:
            raise unknown()
        return Reply(
            EntryWhole(
                **_brief(entry),
                full=entry.answer_full or None,
                materials=entry.materials,
                steps=entry.steps,
                fee=entry.fee or None,
                basis=entry.basis or None,
                place_hours=entry.place_hours or None,
                phone=entry.phone or None,
                link=entry.link or None,
            )
        )


def _briefly(entries: Iterable[Entry]) -> tuple[EntryBrief, ...]:
    return tuple(EntryBrief(**_brief(entry)) for entry in entries)


def _brief(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "answer": entry.answer_short,
        "category": entry.category or None,
        "source": entry.source_unit or None,
    }
