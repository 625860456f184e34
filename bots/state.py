"""What the bot remembers of a conversation between two messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from normalizer.case import Attachment


@dataclass(frozen=True, slots=True)
class Order:
    """The slots of a guided order (domain.md 4.2); empty or None while not known."""

    text: str = ""
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    when: str = ""
    demand: str = ""
    kind: str = ""
    category: str = ""
    name: str = ""
    phone: str = ""
    secret: bool | None = None
    reply_by: str = ""
    attachments: tuple[Attachment, ...] = ()
    materials: bool = False
    brief: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A conversation's memory. ``flow`` and ``step`` are the open question; ``at`` is when the bot last spoke.

    ``choices`` are the case numbers offered by their place in a list, ``target`` the one being spoken of.
    """

    flow: str = ""
    step: str = ""
    order: Order = field(default_factory=Order)
    editing: bool = False
    target: str = ""
    choices: tuple[str, ...] = ()
    score: int = 0
    collected: str = ""
    attachments: tuple[Attachment, ...] = ()
    misses: int = 0
    insults: int = 0
    welcomed: bool = False
    notice_version: str = ""
    elderly: bool = False
    lang: str = "zh"
    heard: bool = False
    at: datetime | None = None


_STATE = TypeAdapter(State)


def dump(state: State) -> str:
    """Return the state as JSON."""
    return _STATE.dump_json(state, exclude_defaults=True).decode()


def load(text: str) -> State:
    """Return the state of a JSON text; one that cannot be read any more begins anew."""
    try:
        return _STATE.validate_json(text)
    except ValidationError:
        return State(welcomed=True)
