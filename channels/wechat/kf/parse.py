"""What ``kf/sync_msg`` lists, into messages and receipts (wechat.md 2.9).

The list holds what everybody said in the talk: the citizen, the corporation's own people, we ourselves, and the
system. Only the citizen's words become messages, only his coming into the talk becomes an event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from normalizer.message import (
    Delivery,
    EventKind,
    InboundMessage,
    Part,
    PartKind,
    Receipt,
    SourceChannel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CITIZEN, SYSTEM = 3, 4
"""Origins of an entry; 5 is a servicer of the corporation."""
GREETS = "welcome "
"""How the thread of one begins who just came: what follows is the code that greets him."""
TALKS = "talk"
"""The thread of one who wrote."""


def message(account: str, entry: Mapping[str, Any], now: datetime) -> InboundMessage | None:
    """Return what a citizen said or did, None when an entry is nothing of his or cannot be read."""
    event = _dict(entry, "event")
    origin, kind = entry.get("origin"), _text(entry, "msgtype")
    if origin == CITIZEN and kind != "event":
        part, thread = _part(entry, kind), TALKS
        sender = _text(entry, "external_userid")
    elif _text(event, "event_type") == "enter_session" and _text(event, "welcome_code"):
        key = _text(event, "scene_param") or _text(event, "scene")
        part, thread = Part(PartKind.EVENT, event=EventKind.SUBSCRIBE, key=key), _greets(event)
        sender = _text(event, "external_userid")
    else:
        return None
    external_id = _text(entry, "msgid")
    if not sender or not external_id:
        return None
    return InboundMessage(
        account=account,
        sender=sender,
        external_id=external_id[:64],
        source=SourceChannel.WECHAT,
        received_at=now,
        sent_at=_at(entry, now),
        parts=(part,),
        raw=json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"),
        thread=thread,
    )


def receipt(account: str, entry: Mapping[str, Any], now: datetime) -> Receipt | None:
    """Return the word that a message of ours did not get through, None when an entry says nothing of that kind."""
    event = _dict(entry, "event")
    name = _text(event, "fail_msgid")
    if _text(event, "event_type") != "msg_send_fail" or not name:
        return None
    detail = f"msg_send_fail fail_type {event.get('fail_type')}"
    return Receipt(account, name, Delivery.FAILED, _at(entry, now), detail)


def _greets(event: Mapping[str, Any]) -> str:
    return GREETS + _text(event, "welcome_code")


def _part(entry: Mapping[str, Any], kind: str) -> Part:
    inside = _dict(entry, kind)
    return _PARTS[kind](inside) if kind in _PARTS else Part(PartKind.EVENT, event=EventKind.OTHER, key=kind)


def _dict(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name, "")
    # A lone half of a character can be written in JSON and nowhere else.
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else ""


def _number(entry: Mapping[str, Any], name: str) -> float | None:
    value = entry.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) <= 180 else None


def _at(entry: Mapping[str, Any], now: datetime) -> datetime:
    stamp = entry.get("send_time")
    try:
        return min(datetime.fromtimestamp(stamp, UTC), now) if isinstance(stamp, int) else now
    except (OverflowError, ValueError, OSError):
        return now


def _media(kind: PartKind) -> Callable[[Mapping[str, Any]], Part]:
    return lambda inside: Part(kind, media_id=_text(inside, "media_id"))


def _place(inside: Mapping[str, Any]) -> Part:
    label = " ".join(word for word in (_text(inside, "name"), _text(inside, "address")) if word)
    return Part(PartKind.PLACE, text=label, lon=_number(inside, "longitude"), lat=_number(inside, "latitude"))


_PARTS: dict[str, Callable[[Mapping[str, Any]], Part]] = {
    "text": lambda inside: Part(PartKind.TEXT, text=_text(inside, "content")),
    "image": _media(PartKind.IMAGE),
    "voice": _media(PartKind.VOICE),
    "video": _media(PartKind.VIDEO),
    "file": _media(PartKind.FILE),
    "location": _place,
    "link": lambda inside: Part(
        PartKind.LINK, text=_text(inside, "title"), url=_text(inside, "url"), name=_text(inside, "desc")
    ),
    "miniprogram": lambda inside: Part(
        PartKind.LINK,
        text=_text(inside, "title"),
        url=_text(inside, "pagepath"),
        name=_text(inside, "appid"),
    ),
}
