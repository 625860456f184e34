"""Who may get a conversation from whom: the machine of ownership (design 4).

bot → queued → offered → agent → wrap_up → bot | closed. Every move is a change of owner and raises the epoch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bots.contract import Owner
from normalizer.errors import JiesuError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Act(StrEnum):
    """A change of owner; its value is the kind of the ``desk_event`` that tells it."""

    OFFER = "offered"
    ASSIGN = "assigned"
    TAKE = "taken"
    ACCEPT = "accepted"
    DECLINE = "declined"
    LAPSE = "lapsed"
    LOSE = "lost"
    TRANSFER = "transferred"
    TAKE_OVER = "taken_over"
    HAND = "handed"
    BACK = "returned"
    WRAP_UP = "wrapped_up"
    CLOSE = "closed"


_Q, _O, _A, _W = Owner.QUEUED, Owner.OFFERED, Owner.AGENT, Owner.WRAP_UP

MOVES: Mapping[Act, tuple[frozenset[Owner], Owner]] = {
    Act.OFFER: (frozenset({_Q}), _O),
    Act.ASSIGN: (frozenset({_Q}), _A),
    Act.TAKE: (frozenset({_Q, Owner.BOT}), _A),
    Act.ACCEPT: (frozenset({_O}), _A),
    Act.DECLINE: (frozenset({_O}), _Q),
    Act.LAPSE: (frozenset({_O}), _Q),
    Act.LOSE: (frozenset({_O, _A}), _Q),
    Act.TRANSFER: (frozenset({_A, _W}), _Q),
    Act.TAKE_OVER: (frozenset({_Q, _O, _A, _W}), _A),
    Act.HAND: (frozenset({_Q, _O, _A}), _A),
    Act.BACK: (frozenset({_A, _W}), Owner.BOT),
    Act.WRAP_UP: (frozenset({_A}), _W),
    Act.CLOSE: (frozenset({_A, _W}), Owner.CLOSED),
}
"""A handoff (bot or closed → queued), a leave of the queue (queued → bot) and a citizen who writes during the wrap-up
(wrap_up → agent) happen in the pipeline, in the commit of the message."""


class Why(StrEnum):
    """Why something was refused."""

    TAKEN = "taken"
    STALE = "stale"
    FULL = "full"
    AWAY = "away"
    SKILL = "skill"
    RIGHT = "right"
    STATE = "state"
    UNKNOWN = "unknown"


class Refused(JiesuError):
    """It cannot be done as things stand; ``holder`` is the id of who holds the conversation, None for nobody."""

    def __init__(self, why: Why, holder: bytes | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.holder = holder


class Doubted(JiesuError):
    """Automatic routing would not give the conversation to this agent; a supervisor may, who knows ``doubts``."""

    def __init__(self, doubts: tuple[Why, ...]) -> None:
        super().__init__(" ".join(doubts))
        self.doubts = doubts


def moved(act: Act, owner: str, holder: bytes | None) -> Owner:
    """Return the owner after an act; raises Refused: TAKEN when a person has it, else STATE."""
    before, after = MOVES[act]
    if owner not in before:
        raise Refused(Why.TAKEN if holder else Why.STATE, holder)
    return after
