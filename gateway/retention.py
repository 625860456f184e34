"""``jiesu retention media``: forgets files whose time is over, or says which it would forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import app as gateway
from gateway import profile as profiles
from gateway.media.retention import Retention
from gateway.runtime import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings
    from gateway.whole import Books


async def due(settings: Settings) -> Mapping[str, int]:
    """Return how many files would be forgotten now, by reason."""
    async with gateway.open_books(settings) as books:
        found = await _retention(settings, books).due()
        return {"of_cases": len(found.of_cases), "unattached": len(found.unattached)}


async def forget(settings: Settings) -> Mapping[str, int]:
    """Forget the files whose time is over; return how many, by reason."""
    async with gateway.open_books(settings) as books:
        retention = _retention(settings, books)
        found = await retention.due()
        await retention.forget_wanted()
        return {
            "of_cases": await retention.forget(found.of_cases),
            "unattached": await retention.forget(found.unattached),
        }


def _retention(settings: Settings, books: Books) -> Retention:
    blobs = gateway.open_blobs(settings, books.sealer)
    days = profiles.load(settings.profile).current.media_days
    return Retention(blobs=blobs, store=books.store, now=now, days=days)
