"""What may be chosen, and what a citizen's own words say (智能填单)."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from bots import slots
from bots.contract import Facts, Moment
from bots.scene import Scene
from bots.state import Order, State, Step
from bots.words import say
from gateway.pace import Pace
from gateway.web.api.models import Catalogue, CategoryOut, Choice, Danger, Draft, FieldOut, Words
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.sessions import reach
from gateway.web.portal import form
from normalizer.codes import CATEGORY_LABELS, FIELD_LABELS, KIND_LABELS, Kind
from normalizer.emergency import EmergencyKind

if TYPE_CHECKING:
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts
    from normalizer.emergency import Emergency

ALARM_EVERY = 600.0
"""Seconds between two alarms from one session: whoever types on is alarmed of once."""
_NEEDED = {Step.TEXT: "text", Step.PLACE: "place", Step.CONTACT: "phone"}


class Reading:
    """The operations that open nothing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._alarms = Pace(per_second=1 / ALARM_EVERY, burst=1)

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (
            Operation("GET", "/categories", "list_categories", "类别和诉求类型", self.categories, {HTTPStatus.OK: Catalogue}, session=False),
            Operation("POST", "/read", "read_words", "智能填单：读出话里说了什么", self.read, {HTTPStatus.OK: Draft}, body=Words),
        )  # fmt: skip

    async def categories(self, call: Call) -> Reply:
        """Return what may be chosen."""
        placed = self._parts.city.place_categories
        fields = tuple(
            FieldOut(
                code=field.value,
                name=name,
                categories=tuple(
                    CategoryOut(code=code, name=label, placed=code in placed)
                    for code, label in CATEGORY_LABELS.items()
                    if code[0] == field
                ),
            )
            for field, name in FIELD_LABELS.items()
        )
        chosen = (*slots.KINDS.values(), Kind.GUIDANCE, Kind.PRAISE)
        kinds = tuple(Choice(code=kind.value, name=KIND_LABELS[kind]) for kind in chosen)
        return Reply(Catalogue(fields=fields, kinds=kinds))

    async def read(self, call: Call, body: Words) -> Reply:
        """Read a citizen's words; danger in them is told to the people on duty at once."""
        moment = Moment(self._parts.now(), self._parts.city)
        reading = form.read(body.text, moment.now)
        if reading.emergency is not None:
            await self._alarm(call, reading.emergency)
        scene = Scene(State(), reading, Facts(source="04"), moment, None)
        order = slots.absorb(Order(), reading, scene)
        return Reply(
            Draft(
                kind=order.kind,
                category=order.category or None,
                sure=order.sure,
                place=order.place or None,
                when=order.when or None,
                demand=order.demand or None,
                name=order.name or None,
                phone=order.phone or None,
                secret=order.secret,
                danger=danger_of(reading.emergency),
                missing=missing(order, moment),
            )
        )

    async def _alarm(self, call: Call, emergency: Emergency) -> None:
        if not self._alarms.over(call.session.id.encode(), self._parts.now().timestamp()):
            await self._parts.office.alarm(reach(self._parts, call), emergency)


def missing(order: Order, moment: Moment) -> tuple[str, ...]:
    """Return the fields of a case that it cannot do without and that are not known (domain.md 2.1)."""
    scene = Scene(State(order=order), form.read("", moment.now), Facts(source="04"), moment, None)
    # A form has the place in a field of its own: its words must be enough by themselves.
    open_slots = [] if slots.enough(order.text) else [Step.TEXT]
    order = _stopgap(order, Step.TEXT) if open_slots else order
    while (slot := slots.first_open(order, scene, elderly=True)) is not None and slot not in open_slots:
        open_slots.append(slot)
        order = _stopgap(order, slot)
    return tuple(_NEEDED[slot] for slot in open_slots if slot in _NEEDED)


def _stopgap(order: Order, slot: Step) -> Order:
    """Return the order as if a slot were filled, to see what else is open."""
    match slot:
        case Step.TEXT:
            return replace(order, text="一二三四五六七八")
        case Step.PLACE:
            return replace(order, place="某处")
        case Step.CONTACT:
            return replace(order, anonymous=True)
        case _:
            return replace(order, secret=True)


def danger_of(emergency: Emergency | None) -> Danger | None:
    """Return what is said of a danger, None when there is none."""
    if emergency is None:
        return None
    own = emergency.kind is EmergencyKind.SELF_HARM
    words = say("zh", "danger_self" if own else "danger")
    return Danger(kind=emergency.kind.value, number=emergency.number, words=words)
