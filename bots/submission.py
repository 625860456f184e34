"""An order as it is submitted, whoever filled it in: the bot by talk or by letter, a page by its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.contract import Submit
from bots.slots import NONE
from normalizer.case import Complainant, Matter
from normalizer.codes import REJECT_LABELS, Kind
from normalizer.draft import title_of
from normalizer.people import mask
from normalizer.scope import beyond

if TYPE_CHECKING:
    from bots.contract import City, NewNumber
    from bots.state import Order

_ACCEPTED_UNSEEN = frozenset({Kind.HELP, Kind.COMPLAINT})


def submission(order: Order, number: NewNumber, city: City, *, lang: str, elderly: bool) -> Submit:
    """Return the order as it is submitted, accepted at once where the city lets the bot do so (domain.md 3.2, row 6)."""
    listed = order.category in city.acceptable and (order.kind or Kind.HELP) in _ACCEPTED_UNSEEN
    # A place is part of what may be accepted without anybody looking; by guided talk it is always there.
    located = order.place or order.lon is not None or order.category not in city.place_categories
    outside = beyond(order.text)
    accept = bool(order.sure and listed and located and not outside)
    complainant = Complainant(
        name=order.name,
        phone=order.phone,
        anonymous=order.anonymous,
        need_reply=order.reply_by != NONE,
        channel_pref="" if order.reply_by == NONE else order.reply_by,
        lang=lang,
        tags=("老年人",) if elderly else (),
    )
    return Submit(number, complainant, _matter(order, outside), bool(order.secret), accept)


def _matter(order: Order, outside: str) -> Matter:
    return Matter(
        kind=order.kind or Kind.HELP,
        title=title_of(order.text),
        content=mask(order.text),
        original=order.text,
        occurred=order.when,
        place_text=order.place,
        lon=order.lon,
        lat=order.lat,
        category=order.category,
        demand=mask(order.demand),
        attachments=order.attachments,
        # A person decides; the label is what words tell.
        labels=(f"可能属于{REJECT_LABELS[outside]}",) if outside else (),
        old_case_no=order.earlier,
    )
