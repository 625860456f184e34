"""What leave to write a message gives us: the customer-service quota of a public account (wechat.md 2.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from channels.contract import Grant
from normalizer.message import EventKind

if TYPE_CHECKING:
    from normalizer.message import InboundMessage

_MESSAGE = (timedelta(hours=48), 5)
_ACT = (timedelta(minutes=1), 3)
_ACTS = frozenset({EventKind.CLICK, EventKind.SUBSCRIBE, EventKind.SCAN})


def grant(message: InboundMessage) -> Grant | None:
    """Return the leave a message gives: each one resets it to its most; whoever unfollows takes it away."""
    event = message.event
    if event is None:
        period, count = _MESSAGE
    elif event.event in _ACTS:
        period, count = _ACT
    elif event.event is EventKind.UNSUBSCRIBE:
        return Grant(message.received_at, 0)
    else:
        return None
    return Grant(message.received_at + period, count)
