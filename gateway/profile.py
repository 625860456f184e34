"""The city's rules as versioned, validated data: names, numbers, limits, hours, catalogue (domain.md 1.8)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bots.contract import City, Spot
from gateway.media.retention import Spans
from normalizer.case import Case
from normalizer.codes import CATEGORY_LABELS, REJECT_LABELS, Kind, Urgency
from normalizer.errors import Misconfigured

DEFAULT = "taian.toml"


class Unit(StrEnum):
    """How a limit counts (domain.md 3.3)."""

    MIN = "min"
    H = "h"
    DAY = "day"
    WORKDAY = "workday"
    WORKHOUR = "workhour"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """A time limit and the cases it is for; what is not named matches all."""

    amount: int = Field(gt=0)
    unit: Unit
    kind: Kind | None = None
    category: tuple[str, ...] = ()
    urgency: Urgency | None = None
    source: str = ""

    def matches(self, case: Case) -> bool:
        """Return whether the limit is for this case."""
        matter = case.matter
        return (
            (self.kind is None or self.kind is matter.kind)
            and (not self.category or matter.category in self.category)
            and (self.urgency is None or self.urgency is matter.urgency)
            and (not self.source or self.source == case.source_channel)
        )


class Limits(_Strict):
    """Every limit of domain.md 1.8; each list ends with a rule for all."""

    ack: tuple[Limit, ...]
    accept: tuple[Limit, ...]
    dispatch: tuple[Limit, ...]
    sign: tuple[Limit, ...]
    first_contact: tuple[Limit, ...]
    handle: tuple[Limit, ...]
    return_window: tuple[Limit, ...]
    return_review: tuple[Limit, ...]
    reply_review: tuple[Limit, ...]
    visit: tuple[Limit, ...]
    rating: tuple[Limit, ...]
    rating_reminder: tuple[Limit, ...]
    rework: tuple[Limit, ...]
    supplement: tuple[Limit, ...]


class Span(_Strict):
    """Local hours, perhaps over midnight."""

    start: time = Field(alias="from")
    until: time


class Work(_Strict):
    """Working hours of a day, and days that the public calendar has wrong."""

    windows: tuple[tuple[time, time], ...]
    off: tuple[date, ...] = ()
    work: tuple[date, ...] = ()


class Caps(_Strict):
    """How often."""

    rework_rounds: int = Field(ge=0)
    extensions: int = Field(ge=0)


class HandlingUnit(_Strict):
    """A unit that cases are dispatched to."""

    code: str
    name: str
    categories: tuple[str, ...]


class Shown(_Strict):
    """What neighbours may read by Open311: nothing, the cases they opened themselves, or all that are not confidential."""

    public: Literal["none", "own", "all"] = "own"


class Elsewhere(_Strict):
    """Where to turn with what the hotline does not take in: in a talk, and within a text message.

    ``{courts}`` and the like stand for the numbers of ``[lines]``.
    """

    long: str = Field(min_length=1, max_length=90)
    short: str = Field(min_length=1, max_length=45)


class CodeSpot(_Strict):
    """Where a code of the city hangs: how the place is called, and its address."""

    name: str = Field(min_length=1, max_length=40)
    place: str = Field(min_length=1, max_length=100)


class Profile(_Strict):
    """One version of a city's rules."""

    version: str = Field(min_length=1)
    effective_from: date
    name: str = Field(min_length=1)
    name_en: str = ""
    hotline: str
    region: str = Field(pattern=r"^[0-9]{6}$")
    privacy_url: str = ""
    notice_version: str
    sms_number: str = ""
    wechat_name: str = ""
    mailbox: str = ""
    seats: tuple[time, time] | None = None
    draft_hours: int = Field(gt=0)
    talk_days: int = Field(default=180, ge=180)
    media_days: int = Field(default=1095, ge=30)
    record_days: int = Field(default=3650, ge=1095)
    log_days: int = Field(default=1095, ge=180)
    acceptable: frozenset[str]
    place_categories: frozenset[str]
    utility_categories: frozenset[str]
    quiet: Span
    work: Work
    lines: Mapping[str, str]
    limits: Limits
    caps: Caps
    units: tuple[HandlingUnit, ...] = ()
    spots: Mapping[str, CodeSpot] = Field(default_factory=dict)
    elsewhere: Mapping[str, Elsewhere] = Field(default_factory=dict)
    open311: Shown = Shown()

    @property
    def spans(self) -> Spans:
        """Return how long things are kept (domain.md 1.10); the logs of half a year are the floor."""
        talks, media, records, logs = (
            timedelta(days=days)
            for days in (self.talk_days, self.media_days, self.record_days, self.log_days)
        )
        return Spans(talks, media, max(records, media, talks), max(logs, talks))

    @model_validator(mode="after")
    def _names_lines_that_are_there(self) -> Self:
        if unknown := self.elsewhere.keys() - REJECT_LABELS.keys():
            raise ValueError(f"elsewhere: no such code {min(unknown)}")
        for code in self.elsewhere:
            self.paths(code)
        return self

    def paths(self, code: str) -> tuple[str, str]:
        """Return where to turn with what is refused by a code, long and short, empty where the city says nothing."""
        if (path := self.elsewhere.get(code)) is None:
            return "", ""
        try:
            return path.long.format(**self.lines), path.short.format(**self.lines)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"elsewhere.{code}: {error} is none of [lines]") from error

    def limit(self, key: str, case: Case) -> Limit:
        """Return the limit of a key for a case; the first that matches wins."""
        rules: tuple[Limit, ...] = getattr(self.limits, key)
        return next((rule for rule in rules if rule.matches(case)), rules[-1])

    def unit_for(self, category: str) -> HandlingUnit | None:
        """Return the unit the catalogue names for a category."""
        return next((unit for unit in self.units if category in unit.categories), None)


