"""A callback's fields into an ``InboundMessage``.

Field names are those of the platform's own document. Text messages and the events of a public account are built
straight from the fields: wechatpy's classes read the same fields lazily and raise late (wechat.md 1.4), so they
serve as the oracle in tests, not on the hot path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from normalizer.errors import InvalidInput
from normalizer.evolve import make
from normalizer.message import EventKind, InboundMessage, Part, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from normalizer.message import SourceChannel

_MILLISECONDS = 10**11
"""A CreateTime beyond this is in milliseconds, as some test tools send it."""
Given = Mapping[str, str]
_STRING = frozenset({str})
_SCENE = "qrscene_"
_LONGEST_KEY = 256
_EVENTS = {
    "subscribe": EventKind.SUBSCRIBE,
    "unsubscribe": EventKind.UNSUBSCRIBE,
    "click": EventKind.CLICK,
    "view": EventKind.VIEW,
    "scan": EventKind.SCAN,
    "scancode_push": EventKind.SCAN,
    "scancode_waitmsg": EventKind.SCAN,
}
_TELLING = ("CreateTime", "Event", "EventKey", "MsgID", "MsgId", "Ticket", "Status", "TemplateId", "trace_id")
"""What makes one event itself: time alone is too weak (wechat.md 2.3)."""


def parse(
    account: str, source: SourceChannel, fields: Mapping[str, object], raw: bytes, now: datetime
) -> InboundMessage:
    """Return the message of a callback; an unknown type is kept as an event of its own, never refused."""
    given = _given(fields)
    sender, kind = given.get("FromUserName", ""), given.get("MsgType", "").lower()
    if not sender or not kind or not given.get("ToUserName"):
        raise InvalidInput("field_missing")
    part = _PARTS[kind](given) if kind in _PARTS else Part(PartKind.EVENT, event=EventKind.OTHER, key=kind)
    return make(
        InboundMessage,
        account=account,
        sender=sender,
        external_id=_external_id(kind, given, raw),
        source=source,
        received_at=now,
        sent_at=_sent_at(given.get("CreateTime", ""), now),
        parts=(part,),
        raw=raw,
    )


def _given(fields: Mapping[str, object]) -> Given:
    """Return the fields that are text; the code that was scanned from the menu stands nested, and is lifted."""
    if _STRING.issuperset(map(type, fields.values())):
        return cast("Given", fields)
    info = fields.get("ScanCodeInfo")
    scanned = info.get("ScanResult") if isinstance(info, dict) else None
    return {
        name: value for name, value in {**fields, "ScanCodeInfo": scanned}.items() if isinstance(value, str)
    }


def _external_id(kind: str, given: Given, raw: bytes) -> str:
    number = given.get("MsgId")
    if number and kind != "event":
        return number[:64]
    told = [given.get(name, "") for name in _TELLING]
    seed = "\0".join(told).encode() if any(told) else raw
    return "e" + hashlib.sha256(seed).hexdigest()[:24]


def _sent_at(text: str, now: datetime) -> datetime:
    if not text.isdecimal() or len(text) > 16:
        return now
    stamp = int(text)
    try:
        return datetime.fromtimestamp(stamp / 1000 if stamp > _MILLISECONDS else stamp, UTC)
    except (OverflowError, ValueError, OSError):
        return now


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= 180 else None


def _media(kind: PartKind) -> Callable[[Given], Part]:
    def part(given: Given) -> Part:
        return Part(
            kind, media_id=given.get("MediaId", ""), url=given.get("PicUrl", ""), mime=given.get("Format", "")
        )

    return part


def _place(given: Given) -> Part:
    lat, lon = _number(given.get("Location_X", "")), _number(given.get("Location_Y", ""))
    return Part(PartKind.PLACE, text=given.get("Label", ""), lon=lon, lat=lat)


def _link(given: Given) -> Part:
    return Part(
        PartKind.LINK,
        text=given.get("Title", ""),
        url=given.get("Url", ""),
        name=given.get("Description", ""),
    )


def _page(given: Given) -> Part:
    """Return a mini-program's page that was passed on; ``name`` is the program's id."""
    return Part(
        PartKind.LINK,
        text=given.get("Title", ""),
        url=given.get("PagePath", ""),
        name=given.get("AppId", ""),
    )


def _event(given: Given) -> Part:
    name = given.get("Event", "")
    event = _EVENTS.get(name.lower(), EventKind.OTHER)
    key = given.get("ScanCodeInfo", "")[:_LONGEST_KEY] or given.get("EventKey", "").removeprefix(_SCENE)
    return Part(PartKind.EVENT, event=event, key=key if event is not EventKind.OTHER else name)


_PARTS: dict[str, Callable[[Given], Part]] = {
    "text": lambda given: make(Part, kind=PartKind.TEXT, text=given.get("Content", "")),
    "image": _media(PartKind.IMAGE),
    "voice": _media(PartKind.VOICE),
    "video": _media(PartKind.VIDEO),
    "shortvideo": _media(PartKind.VIDEO),
    "location": _place,
    "link": _link,
    "miniprogrampage": _page,
    "event": _event,
}
