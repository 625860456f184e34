"""The slots of an order: when each is open, how it is asked, and what counts as its answer (domain.md 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from normalizer import numbers
from normalizer.codes import Kind
from normalizer.evolve import evolve
from normalizer.people import PersonalKind, find, name_in
from normalizer.text import han_count

if TYPE_CHECKING:
    from bots.scene import Scene
    from bots.state import Order
    from normalizer.draft import CaseDraft

TEXT, PLACE, WHEN, DEMAND, KIND = "text", "place", "when", "demand", "kind"
CONTACT, SECRET, REPLY, MATERIALS = "contact", "secret", "reply", "materials"
WECHAT, NONE = "wechat", "none"
MIN_HAN = 8
SURE_KIND = 0.6
SURE_CATEGORY = 0.5

WHENS = {1: "现在", 2: "今天", 3: "近几天", 4: "长期存在"}
KINDS = {1: Kind.INQUIRY, 2: Kind.HELP, 3: Kind.COMPLAINT, 4: Kind.REPORT, 5: Kind.SUGGESTION}
REPLIES = {1: WECHAT, 2: "sms", 3: "phone", 4: NONE}
ITEMS = {1: KIND, 2: PLACE, 3: TEXT, 4: CONTACT, 5: SECRET}
"""The items of the read-back that can be changed, by their number."""

Taken = tuple["Order", str]
"""The order with the answer in it, and what to say when the message was no answer (empty when it was)."""


def first_open(order: Order, scene: Scene, *, elderly: bool) -> str | None:
    """Return the first slot still to be asked, None when the order can be read back."""
    return next((slot for slot in _ORDER if _open(slot, order, scene, elderly=elderly)), None)


def before(step: str, order: Order, scene: Scene, *, elderly: bool) -> str | None:
    """Return the slot asked before ``step``, None at the beginning."""
    at = _ORDER.index(step) if step in _ORDER else len(_ORDER)
    asked = [slot for slot in _ORDER[:at] if _open(slot, cleared(order, slot), scene, elderly=elderly)]
    return asked[-1] if asked else None


def question(slot: str, order: Order) -> str:
    """Return the key of a slot's question."""
    if slot == TEXT and order.text:
        return "ask_more"
    if slot == CONTACT and order.name and not order.phone:
        return "ask_phone"
    return f"ask_{slot}"


def cleared(order: Order, slot: str) -> Order:
    """Return the order with one slot open again."""
    match slot:
        case "place":
            return evolve(order, place="", lon=None, lat=None)
        case "contact":
            return evolve(order, name="", phone="")
        case "secret":
            return evolve(order, secret=None)
        case "reply":
            return evolve(order, reply_by="")
        case "materials":
            return evolve(order, materials=False)
        case _:
            return evolve(order, **{slot: ""})


def take(slot: str, order: Order, scene: Scene) -> Taken:
    """Return the order with a message taken as the answer to a slot."""
    if scene.reading.attachments and slot != MATERIALS:
        order = evolve(order, attachments=order.attachments + scene.reading.attachments)
        if not scene.reading.text:
            # A photo in the middle of another question is kept, and the question stands: say it again.
            return order, scene.say(question(slot, order))
    return _TAKE[slot](order, scene)


def absorb(order: Order, reading: CaseDraft, scene: Scene) -> Order:
    """Return the order with everything a free message tells."""
    kind, sure = reading.kind()
    category, certain = reading.category()
    found = reading.when(scene.now)
    order = evolve(
        order,
        text=reading.text,
        place=(reading.place_text() or "")[:100],
        when=found.text if found else "",
        kind=kind if kind != Kind.OTHER and sure >= SURE_KIND else "",
        category=category if certain >= SURE_CATEGORY else "",
        attachments=order.attachments + reading.attachments,
    )
    if reading.place is not None:
        order = evolve(
            order, lon=reading.place.lon, lat=reading.place.lat, place=order.place or reading.place.text
        )
    order = _contact(order, reading)
    # Whoever says where and leaves a number has said what he wants to say: it is read back at once.
    return evolve(order, brief=bool(order.phone and (order.place or order.lon is not None)))


def _open(slot: str, order: Order, scene: Scene, *, elderly: bool) -> bool:
    return _OPEN[slot](order, scene, elderly or order.brief)


def _place_open(order: Order, scene: Scene, brief: bool) -> bool:  # noqa: FBT001
    if order.place or order.lon is not None:
        return False
    return (
        order.category in scene.city.place_categories
        if order.category
        else not (brief and order.kind == Kind.INQUIRY)
    )