class Profiles:
    """The versions known here; cases keep the one they were accepted under."""

    def __init__(self, current: Profile, *older: Profile, pages_url: str = "") -> None:
        self.current = current
        self.city = replace(city(current), pages_url=pages_url)
        self._versions = {profile.version: profile for profile in (*older, current)}

    def at(self, version: str) -> Profile:
        """Return a version, or the current one when that version is no longer here."""
        return self._versions.get(version, self.current)


def load(path: Path | None, pages_url: str = "") -> Profiles:
    """Read the profile in force, and older versions from ``*.toml`` beside it; raises Misconfigured.

    ``pages_url`` is where our pages stand, which is the installation's and not the city's to say.
    """
    if path is None:
        return Profiles(_default(), pages_url=pages_url)
    current = _parse(_read(path))
    beside = (
        _parse(_read(other))
        for other in sorted(path.parent.glob("*.toml"))
        if other != path and _is_profile(other)
    )
    older = (profile for profile in beside if profile.version != current.version)
    return Profiles(current, *older, pages_url=pages_url)


def city(profile: Profile) -> City:
    """Return what the dialogue may know of a city."""
    return City(
        name=profile.name,
        name_en=profile.name_en,
        spots={code: Spot(spot.name, spot.place) for code, spot in profile.spots.items()},
        hotline=profile.hotline,
        region=profile.region,
        privacy_url=profile.privacy_url,
        notice_version=profile.notice_version,
        accept_hours=profile.limits.accept[-1].amount,
        draft_hours=profile.draft_hours,
        lines=dict(profile.lines),
        elsewhere={code: profile.paths(code) for code in profile.elsewhere},
        acceptable=profile.acceptable,
        place_categories=profile.place_categories,
        seats=profile.seats,
        rework_rounds=profile.caps.rework_rounds,
        mail_hours=next((rule.amount for rule in profile.limits.ack if rule.source == "03"), 24),
        sms_number=profile.sms_number,
        wechat_name=profile.wechat_name,
        mailbox=profile.mailbox,
    )


@cache
def _default() -> Profile:
    return _parse(resources.files("gateway").joinpath("profiles", DEFAULT).read_text("utf-8"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Misconfigured("profile", f"cannot read {path.name}: {error.strerror}") from error


def _is_profile(path: Path) -> bool:
    return "effective_from" in _read(path)


def _parse(text: str) -> Profile:
    try:
        profile = Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured("profile", f"not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"profile.{where}", first["msg"]) from error
    unknown = (profile.acceptable | profile.place_categories) - CATEGORY_LABELS.keys()
    if unknown:
        raise Misconfigured("profile.acceptable", f"no such category: {', '.join(sorted(unknown))}")
    return profile
