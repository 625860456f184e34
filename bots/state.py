"""What the bot remembers of a conversation between two messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from pydantic import TypeAdapter, ValidationError

from normalizer.case import Attachment
from normalizer.codes import Kind


class Flow(StrEnum):
    """The talk that is open; ``NONE`` when the bot waits for anything."""

    NONE = ""
    ORDER = "order"
    RESUME = "resume"
    AGAIN = "again"
    MINE = "mine"
    OBJECT = "object"
    BEYOND = "beyond"
    CONSULT = "consult"
    PROGRESS = "progress"
    CODE = "code"
    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    RATE = "rate"
    REASONS = "reasons"
    CALLBACK = "callback"
    NOTE = "note"
    SERVICE = "service"
    CONFIDE = "confide"


class Step(StrEnum):
    """The question of a talk that is open: a slot of the order, or a place in another talk.

    ``DONE`` stands, with no flow, right after an order went out, so that a second tap is known for what it is; ``PICK``
    stands so while by SMS the choices of a long wait were offered.
    """

    NONE = ""
    TEXT = "text"
    PLACE = "place"
    WHEN = "when"
    DEMAND = "demand"
    KIND = "kind"
    CONTACT = "contact"
    SECRET = "secret"  # noqa: S105 - a slot, not a password
    REPLY = "reply"
    MATERIALS = "materials"
    REVIEW = "review"
    ITEM = "item"
    PICK = "pick"
    COLLECT = "collect"
    CONFIRM = "confirm"
    DONE = "done"


@dataclass(frozen=True)
class Order:  # noqa: PLW1641 - the dataclass makes the hash
    """The slots of a guided order (domain.md 4.2); empty or None while not known.

    ``sure`` when the category is beyond doubt, ``brief`` when the citizen said enough to skip the lesser questions,
    ``since`` when it was last touched; ``asked`` are the questions put by SMS, each once; ``other`` once it was said to
    be none of one's earlier cases, ``earlier`` the ended one that it continues; ``beyond`` the
    code of what is not taken in, once its citizen was told where to turn.
    """

    text: str = ""
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    when: str = ""
    demand: str = ""
    kind: Kind | None = None
    category: str = ""
    sure: bool = False
    name: str = ""
    phone: str = ""
    anonymous: bool = False
    secret: bool | None = None
    reply_by: str = ""
    attachments: tuple[Attachment, ...] = ()
    materials: bool = False
    brief: bool = False
    since: datetime | None = None
    asked: tuple[Step, ...] = ()
    other: bool = False
    earlier: str = ""
    beyond: str = ""

    def __eq__(self, other: object) -> bool:
        """Compare; whenever a state is written its order is compared with none, mostly with itself."""
        return self is other or (isinstance(other, Order) and vars(self) == vars(other))


class Quiet(StrEnum):
    """What is restricted after abuse, by a person's decision and for a time (GB/T 44189 8.1.4, domain.md 1.11)."""

    NO = ""
    BOT_ONLY = "bot_only"
    ALL = "all"


# One for all: a default that is made anew is also made anew whenever a state is written, to be compared with it.
_NO_ORDER = Order()


@dataclass(frozen=True)
class State:
    """A conversation's memory.

    ``flow`` and ``step`` are the open question; ``choices`` the case numbers offered by their place in a list,
    ``target`` the one being spoken of; ``alarmed`` after a warning, while "are you safe?" stands; ``heard`` once it
    was said that messages are kept for a person; ``burst`` the last photo, so that several are acknowledged once;
    ``name`` and ``phone`` the contact of the last order; ``at`` when the bot last spoke;
    ``last`` a digest of the last text message, ``last_to`` the question it found open, ``last_at`` when it came.
    ``quiet`` is what a person at the desk has restricted until ``quiet_until``; it was told once (``quiet_told``).
    ``served`` is when the service began that is to be rated, milliseconds; ``reported`` once cases of one's own were seen;
    ``wished_at`` is when he last asked to have everything deleted.
    """

    flow: Flow = Flow.NONE
    step: Step = Step.NONE
    order: Order = _NO_ORDER
    editing: bool = False
    target: str = ""
    choices: tuple[str, ...] = ()
    score: int = 0
    collected: str = ""
    attachments: tuple[Attachment, ...] = ()
    misses: int = 0
    insults: int = 0
    notice_version: str = ""
    elderly: bool = False
    lang: str = "zh"
    alarmed: bool = False
    heard: bool = False
    burst: datetime | None = None
    name: str = ""
    phone: str = ""
    at: datetime | None = None
    last: str = ""
    last_to: str = ""
    last_at: datetime | None = None
    quiet: Quiet = Quiet.NO
    quiet_until: datetime | None = None
    quiet_told: bool = False
    served: int = 0
    reported: bool = False
    wished_at: datetime | None = None


_STATE = TypeAdapter(State)
_write, _read = _STATE.serializer.to_json, _STATE.validator.validate_json


def dump(state: State) -> bytes:
    """Return the state as JSON."""
    return _write(state, exclude_defaults=True)


def load(text: str | bytes) -> State:
    """Return the state of a JSON text; one that cannot be read any more begins anew."""
    try:
        return cast("State", _read(text))
    except ValidationError:
        return State()
