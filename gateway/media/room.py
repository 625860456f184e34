"""Everything about files, joined: what pages, channels and commands use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.media.derive import Derive
from gateway.media.intake import Intake
from gateway.media.links import Links
from gateway.media.reading import Reading
from gateway.media.retention import Retention
from gateway.media.scan import Scanner
from gateway.media.uploads import Uploads
from gateway.media.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.blobs import Blobs
    from gateway.settings import Settings
    from gateway.store.seal import Sealer
    from gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Room:
    """All that is done with files.

    ``intake`` takes them in, ``uploads`` receives them in pieces, ``derive`` makes the copies that leave, ``links``
    opens them, ``reading`` reads the words in photos, ``retention`` forgets.
    """

    blobs: Blobs
    store: Store
    sealer: Sealer
    workers: Workers
    intake: Intake
    derive: Derive
    links: Links
    uploads: Uploads
    retention: Retention
    reading: Reading


def join(
    settings: Settings,
    *,
    blobs: Blobs,
    store: Store,
    sealer: Sealer,
    now: Callable[[], datetime],
) -> Room:
    """Join the parts; ``workers.close`` ends what was started."""
    workers = Workers(settings.media_workers)
    links = Links(sealer.hash, now)
    intake = Intake(
        blobs=blobs,
        workers=workers,
        scanner=Scanner(settings.clamd),
        store=store,
        sealer=sealer,
        limits=settings.media_limits.limits,
        now=now,
    )
    return Room(
        blobs=blobs,
        store=store,
        sealer=sealer,
        workers=workers,
        intake=intake,
        derive=Derive(blobs=blobs, workers=workers, store=store),
        links=links,
        uploads=Uploads(blobs=blobs, intake=intake, links=links, store=store, sealer=sealer, now=now),
        retention=Retention(blobs=blobs, store=store, now=now),
        reading=Reading(blobs=blobs, workers=workers, store=store, sealer=sealer),
    )
