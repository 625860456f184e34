"""The report form: its pages in order, what each takes, what it cannot take. Pure; the slots are the bot's own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bots import slots
from bots.contract import Facts, Moment
from bots.scene import Scene
from bots.state import Order, State, Step
from bots.submission import submission
from normalizer.codes import Kind, PersonType
from normalizer.draft import draft
from normalizer.geo import Point, to_gcj
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel
from normalizer.people import mask, valid_phone, valid_uscc
from normalizer.text import clean

if TYPE_CHECKING:
    from bots.contract import NewNumber, Submit
    from normalizer.draft import CaseDraft
    from normalizer.emergency import Emergency

KEPT = timedelta(hours=24)
"""How long a form that was left is kept (domain.md 4.2)."""
NAME_LENGTH, ORG_LENGTH, LAND_LINE = 20, 60, 5


class Page(StrEnum):
    """The pages of the form, in their order."""

    WHAT = "what"
    WHERE = "where"
    WHEN = "when"
    FILES = "files"
    CONTACT = "contact"
    CHECK = "check"


PAGES = tuple(Page)
SHORT = tuple(page for page in PAGES if page is not Page.WHEN)
"""The elderly view asks less (domain.md 4.2)."""


@dataclass(frozen=True)
class Form:
    """A report being filled in: the order, who reports and for whom, and the pages gone through.

    ``key`` makes it one submission however often it is sent; ``alarmed`` is the danger that people on duty were told of.
    """

    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    since: datetime | None = None
    order: Order = field(default_factory=Order)
    person_type: PersonType = PersonType.NATURAL
    org_name: str = ""
    uscc: str = ""
    agent_for: str = ""
    email: str = ""
    seen: tuple[Page, ...] = ()
    alarmed: str = ""

    @property
    def secret(self) -> bool:
        """Whether it is confidential: as said, else a report of wrongdoing is (domain.md 0.6)."""
        return self.order.secret if self.order.secret is not None else self.order.kind is Kind.REPORT


Errors = Mapping[str, str]
"""What is wrong, by field, in the citizen's words; empty when all is well."""


def fresh(form: Form | None, now: datetime) -> Form:
    """Return the form to go on with: a new one where there is none or it was left too long."""
    if form is None or form.since is None or now - form.since > KEPT:
        return Form(since=now)
    return form


def pages(*, elderly: bool) -> tuple[Page, ...]:
    """Return the pages that are asked."""
    return SHORT if elderly else PAGES


def after(form: Form, page: Page, *, elderly: bool) -> Page:
    """Return the page that follows one; straight back to the check once all were gone through."""
    if Page.CONTACT in form.seen:
        return Page.CHECK
    asked = pages(elderly=elderly)
    following = asked[asked.index(page) + 1 :] if page in asked else (Page.CHECK,)
    return next((each for each in following if not _known(form.order, each)), Page.CHECK)


def reachable(form: Form, page: Page) -> bool:
    """Return whether a page may be shown: the matter comes first, the check when there is somebody to reach."""
    order = form.order
    if page is Page.WHAT:
        return True
    return slots.enough(order.text) and (
        page is not Page.CHECK or bool(order.phone or form.email or order.anonymous)
    )


def read(text: str, now: datetime) -> CaseDraft:
    """Return what the words of the first page say."""
    part = Part(PartKind.TEXT, text=text)
    return draft(InboundMessage("web", "", "", SourceChannel.WEB, now, now, (part,), b""))


