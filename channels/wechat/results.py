"""What the platform tells later: whether a notice arrived, and who agreed to which template (wechat.md 2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.wechat.safety import CHECKED, objection
from normalizer.message import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from channels.contract import Opinion

_ACCEPTED = "accept"
_LISTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
_JOB = "templatesendjobfinish"


@dataclass(frozen=True, slots=True)
class Arrived:
    """How far a notice got that the platform calls ``name``."""

    name: str
    delivery: Delivery
    detail: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """Whether a person agrees to a template."""

    template: str
    given: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What the platform objects to in a file that it looked at under a name, None for nothing."""

    name: str
    opinion: Opinion | None


Told = Arrived | Agreed | Looked


def results(fields: Mapping[str, object]) -> tuple[Told, ...]:
    """Return what an event tells, nothing when it is another one."""
    event = str(fields.get("Event", "")).lower()
    if event == _JOB:
        status = _text(fields, "Status")
        return (_arrived(_text(fields, "MsgID") or _text(fields, "MsgId"), status == "success", status),)
    if event == CHECKED and (trace := _text(fields, "trace_id")):
        return (Looked(trace, objection(fields)),)
    if event not in _LISTS:
        return ()
    inside = fields.get(_LISTS[event])
    listed = (inside if isinstance(inside, dict) else fields).get("List")
    return tuple(_told(event, each) for each in _each(listed) if _text(each, "TemplateId"))


def _told(event: str, item: Mapping[str, object]) -> Arrived | Agreed:
    if event == "subscribe_msg_sent_event":
        code = _text(item, "ErrorCode")
        return _arrived(_text(item, "MsgID") or _text(item, "MsgId"), code == "0", _text(item, "ErrorStatus"))
    return Agreed(_text(item, "TemplateId"), _text(item, "SubscribeStatusString") == _ACCEPTED)


def _arrived(name: str, well: bool, detail: str) -> Arrived:  # noqa: FBT001
    return Arrived(name, Delivery.DELIVERED if well else Delivery.FAILED, "" if well else detail)


def _each(listed: object) -> Iterator[Mapping[str, object]]:
    """Yield the items of a list, which is an object where there is one alone."""
    for each in listed if isinstance(listed, list) else [listed]:
        if isinstance(each, dict):
            yield each


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    return str(value) if isinstance(value, str | int) else ""
