"""``jiesu retention media``: forgets files and words of the search whose time is over, or says which it would forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import app as gateway
from gateway import profile as profiles
from gateway.desk.pruning import Pruning
from gateway.media.retention import Retention
from gateway.runtime import now
from normalizer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings
    from gateway.whole import Books


async def due(settings: Settings) -> Mapping[str, int]:
    """Return how many files would be forgotten now, by reason, and how many documents of the search."""
    async with gateway.open_books(settings) as books:
        found = await _retention(settings, books).due()
        return {
            "of_cases": len(found.of_cases),
            "unattached": len(found.unattached),
            "of_search": await _pruning(settings, books).due(),
        }


async def forget(settings: Settings) -> Mapping[str, int]:
    """Forget what is over; return how many files, by reason, and how many documents of the search."""
    async with gateway.open_books(settings) as books:
        retention = _retention(settings, books)
        found = await retention.due()
        await retention.forget_wanted()
        return {
            "of_cases": await retention.forget(found.of_cases),
            "unattached": await retention.forget(found.unattached),
            "of_search": await _pruning(settings, books).prune(),
        }


async def rebuild_search(settings: Settings) -> int:
    """Make the index of the desk's search anew without what is over, and return how many documents; raises Misconfigured."""
    if not settings.desk.search:
        raise Misconfigured("desk.search", "查找已关闭；要重建索引，先设为 true")
    async with gateway.open_books(settings) as books:
        index = gateway.indexing(books)
        await index.clear()
        written = await index.catch_up()
        return written - await _pruning(settings, books).prune()


def _pruning(settings: Settings, books: Books) -> Pruning:
    return Pruning(books.store, now, profiles.load(settings.profile).current.media_days)


def _retention(settings: Settings, books: Books) -> Retention:
    blobs = gateway.open_blobs(settings, books.sealer)
    days = profiles.load(settings.profile).current.media_days
    return Retention(blobs=blobs, store=books.store, now=now, days=days)