_OPEN: dict[str, Callable[[Order, Scene, bool], bool]] = {
    TEXT: lambda order, scene, brief: (
        (han_count(order.text) < MIN_HAN and scene.state.lang == "zh") or not order.text
    ),
    PLACE: _place_open,
    WHEN: lambda order, scene, brief: not order.when and not brief,
    DEMAND: lambda order, scene, brief: not order.demand and not brief,
    KIND: lambda order, scene, brief: not order.kind and not brief,
    CONTACT: lambda order, scene, brief: not order.phone,
    SECRET: lambda order, scene, brief: order.secret is None and order.kind == Kind.REPORT,
    REPLY: lambda order, scene, brief: not order.reply_by and not brief,
    MATERIALS: lambda order, scene, brief: not order.materials and not brief and not order.attachments,
}
_ORDER = tuple(_OPEN)


def _take_text(order: Order, scene: Scene) -> Taken:
    text = f"{order.text}，{scene.reading.text}".strip("，") if order.text else scene.reading.text
    if scene.reading.empty:
        return order, scene.say("ask_text")
    told = absorb(order, scene.reading, scene)
    known = {
        name: getattr(order, name) or getattr(told, name)
        for name in ("place", "when", "kind", "category", "name", "phone", "lon", "lat")
    }
    return evolve(told, **known, text=text[:2000], brief=order.brief or told.brief), ""


def _take_place(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.place is not None:
        return evolve(order, lon=reading.place.lon, lat=reading.place.lat, place=reading.place.text), ""
    if reading.empty or reading.digit is not None or len(reading.text) < 2:
        return order, scene.say("ask_place")
    return _contact(evolve(order, place=reading.text[:100]), reading), ""


def _take_when(order: Order, scene: Scene) -> Taken:
    digit, text = scene.reading.digit, scene.reading.text
    if digit in WHENS:
        return evolve(order, when=WHENS[digit]), ""
    if digit is not None or scene.reading.empty:
        return order, scene.say("ask_when")
    return evolve(order, when=text[:50]), ""


def _take_demand(order: Order, scene: Scene) -> Taken:
    if scene.reading.empty:
        return order, scene.say("ask_demand")
    return _contact(evolve(order, demand=scene.reading.text[:200]), scene.reading), ""


def _take_kind(order: Order, scene: Scene) -> Taken:
    digit = scene.reading.digit
    if digit in KINDS:
        return evolve(order, kind=KINDS[digit].value), ""
    kind, _ = scene.reading.kind()
    if digit is not None or kind == Kind.OTHER:
        return order, scene.say("ask_kind")
    return evolve(order, kind=kind), ""


def _take_contact(order: Order, scene: Scene) -> Taken:
    told = _contact(order, scene.reading)
    if told.phone:
        return told, ""
    tried = sum(c.isdigit() for c in scene.reading.text) >= 5
    if tried:
        return order, scene.say("bad_phone")
    if told.name and not order.name:
        return told, ""
    return order, scene.say("ask_phone" if order.name else "ask_contact")


def _take_secret(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.digit == 1 or numbers.yes(reading.text) or reading.matching in {"保密", "要保密", "需要保密"}:
        return evolve(order, secret=True), ""
    if reading.digit == 2 or numbers.no(reading.text) or "不" in reading.matching:
        return evolve(order, secret=False), ""
    return order, scene.say("ask_secret")


def _take_reply(order: Order, scene: Scene) -> Taken:
    digit, text = scene.reading.digit, scene.reading.matching
    if digit in REPLIES:
        return evolve(order, reply_by=REPLIES[digit]), ""
    named = {"微信": WECHAT, "短信": "sms", "电话": "phone", "打电话": "phone", "不需要": NONE, "不用": NONE}
    return (evolve(order, reply_by=named[text]), "") if text in named else (order, scene.say("ask_reply"))


def _take_materials(order: Order, scene: Scene) -> Taken:
    reading = scene.reading
    if reading.attachments:
        return evolve(order, attachments=order.attachments + reading.attachments), ""
    if (
        reading.digit in {1, 2}
        or numbers.no(reading.text)
        or numbers.yes(reading.text)
        or "完" in reading.text
    ):
        return evolve(order, materials=True), ""
    return order, scene.say("ask_materials")


def _contact(order: Order, reading: CaseDraft) -> Order:
    wanted = {PersonalKind.PHONE, PersonalKind.LANDLINE}
    phone = next((f.value for f in find(reading.text) if f.kind in wanted), order.phone)
    name = name_in(reading.text) or order.name
    return order if (phone, name) == (order.phone, order.name) else evolve(order, phone=phone, name=name)


_TAKE: dict[str, Callable[[Order, Scene], Taken]] = {
    TEXT: _take_text,
    PLACE: _take_place,
    WHEN: _take_when,
    DEMAND: _take_demand,
    KIND: _take_kind,
    CONTACT: _take_contact,
    SECRET: _take_secret,
    REPLY: _take_reply,
    MATERIALS: _take_materials,
}
