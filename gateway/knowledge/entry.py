"""One entry of the knowledge base, and when it may be shown (domain.md 1.9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

ZONE = ZoneInfo("Asia/Shanghai")
SHORT = 300
"""Characters of a short answer (domain.md 1.9)."""


class Status(StrEnum):
    """草稿 → 待审(承办单位) → 待审(中心) → 已发布 → 待复核 → 已下线; only what is published is shown."""

    DRAFT = "draft"
    REVIEW_UNIT = "review_unit"
    REVIEW_CENTRE = "review_centre"
    PUBLISHED = "published"
    RECHECK = "recheck"
    OFFLINE = "offline"


class Security(StrEnum):
    """Who may read it: everybody, the hotline's agents, or the units."""

    PUBLIC = "public"
    AGENTS = "agents"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer.

    ``variants`` are other ways to ask it; ``answer_short`` has at most 300 characters, ``answer_full`` may be empty.
    ``region`` is a code of six digits, or empty for everywhere; ``audience`` names whom it concerns, empty for all.
    ``effective_from`` and ``valid_until`` are the first and the last day on which it holds, local time.
    """

    id: str
    title: str
    answer_short: str
    variants: tuple[str, ...] = ()
    answer_full: str = ""
    category: str = ""
    region: str = ""
    item_code: str = ""
    materials: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    fee: str = ""
    basis: str = ""
    place_hours: str = ""
    phone: str = ""
    link: str = ""
    audience: tuple[str, ...] = ()
    security: Security = Security.PUBLIC
    source_unit: str = ""
    owner: str = ""
    effective_from: date | None = None
    valid_until: date | None = None
    version: int = 1
    status: Status = Status.DRAFT
    review_due: date | None = None
    updated_at: datetime | None = None


def served(entry: Entry, now: datetime, region: str, audience: Collection[str] = ()) -> bool:
    """Return whether a citizen of a region may be shown an entry at an instant.

    Who names an audience is shown what concerns it and what concerns all; who names none is shown everything.
    """
    if entry.status is not Status.PUBLISHED or entry.security is not Security.PUBLIC:
        return False
    return holds(entry, now) and covers(entry.region, region) and _concerns(entry, audience)


def holds(entry: Entry, now: datetime) -> bool:
    """Return whether an entry is in force on the local day of an instant."""
    today = now.astimezone(ZONE).date()
    begun = entry.effective_from is None or entry.effective_from <= today
    return begun and (entry.valid_until is None or today <= entry.valid_until)


def covers(wide: str, region: str) -> bool:
    """Return whether what holds in a region holds in another: everywhere, the same one, or one that contains it."""
    return not wide or region.startswith(_meaning(wide))


def _meaning(region: str) -> str:
    """Return the digits of a region's code that say something: 37 for a province, 3709 for a city."""
    while region.endswith("00"):
        region = region[:-2]
    return region


def _concerns(entry: Entry, audience: Collection[str]) -> bool:
    return not audience or not entry.audience or not set(entry.audience).isdisjoint(audience)
