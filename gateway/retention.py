"""``jiesu retention``: forgets what is over, or says how much it would forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import app as gateway
from gateway import profile as profiles
from gateway.media.retention import Retention
from gateway.runtime import now
from normalizer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.forgetting import Forgetting
    from gateway.settings import Settings
    from gateway.whole import Books

UNATTACHED = "unattached"


async def due(settings: Settings) -> Mapping[str, int]:
    """Return how many rows are over and not held, by table, and how many files nobody attached in time."""
    async with gateway.open_books(settings) as books:
        found = await _forgetting(settings, books).due()
        return found | {UNATTACHED: await _retention(settings, books).due()}


async def forget(settings: Settings, told: Callable[[str], None]) -> Mapping[str, int]:
    """Go through everything now; return what was forgotten, by table. ``told`` hears which it is at."""
    async with gateway.open_books(settings) as books:
        retention = _retention(settings, books)
        unattached = await retention.due()
        gone = await _forgetting(settings, books).all(told)
        await retention.forget()
        return gone | {UNATTACHED: unattached}


async def rebuild_search(settings: Settings) -> int:
    """Make the index of the desk's search anew without what is over, and return how many documents; raises Misconfigured."""
    if not settings.desk.search:
        raise Misconfigured("desk.search", "查找已关闭；要重建索引，先设为 true")
    async with gateway.open_books(settings) as books:
        index = gateway.indexing(books)
        await index.clear()
        written = await index.catch_up()
        forgetting = _forgetting(settings, books)
        over = await forgetting.only("found")
        await forgetting.only("grams")
        return written - over


def _forgetting(settings: Settings, books: Books) -> Forgetting:
    spans = profiles.load(settings.profile).current.spans
    return gateway.forgetting(books, spans, now=now, forgot=lambda _table, _count: None)


def _retention(settings: Settings, books: Books) -> Retention:
    return Retention(blobs=gateway.open_blobs(settings, books.sealer), store=books.store, now=now)
