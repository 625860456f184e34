"""政策和办事指南: what the hotline knows, by theme and by search, and whether it helped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.knowledge.search import NEAR
from gateway.store import knowledge
from gateway.web.limits import DAY, Limit
from gateway.web.portal.site import seen_again
from normalizer.codes import CATEGORY_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.knowledge.book import Book
    from gateway.knowledge.entry import Entry
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.portal.site import Site, Visit

FOUND, LONGEST = 10, 60


@dataclass(frozen=True, slots=True)
class Reading:
    """The pages of knowledge."""

    site: Site
    book: Book
    limits: Limits
    store: Store

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/knowledge", self.browse)
        self.site.add(app, "GET", "/knowledge/{id}", self.read)
        self.site.add(app, "POST", "/knowledge/{id}", self.helped)

    async def browse(self, visit: Visit) -> web.StreamResponse:
        """Show themes, the entries of one, or what a search finds."""
        asked = visit.request.query.get("q", "").replace("\0", "").strip()[:LONGEST]
        theme = visit.request.query.get("theme", "")
        theme = theme if theme in CATEGORY_LABELS else ""
        entries: Sequence[Entry] = ()
        if asked:
            city = self.site.city
            hits = self.book.search(asked, limit=FOUND, now=self.site.now(), region=city.region)
            entries = [hit.entry for hit in hits if hit.score >= NEAR]
        elif theme:
            entries = self.book.listing(theme)
        return self.site.page(
            visit, "knowledge.html", asked=asked, theme=theme, entries=entries, themes=self._themes()
        )

    async def read(self, visit: Visit) -> web.StreamResponse:
        """Show one entry."""
        return self._entry(visit, thanked=visit.request.query.get("thanks") == "1")

    async def helped(self, visit: Visit) -> web.StreamResponse:
        """Note whether an entry helped, once a day by one browser."""
        entry, said = self._found(visit), visit.fields.get("helped", "")
        one = Limit("vote", f"{visit.session.id} {entry.id}", 1, DAY)
        if said in {"yes", "no"} and not await self.limits.over(one):
            await self.store.write(partial(knowledge.vote, entry=entry.id, helpful=said == "yes"))
        return seen_again(f"/knowledge/{entry.id}?thanks=1")

    def _themes(self) -> list[tuple[str, str, int]]:
        counts: dict[str, int] = {}
        for entry in self.book.listing():
            counts[entry.category] = counts.get(entry.category, 0) + 1
        return [(code, label, counts[code]) for code, label in CATEGORY_LABELS.items() if code in counts]

    def _entry(self, visit: Visit, *, thanked: bool) -> web.StreamResponse:
        entry = self._found(visit)
        # An entry is imported by people; its link must lead to a page and not into this one.
        link = entry.link if entry.link.startswith(("https://", "http://")) else ""
        return self.site.page(visit, "knowledge_entry.html", entry=entry, link=link, thanked=thanked)

    def _found(self, visit: Visit) -> Entry:
        entry = self.book.entry(visit.request.match_info["id"])
        if entry is None:
            raise web.HTTPNotFound
        return entry
