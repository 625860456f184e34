"""A matter that came as JSON, made into an order; what it cannot do without is asked for at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from bots import slots
from bots.contract import Facts, Moment
from bots.scene import Scene
from bots.state import Order, State
from bots.submission import submission
from gateway.web.api.models import Datum
from gateway.web.api.problems import Fault, Wrong, invalid
from gateway.web.portal import form
from normalizer.codes import CATEGORY_LABELS, Kind
from normalizer.geo import Point, to_gcj
from normalizer.people import mask, valid_phone, valid_uscc
from normalizer.text import clean, han_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bots.contract import City, NewNumber, Submit
    from gateway.web.api.models import CaseIn
    from normalizer.case import Attachment

Fill = Callable[["NewNumber"], "Submit"]


def filled(given: CaseIn, city: City, now: datetime, files: Mapping[str, Attachment], proved: str) -> Fill:
    """Return how a matter is submitted once its number is known; raises Wrong with one error for each bad field.

    ``proved`` is the telephone that the session proved, empty for none: it is taken where no other is given.

    ``files`` are those of its files that are there; that one is missing is told when the matter proves to be new, for
    the files of one that was opened before are the case's by now.
    """
    order = _order(given, Moment(now, city), proved)
    if faults := _faults(given, order, city):
        raise Wrong(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            "有些内容不符合要求，见 errors。",
            errors=tuple(faults),
        )

    def fill(number: NewNumber) -> Submit:
        with_files = replace(order, attachments=all_there(given.files, files))
        made = submission(with_files, number, city, lang="zh", elderly=given.elderly)
        person = replace(
            made.complainant,
            person_type=given.person_type,
            org_name=clean(given.org_name),
            uscc=given.uscc,
            email="" if given.anonymous else given.email,
            is_agent=bool(given.agent_for),
            agent_for=clean(given.agent_for),
        )
        return replace(made, complainant=person)

    return fill


def all_there(keys: Sequence[str], files: Mapping[str, Attachment]) -> tuple[Attachment, ...]:
    """Return the files of some keys; raises Wrong when one is missing."""
    if not files.keys() >= set(keys):
        raise invalid("/files", "有的文件没有上传成功或已过期，请重新上传。")
    return tuple(files[key] for key in dict.fromkeys(keys))


def _order(given: CaseIn, moment: Moment, proved: str) -> Order:
    """Return the order: what was chosen, and what the words say where nothing was."""
    text = clean(given.text)
    reading = form.read(text, moment.now)
    read = slots.absorb(Order(), reading, Scene(State(), reading, Facts(source="04"), moment, None))
    there = _there(given)
    phone = "" if given.anonymous else valid_phone(given.phone) or proved
    return replace(
        read,
        text=text,
        kind=given.kind or read.kind or Kind.HELP,
        category=given.category or read.category,
        # What was chosen against the words is for people to see before it is accepted.
        sure=read.sure and given.category in {None, read.category},
        place=mask(clean(given.place)) or read.place,
        lon=there.lon if there else None,
        lat=there.lat if there else None,
        when=mask(clean(given.when)) or read.when,
        demand=clean(given.demand) or read.demand,
        name="" if given.anonymous else clean(given.name),
        phone=phone,
        anonymous=given.anonymous,
        secret=given.secret or given.anonymous or given.kind is Kind.REPORT or bool(read.secret),
        reply_by="" if given.need_reply else slots.NONE,
    )


def _there(given: CaseIn) -> Point | None:
    if given.lon is None or given.lat is None:
        return None
    there = Point(given.lon, given.lat)
    return to_gcj(there) if given.datum is Datum.WGS84 else there


def _faults(given: CaseIn, order: Order, city: City) -> list[Fault]:
    placed = order.category in city.place_categories and not (order.place or order.lon is not None)
    rules = (
        ("/text", han_count(order.text) < slots.MIN_HAN, "请再说详细一点，至少写八个字。"),
        ("/category", order.category and order.category not in CATEGORY_LABELS, "没有这个类别。"),
        ("/kind", given.kind is Kind.OTHER, "请选一个诉求类型。"),
        ("/lat", (given.lon is None) != (given.lat is None), "lon 和 lat 须同时给出。"),
        ("/place", placed, "请写清区县、街道、小区或路名、门牌。"),
        ("/phone", given.phone and valid_phone(given.phone) is None, "这个号码好像不对，座机请带区号。"),
        ("/phone", not (order.phone or given.email or given.anonymous), "请留一个电话或邮箱，或者选择匿名。"),
        ("/email", given.email and "@" not in given.email[1:-1], "邮箱地址好像不对。"),
        ("/uscc", given.uscc and not valid_uscc(given.uscc), "统一社会信用代码是18位，请照营业执照核对。"),
    )
    return [Fault(pointer=pointer, detail=detail) for pointer, wrong, detail in rules if wrong]
