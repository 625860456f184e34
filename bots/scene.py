"""One turn as the flows see it, and the small words they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bots.contract import Facts, Moment, Turn
from bots.intent import Intent
from bots.state import State
from bots.words import say
from normalizer.case import OPEN, Case
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import City, Effect
    from normalizer.draft import CaseDraft

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Scene:
    """The state before, what was read, what is known, when and where, and the wish if it was said in a word."""

    state: State
    reading: CaseDraft
    facts: Facts
    moment: Moment
    intent: Intent | None

    @property
    def city(self) -> City:
        """The city's names, numbers and hours."""
        return self.moment.city

    @property
    def now(self) -> datetime:
        """The instant of the turn, UTC."""
        return self.moment.now

    def say(self, key: str, **fields: object) -> str:
        """Return a sentence in the citizen's language, the elderly wording where there is one."""
        if self.state.elderly and f"{key}_elderly" in _ELDERLY:
            key = f"{key}_elderly"
        return say(self.state.lang, key, **fields)

    def turn(self, *replies: str, state: State | None = None, effects: tuple[Effect, ...] = ()) -> Turn:
        """Return a turn that leaves this state, or another."""
        return Turn(state or self.state, replies, effects)


_ELDERLY = frozenset({"welcome_elderly", "menu_elderly"})


def idle(state: State) -> State:
    """Return the state with no question open; a draft order stays."""
    return evolve(
        state,
        flow="",
        step="",
        target="",
        choices=(),
        misses=0,
        collected="",
        attachments=(),
        score=0,
        editing=False,
    )


def day(at: datetime) -> str:
    """Return 12月1日."""
    local = at.astimezone(ZONE)
    return f"{local.month}月{local.day}日"


def tail(case_no: str) -> str:
    """Return how a case is called in talk: its last seven digits."""
    return f"尾号{case_no[-7:]}"


def unit_of(case: Case) -> str:
    """Return the unit that handles a case, as its citizen may know it."""
    return case.main.unit_name if case.main else "热线工作人员"


def due_line(scene: Scene, case: Case) -> str:
    """Return by when an answer is due, or nothing when no clock runs."""
    if case.deadline_at is None or case.stage not in OPEN:
        return ""
    key = "overdue_line" if scene.now > case.deadline_at else "due_line"
    return scene.say(key, day=day(case.deadline_at))
