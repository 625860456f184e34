"""A callback's fields into an ``InboundMessage``.

Field names are those of the platform's own document. Text messages and the events of a public account are built
straight from the fields: wechatpy's classes read the same fields lazily and raise late (wechat.md 1.4), so they
serve as the oracle in tests, not on the hot path.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from normalizer.errors import InvalidInput
from normalizer.evolve import make
from normalizer.message import EventKind, InboundMessage, Part, PartKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from normalizer.message import SourceChannel

_MILLISECONDS = 10**11
"""A CreateTime beyond this is in milliseconds, as some test tools send it."""
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
    sender = _text(fields, "FromUserName")
    kind = _text(fields, "MsgType").lower()
    if not sender or not kind or not _text(fields, "ToUserName"):
        raise InvalidInput("field_missing")
    part = _PARTS[kind](fields) if kind in _PARTS else Part(PartKind.EVENT, event=EventKind.OTHER, key=kind)
    return make(
        InboundMessage,
        account=account,
        sender=sender,
        external_id=_external_id(fields, raw),
        source=source,
        received_at=now,
        sent_at=_sent_at(_text(fields, "CreateTime"), now),
        parts=(part,),
        raw=raw,
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _external_id(fields: Mapping[str, object], raw: bytes) -> str:
    given = _text(fields, "MsgId")
    if given and _text(fields, "MsgType").lower() != "event":
        return given[:64]
    told = [_text(fields, name) for name in _TELLING]
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


def _media(kind: PartKind) -> Callable[[Mapping[str, object]], Part]:
    def part(fields: Mapping[str, object]) -> Part:
        return Part(
            kind, media_id=_text(fields, "MediaId"), url=_text(fields, "PicUrl"), mime=_text(fields, "Format")
        )

    return part


def _place(fields: Mapping[str, object]) -> Part:
    lat, lon = _number(_text(fields, "Location_X")), _number(_text(fields, "Location_Y"))
    return Part(PartKind.PLACE, text=_text(fields, "Label"), lon=lon, lat=lat)


def _link(fields: Mapping[str, object]) -> Part:
    return Part(
        PartKind.LINK,
        text=_text(fields, "Title"),
        url=_text(fields, "Url"),
        name=_text(fields, "Description"),
    )


def _page(fields: Mapping[str, object]) -> Part:
    """Return a mini-program's page that was passed on; ``name`` is the program's id."""
    return Part(
        PartKind.LINK,
        text=_text(fields, "Title"),
        url=_text(fields, "PagePath"),
        name=_text(fields, "AppId"),
    )


def _event(fields: Mapping[str, object]) -> Part:
    name = _text(fields, "Event")
    event = _EVENTS.get(name.lower(), EventKind.OTHER)
    key = _scanned(fields) or _text(fields, "EventKey").removeprefix(_SCENE)
    return Part(PartKind.EVENT, event=event, key=key if event is not EventKind.OTHER else name)


def _scanned(fields: Mapping[str, object]) -> str:
    """Return what the code said that was scanned from the menu."""
    info = fields.get("ScanCodeInfo")
    return _text(info, "ScanResult")[:_LONGEST_KEY] if isinstance(info, dict) else ""


_PARTS: dict[str, Callable[[Mapping[str, object]], Part]] = {
    "text": lambda fields: make(Part, kind=PartKind.TEXT, text=_text(fields, "Content")),
    "image": _media(PartKind.IMAGE),
    "voice": _media(PartKind.VOICE),
    "video": _media(PartKind.VIDEO),
    "shortvideo": _media(PartKind.VIDEO),
    "location": _place,
    "link": _link,
    "miniprogrampage": _page,
    "event": _event,
}
