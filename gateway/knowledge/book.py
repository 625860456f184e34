"""The published entries with their index, in memory, as new as the database a few seconds ago."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gateway.knowledge import shelf
from gateway.knowledge.entry import Status, served
from gateway.knowledge.search import Index
from gateway.store import knowledge as rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from gateway.bus import Bus
    from gateway.knowledge.entry import Entry
    from gateway.knowledge.search import Hit
    from gateway.store.store import Store

log = structlog.get_logger()

TOPIC = "knowledge"
"""What is woken when entries changed."""
LOOKS = 5.0
"""Seconds between two looks at the number of the edition, where nobody wakes us."""


class Book:
    """What may be shown to citizens; reading never leaves the process. Every process has its own."""

    def __init__(self, *, store: Store, region: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._region = region
        self._now = now
        self._edition = -1
        self._index = Index(())
        self._entries: dict[str, Entry] = {}

    def search(
        self, text: str, *, limit: int, now: datetime, region: str, audience: Collection[str] = ()
    ) -> tuple[Hit, ...]:
        """Return the entries nearest to some words that may be shown there and then, nearest first."""
        return self._index.near(text, suits=lambda entry: served(entry, now, region, audience), limit=limit)

    def entry(self, entry: str) -> Entry | None:
        """Return an entry by its id if it may be shown now in this city, else None."""
        found = self._entries.get(entry)
        return found if found and served(found, self._now(), self._region) else None

    def listing(self, category: str = "", audience: Collection[str] = ()) -> tuple[Entry, ...]:
        """Return what may be shown now in this city, of a category or of all ("D" is all of field D)."""
        now = self._now()
        return tuple(
            entry
            for entry in self._entries.values()
            if entry.category.startswith(category) and served(entry, now, self._region, audience)
        )

    async def refresh(self) -> bool:
        """Read the entries again if they changed, and return whether they did."""
        edition = await self._store.read(rows.edition)
        if edition == self._edition:
            return False
        entries = await shelf.entries(self._store, Status.PUBLISHED)
        # Building takes the processor for a while; the loop goes on beside it.
        self._index = await asyncio.to_thread(Index, entries)
        self._entries = {entry.id: entry for entry in entries}
        self._edition = edition
        log.info("knowledge.loaded", entries=len(entries), edition=edition)
        return True

    async def keep_fresh(self, bus: Bus) -> None:
        """Look for a new edition when woken, and every few seconds."""
        while True:
            await bus.wait(TOPIC, LOOKS)
            try:
                await self.refresh()
            except Exception:
                # What is known stays known; it is tried again at the next look.
                log.exception("knowledge.refresh_failed")