def take(page: Page, form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    """Return the form with what a page brings, and what of it cannot be taken."""
    taken, errors = _TAKES[page](form, given, moment)
    if errors:
        return taken, errors
    if _now_report(form.order, taken.order) and page is not Page.CONTACT and form.order.secret is False:
        # That he need not be protected was said of something else.
        taken = replace(taken, order=replace(taken.order, secret=None))
    seen = taken.seen if page in taken.seen else (*taken.seen, page)
    return replace(taken, since=moment.now, seen=seen), {}


def filled(form: Form, number: NewNumber, moment: Moment, *, lang: str, elderly: bool) -> Submit:
    """Return the form as it is submitted."""
    order = replace(form.order, secret=form.secret)
    made = submission(order, number, moment.city, lang=lang, elderly=elderly)
    person = replace(
        made.complainant,
        person_type=form.person_type,
        org_name=form.org_name,
        uscc=form.uscc,
        email=form.email,
        is_agent=bool(form.agent_for),
        agent_for=form.agent_for,
    )
    return replace(made, complainant=person)


def _now_report(before: Order, after: Order) -> bool:
    return after.kind is Kind.REPORT and before.kind is not Kind.REPORT


def _known(order: Order, page: Page) -> bool:
    match page:
        case Page.WHERE:
            return bool(order.place) or order.lon is not None
        case Page.WHEN:
            return bool(order.when and order.demand)
        case _:
            return False


def _what(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    text = clean(given.get("text", ""))[: slots.TEXT_LENGTH]
    if not slots.enough(text):
        return replace(form, order=replace(form.order, text=text)), {
            "text": "请再说详细一点：是什么事，有什么影响，至少写八个字。"
        }
    if text == form.order.text:
        return form, {}
    # Told anew, it is read anew; what other pages brought stays.
    blank = replace(form.order, text="", category="", sure=False)
    scene = Scene(State(order=blank), read(text, moment.now), Facts(source="04"), moment, None)
    order = slots.absorb(blank, scene.reading, scene)
    return replace(form, order=replace(order, brief=False)), {}


def _where(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    place = mask(clean(given.get("place", "")))[: slots.PLACE_LENGTH]
    point = _point(given)
    lon, lat = (point.lon, point.lat) if point is not None else (None, None)
    order = replace(form.order, place=place, lon=lon, lat=lat)
    needed = order.category in moment.city.place_categories
    missing = needed and not place and order.lon is None
    errors = {"place": "请写清区县、街道、小区或路名、门牌，工作人员才找得到。"} if missing else {}
    return replace(form, order=order), errors


def _when(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    when = clean(given.get("when_text", "")) or given.get("when", "")
    kind = given.get("kind", "")
    order = replace(
        form.order,
        when=mask(when)[: slots.WHEN_LENGTH],
        demand=clean(given.get("demand", ""))[: slots.DEMAND_LENGTH],
        kind=Kind(kind) if kind in {each.value for each in slots.KINDS.values()} else form.order.kind,
    )
    return replace(form, order=order), {}


def _files(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    return replace(form, order=replace(form.order, materials=True)), {}


def _contact(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    anonymous = given.get("anonymous") == "1"
    phone = "" if anonymous else valid_phone(given.get("phone", "").strip()) or ""
    name = "" if anonymous else clean(given.get("name", ""))[:NAME_LENGTH]
    company = given.get("person_type") == "company"
    uscc = given.get("uscc", "").strip().upper() if company else ""
    taken = replace(
        form,
        person_type=PersonType.LEGAL if company else PersonType.NATURAL,
        org_name=clean(given.get("org_name", ""))[:ORG_LENGTH] if company else "",
        uscc=uscc,
        agent_for=clean(given.get("agent_for", ""))[:NAME_LENGTH] if given.get("agent") == "1" else "",
        order=replace(
            form.order,
            name=name,
            phone=phone,
            anonymous=anonymous,
            secret=anonymous or given.get("secret") == "1",
            reply_by="none" if given.get("quiet") == "1" else "",
        ),
    )
    return taken, _contact_errors(taken, given)


def _contact_errors(form: Form, given: Mapping[str, str]) -> Errors:
    errors: dict[str, str] = {}
    if not (form.order.anonymous or form.order.phone):
        wrong = bool(given.get("phone", "").strip())
        errors["phone"] = (
            "这个号码好像不对，请核对。手机号是11位，座机请带区号。"
            if wrong
            else "请留一个电话，承办单位要用它联系您。"
        )
    if form.person_type is PersonType.LEGAL and not form.org_name:
        errors["org_name"] = "请写单位名称。"
    if form.uscc and not valid_uscc(form.uscc):
        errors["uscc"] = "统一社会信用代码是18位，请照营业执照核对。"
    if given.get("agent") == "1" and not form.agent_for:
        errors["agent_for"] = "请写您代谁反映。"
    return errors


def _check(form: Form, given: Mapping[str, str], moment: Moment) -> tuple[Form, Errors]:
    return form, {}


def _point(given: Mapping[str, str]) -> Point | None:
    """Return the place that a page gave, in GCJ-02 as cases keep it; a browser's own position is WGS-84."""
    lon, lat = _degrees(given.get("lon", ""), 180), _degrees(given.get("lat", ""), 90)
    if lon is None or lat is None:
        return None
    return to_gcj(Point(lon, lat)) if given.get("datum") == "wgs84" else Point(lon, lat)


def _degrees(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -most <= value <= most else None


_TAKES = {
    Page.WHAT: _what,
    Page.WHERE: _where,
    Page.WHEN: _when,
    Page.FILES: _files,
    Page.CONTACT: _contact,
    Page.CHECK: _check,
}


def danger(form: Form, now: datetime) -> Emergency | None:
    """Return the danger that the form's words tell of."""
    return read(form.order.text, now).emergency if form.order.text else None


def open_slots(form: Form, moment: Moment) -> bool:
    """Return whether something is missing that the hotline cannot do without (domain.md 2.1)."""
    scene = Scene(State(order=form.order), read("", moment.now), Facts(source="04"), moment, None)
    needed = slots.first_open(replace(form.order, brief=True), scene, elderly=True)
    return needed in {Step.TEXT, Step.PLACE, Step.CONTACT}
