"""What a citizen told people, in the queue and at the desk, read into the form: the bot answers none of it.

What the bot was told stands; the words that came later stand below it, and the rest fills only what is empty.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from normalizer.draft import draft
from normalizer.people import PersonalKind, mask, name_in
from normalizer.text import han_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bots.state import Order
    from normalizer.draft import CaseDraft
    from normalizer.message import InboundMessage

LONGEST = 2000
"""Characters of a description (domain.md 2.1)."""
PLACE_LENGTH = 200
_WHO = re.compile(
    r"(?:我的|联系)?(?:电话|手机|号码)[号码是：:\s]*|(?:我叫|我是|姓名|称呼)[是：:\s]*[\u4e00-\u9fff]{1,4}"
)
_PHONES = frozenset({PersonalKind.PHONE, PersonalKind.LANDLINE})
_COURTESY = 3
"""Chinese characters below which words without a digit are a greeting or a thank-you, and no report."""


def with_said(order: Order, messages: Sequence[InboundMessage]) -> tuple[Order, tuple[str, ...]]:
    """Return the order with what messages to people tell, oldest first, and the names of the fields they filled."""
    heard = order
    for message in messages:
        heard = _with(heard, draft(message), message)
    fields = ("text", "place", "lon", "when", "name", "phone")
    changed = (name for name in fields if getattr(heard, name) != getattr(order, name))
    return heard, tuple(dict.fromkeys(_SHOWN.get(name, name) for name in changed))


_SHOWN = {"lon": "place", "when": "occurred"}
"""The fields of the form that show a slot under another name."""


def _with(order: Order, read: CaseDraft, message: InboundMessage) -> Order:
    when = None if order.when else read.when(message.received_at)
    there = read.place if order.lon is None and not order.place else None
    return replace(
        order,
        text=_longer(order.text, read),
        place=order.place or _place(read),
        lon=there.lon if there else order.lon,
        lat=there.lat if there else order.lat,
        when=order.when or (when.text if when else ""),
        name=order.name or name_in(read.text) or "",
        phone=order.phone or next((each.value for each in read.findings() if each.kind in _PHONES), ""),
        attachments=(
            *order.attachments,
            *(each for each in read.attachments if each not in order.attachments),
        ),
    )


def _longer(text: str, read: CaseDraft) -> str:
    """Return the description with the words of a message below it; who one is, or a greeting alone, is none."""
    words = read.text
    for each in reversed(read.findings()):
        if each.kind in _PHONES:
            words = words[: each.start] + words[each.end :]
    words = _WHO.sub("", words)
    tells = han_count(words) >= _COURTESY or any(sign.isdigit() for sign in words)
    if read.digit is not None or not tells or read.text in text:
        return text
    longer = f"{text}\n{read.text}" if text else read.text
    return longer if len(longer) <= LONGEST else text


def _place(read: CaseDraft) -> str:
    if read.place is not None:
        return mask(read.place.text)[:PLACE_LENGTH]
    return (read.place_text() or "")[:PLACE_LENGTH]
