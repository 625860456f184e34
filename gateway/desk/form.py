"""The form of a case as it lies beside a talk: filled from what the bot has, or typed in during a call.

Fields and lengths are those of domain.md 2.1, groups B and C. The citizen's own words are set once, by the first form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import ConfigDict, Field

from bots.contract import Submit
from bots.slots import NONE
from bots.state import Order
from bots.submission import submission
from normalizer.classify import category_of, kind_of
from normalizer.codes import CATEGORY_LABELS, Kind, PersonType, Urgency
from normalizer.draft import TITLE, title_of
from normalizer.guards import MIN_HAN
from normalizer.people import mask, valid_phone, valid_uscc
from normalizer.text import for_matching, han_count

if TYPE_CHECKING:
    from bots.contract import City, NewNumber
    from normalizer.case import Attachment, Case, Complainant, Matter

Line = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=2000)]
Labels = Annotated[tuple[Annotated[str, Field(max_length=20)], ...], Field(max_length=20)]
BY_PHONE = "phone"
WISHES = frozenset({"", "wechat", "sms", BY_PHONE, "email"})


@dataclass(frozen=True, slots=True)
class Form:
    """What an agent fills in; empty where nothing is known. ``files`` are the keys of files of the talk."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Kind = Kind.OTHER
    category: Line = ""
    title: Annotated[str, Field(max_length=TITLE)] = ""
    text: Words = ""
    occurred: Line = ""
    place: Line = ""
    place_detail: Line = ""
    lon: float | None = None
    lat: float | None = None
    demand: Line = ""
    reflect_name: Line = ""
    reflect_phone: Line = ""
    urgency: Urgency = Urgency.NORMAL
    labels: Labels = ()
    person_type: PersonType = PersonType.NATURAL
    name: Line = ""
    phone: Line = ""
    email: Line = ""
    org_name: Line = ""
    uscc: Line = ""
    address: Line = ""
    tags: Labels = ()
    anonymous: bool = False
    secret: bool = False
    need_reply: bool = True
    reply_by: Line = ""
    lang: Line = "zh"
    files: Annotated[tuple[Line, ...], Field(max_length=50)] = ()


def from_order(order: Order, *, name: str = "", phone: str = "", lang: str = "zh") -> Form:
    """Return the form with what the bot has heard; what it only guessed is there to be looked at (智能填单, 7.3.1)."""
    folded = for_matching(order.text)
    return Form(
        kind=order.kind or Kind(kind_of(folded)[0] or Kind.OTHER),
        category=order.category or category_of(folded)[0],
        title=title_of(order.text) if order.text else "",
        text=order.text,
        occurred=order.when,
        place=order.place,
        lon=order.lon,
        lat=order.lat,
        demand=order.demand,
        name=order.name or name,
        phone=order.phone or phone,
        anonymous=order.anonymous,
        secret=bool(order.secret),
        need_reply=order.reply_by != NONE,
        reply_by="" if order.reply_by == NONE else order.reply_by,
        lang=lang,
        files=tuple(each.blob for each in order.attachments if each.blob),
    )


def of_case(case: Case) -> Form:
    """Return the form of a case as it stands; its text is the masked one that goes to the unit."""
    person, matter = case.complainant, case.matter
    return Form(
        kind=matter.kind,
        category=matter.category,
        title=matter.title,
        text=matter.content,
        occurred=matter.occurred,
        place=matter.place_text,
        place_detail=matter.place_detail,
        lon=matter.lon,
        lat=matter.lat,
        demand=matter.demand,
        reflect_name=matter.reflect_name,
        reflect_phone=matter.reflect_phone,
        urgency=matter.urgency,
        labels=matter.labels,
        person_type=person.person_type,
        name=person.name,
        phone=person.phone,
        email=person.email,
        org_name=person.org_name,
        uscc=person.uscc,
        address=person.address,
        tags=person.tags,
        anonymous=person.anonymous,
        secret=case.secret,
        need_reply=person.need_reply,
        reply_by=person.channel_pref,
        lang=person.lang,
        files=tuple(each.blob for each in matter.attachments if each.blob),
    )


def faults(form: Form, city: City) -> dict[str, str]:
    """Return what must be put right before the form can be submitted: field to words for the agent."""
    return _matter_faults(form, city) | _person_faults(form)


def _matter_faults(form: Form, city: City) -> dict[str, str]:
    found = {}
    if form.kind is Kind.OTHER:
        found["kind"] = "请选择诉求类型"
    if form.category not in CATEGORY_LABELS:
        found["category"] = "请选择问题分类"
    if han_count(form.text) < MIN_HAN:
        found["text"] = "诉求内容至少 8 个汉字"
    if form.category in city.place_categories and not (form.place or form.lon is not None):
        found["place"] = "这一类诉求需要事发地点"
    return found


def _person_faults(form: Form) -> dict[str, str]:
    found = {}
    if not (form.phone or form.email or form.anonymous):
        found["phone"] = "请留联系电话或邮箱，或勾选匿名"
    elif form.phone and valid_phone(form.phone) is None:
        found["phone"] = "电话号码不对，请核对"
    if form.uscc and not valid_uscc(form.uscc):
        found["uscc"] = "统一社会信用代码校验不对"
    if form.reply_by not in WISHES:
        found["reply_by"] = "没有这种答复方式"
    return found


def filled(form: Form, number: NewNumber, city: City, files: tuple[Attachment, ...] = ()) -> Submit:
    """Return the form as a new case is submitted with it; an agent accepts by an act of his own."""
    order = Order(
        text=form.text,
        place=form.place,
        lon=form.lon,
        lat=form.lat,
        when=form.occurred,
        demand=form.demand,
        kind=form.kind,
        category=form.category,
        name=form.name,
        phone=valid_phone(form.phone) or "",
        anonymous=form.anonymous,
        secret=form.secret,
        reply_by=form.reply_by if form.need_reply else NONE,
        attachments=files,
    )
    made = submission(order, number, city, lang=form.lang, elderly=False)
    return replace(
        made, complainant=_person(form, made.complainant), matter=_matter(form, made.matter), accept=False
    )


def amended(form: Form, case: Case) -> tuple[Complainant, Matter]:
    """Return person and matter of a case as the form has them; the citizen's own words stay."""
    matter = replace(
        case.matter,
        kind=form.kind,
        content=mask(form.text),
        occurred=form.occurred,
        place_text=form.place,
        lon=form.lon,
        lat=form.lat,
        category=form.category,
        demand=mask(form.demand),
    )
    person = replace(
        case.complainant,
        name=form.name,
        phone=valid_phone(form.phone) or "",
        anonymous=form.anonymous,
        need_reply=form.need_reply,
        channel_pref=form.reply_by,
        lang=form.lang,
    )
    return _person(form, person), _matter(form, matter)


def _person(form: Form, person: Complainant) -> Complainant:
    return replace(
        person,
        person_type=form.person_type,
        email=form.email,
        org_name=form.org_name,
        uscc=form.uscc,
        address=form.address,
        tags=form.tags,
    )


def _matter(form: Form, matter: Matter) -> Matter:
    return replace(
        matter,
        title=mask(form.title) or matter.title,
        place_detail=form.place_detail,
        reflect_name=form.reflect_name,
        reflect_phone=form.reflect_phone,
        urgency=form.urgency,
        labels=form.labels,
    )
