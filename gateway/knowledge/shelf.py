"""Entries in the database: put there, taken out, and whether they will soon be out of date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING

from gateway.knowledge.entry import ZONE, Entry, Status
from gateway.knowledge.exchange import read_json, write_json
from gateway.runtime import millis
from gateway.store import knowledge as rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from gateway.store.store import Store

WARNED = (1, 7, 30)
"""Days before the end at which the owner is told (domain.md 1.9)."""

STARTER = "knowledge/starter.json"
"""Example entries, for the demo and as a beginning."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import did: how many entries are new, how many changed, how many were the same."""

    new: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class Ending:
    """An entry that ends within so many days (0: today), or is due for review when ``review``."""

    entry: Entry
    days: int
    review: bool = False


async def entries(store: Store, status: str = "") -> tuple[Entry, ...]:
    """Return all entries, or those of one status."""
    found = await store.read(partial(rows.every, status=status))
    return tuple(entry_from(row.body) for row in found)


async def put(store: Store, given: Iterable[Entry], now: datetime, actor: str) -> Brought:
    """Write entries over those with the same id; one that says nothing new is left as it is."""
    given = tuple(given)
    decide = partial(_differing, given=given, now=now)
    new, changed = await store.write(partial(rows.change, decide=decide, at=millis(now), actor=actor))
    return Brought(new, changed, len(given) - new - changed)


async def starter(store: Store, now: datetime) -> Brought:
    """Put the example entries into a store that holds none at all."""
    if await entries(store):
        return Brought(0, 0, 0)
    text = resources.files("gateway").joinpath(STARTER).read_text("utf-8")
    return await put(store, read_json(text), now, "starter")


def entry_from(body: str) -> Entry:
    """Return the entry of a row."""
    return read_json(body)[0]


def ending(known: Iterable[Entry], now: datetime) -> tuple[Ending, ...]:
    """Return the published entries that end within 30 days or are due for review, the nearest first."""
    today = now.astimezone(ZONE).date()
    found = []
    for entry in known:
        if entry.status is not Status.PUBLISHED:
            continue
        if entry.valid_until and entry.valid_until - today <= timedelta(days=WARNED[-1]):
            found.append(Ending(entry, (entry.valid_until - today).days))
        elif entry.review_due and entry.review_due <= today:
            found.append(Ending(entry, (entry.review_due - today).days, review=True))
    return tuple(sorted(found, key=lambda each: (each.days, each.entry.id)))


def _differing(
    before: Sequence[rows.EntryRow], given: Sequence[Entry], now: datetime
) -> Sequence[rows.EntryRow]:
    """Return the rows of those entries that are new or say something new."""
    known = {row.id: entry_from(row.body) for row in before}
    differ = (entry for entry in given if entry.id not in known or not _same(entry, known[entry.id]))
    return [_row(_stamped(entry, known.get(entry.id), now)) for entry in differ]


def _same(one: Entry, other: Entry) -> bool:
    """Return whether two entries say the same, whichever versions they are."""
    return replace(one, version=other.version, updated_at=other.updated_at) == other


def _stamped(entry: Entry, before: Entry | None, now: datetime) -> Entry:
    """Return an entry with its number and the time of its change; those of the file stand where they go on."""
    at = entry.updated_at or now
    if before is None:
        return replace(entry, updated_at=at)
    version = max(entry.version, before.version + 1)
    newer = before.updated_at is None or at > before.updated_at
    return replace(entry, version=version, updated_at=at if newer else now)


def _row(entry: Entry) -> rows.EntryRow:
    assert entry.updated_at is not None
    body = write_json([entry])
    return rows.EntryRow(
        entry.id, entry.status.value, entry.category, entry.version, millis(entry.updated_at), body
    )
