"""Reading what a request says: parameters, dates, numbers; a missing and an empty one are the same, every fault is named."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gateway.web.open311.faults import BAD, Fault, Faulty, faulty
from normalizer.geo import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

SPAN = timedelta(days=90)
"""The longest time that may be asked for, and how far back it goes when nobody says (GeoReport v2, GET Service Requests)."""
MOST = 1000
"""Requests in one answer at most, and by default."""
IDS, RADIUS, FARTHEST = 100, 750, 20_000
"""Numbers in one question; metres around a point, by default and at most."""
FIELDS = 200
OPEN, CLOSED = "open", "closed"

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,10}(?:\.\d{1,20})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,50})\](?:\[\])?")


class Form:
    """The parameters of a request; faults are gathered and raised all at once by ``check``."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        self.attributes: dict[str, list[str]] = {}
        self._faults: list[Fault] = []
        for name, value in pairs:
            self._take(name, value.strip())

    def text(self, name: str, limit: int = 0) -> str:
        """Return a parameter, empty when it is missing."""
        value = self._values.get(name, "")
        if limit and len(value) > limit:
            self.fault(f"{name} 最多 {limit} 个字")
            return ""
        return value

    def codes(self, name: str) -> tuple[str, ...]:
        """Return the parts of a comma list."""
        return tuple(dict.fromkeys(part.strip() for part in self.text(name).split(",") if part.strip()))

    def date(self, name: str) -> datetime | None:
        """Return a date of W3C's form with its time zone, None when it is missing or bad."""
        value = self.text(name)
        if not value:
            return None
        # A plus in a query that was not encoded arrives as a blank.
        value = re.sub(r" (?=\d{2}:\d{2}$)", "+", value)
        try:
            read = datetime.fromisoformat(value) if _DATE.fullmatch(value) else None
            if read is not None:
                read.timestamp()
        except (ValueError, OverflowError):
            read = None
        if read is None:
            self.fault(f"{name} 须写成 2026-11-24T10:00:00+08:00 这样带时区的时间")
        return read

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number within bounds, the default when it is missing or bad."""
        value = self.text(name)
        if not value:
            return default
        if not _WHOLE.fullmatch(value) or not low <= int(value) <= high:
            self.fault(f"{name} 须是 {low} 到 {high} 的整数")
            return default
        return int(value)

    def point(self) -> Point | None:
        """Return the place of ``lat`` and ``long`` (WGS-84), None when neither is there or one is bad."""
        lat, lon = self._degrees("lat", 90), self._degrees("long", 180)
        if bool(self.text("lat")) != bool(self.text("long")):
            self.fault("lat 和 long 须同时给出")
        return Point(lon, lat) if lat is not None and lon is not None else None

    def fault(self, description: str, code: int = BAD) -> None:
        """Note a fault."""
        self._faults.append(Fault(code, description))

    def check(self) -> None:
        """Raise Faulty with all faults so far, if there are any."""
        if self._faults:
            raise Faulty(*self._faults)

    def _take(self, name: str, value: str) -> None:
        if not value:
            return
        if found := _ATTRIBUTE.fullmatch(name):
            self.attributes.setdefault(found.group(1), []).append(value)
        else:
            self._values.setdefault(name, value)

    def _degrees(self, name: str, most: int) -> float | None:
        value = self.text(name)
        if not value:
            return None
        read = float(value) if _NUMBER.fullmatch(value) else math.inf
        if not abs(read) <= most:
            self.fault(f"{name} 须是 -{most} 到 {most} 的数")
            return None
        return read


def form_of(body: bytes) -> Form:
    """Return the parameters of a query or of a form that was posted; raises Faulty when it is not UTF-8."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=FIELDS
        )
    except UnicodeDecodeError as error:
        raise faulty(BAD, "请求须是 UTF-8 编码") from error
    except ValueError as error:
        raise faulty(BAD, f"参数最多 {FIELDS} 个") from error
    return form_from(pairs)


def form_from(pairs: Sequence[tuple[str, str]]) -> Form:
    """Return the parameters of named values; raises Faulty when there are too many."""
    if len(pairs) > FIELDS:
        raise faulty(BAD, f"参数最多 {FIELDS} 个")
    return Form(pairs)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of requests is asked to hold; ``numbers`` override everything else."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    since: datetime
    until: datetime
    status: frozenset[str]
    near: Point | None
    radius: int
    page: int
    page_size: int
    extensions: bool


def listing_of(form: Form, now: datetime, categories: frozenset[str]) -> Listing:
    """Return what a list is asked to hold; raises Faulty with one fault for each bad parameter."""
    numbers = form.codes("service_request_id")
    if len(numbers) > IDS:
        form.fault(f"service_request_id 一次最多 {IDS} 个")
    wanted = form.codes("service_code")
    for code in wanted:
        if code not in categories:
            form.fault(f"没有这个服务：service_code {code[:20]}")
    since, until = period(form, now)
    near = form.point()
    status = form.codes("status")
    if not set(status) <= {OPEN, CLOSED}:
        form.fault("status 只能是 open、closed")
    listing = Listing(
        numbers=numbers,
        categories=wanted,
        since=since,
        until=until,
        status=frozenset(status or (OPEN, CLOSED)),
        near=near,
        radius=form.whole("radius", RADIUS, 1, FARTHEST),
        page=form.whole("page", 1, 1, 1_000_000),
        page_size=form.whole("page_size", MOST, 1, MOST),
        extensions=form.text("extensions") == "true",
    )
    form.check()
    return listing


def period(form: Form, now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when is asked: at most 90 days, and the last 90 by default; notes a fault otherwise."""
    start, end = form.date("start_date"), form.date("end_date")
    if start and end and not timedelta(0) <= end - start <= SPAN:
        form.fault(f"start_date 到 end_date 须在 {SPAN.days} 天之内")
    try:
        since = start or (end or now) - SPAN
        return since, end or since + SPAN
    except OverflowError:
        form.fault("start_date 或 end_date 太早或太晚")
        return now, now
