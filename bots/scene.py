"""One turn as the flows see it, and the small words they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bots.contract import Facts, Moment, Owner, Turn
from bots.intent import Intent
from bots.state import Flow, State, Step
from bots.words import ELDERLY, SHORT, say
from normalizer.case import OPEN, Case, Stage
from normalizer.draft import TITLE
from normalizer.evolve import evolve
from normalizer.message import SourceChannel
from normalizer.moves import allowed
from normalizer.people import valid_phone
from normalizer.place import place_in

if TYPE_CHECKING:
    from bots.contract import City, Effect
    from normalizer.case import Command
    from normalizer.draft import CaseDraft

ZONE = ZoneInfo("Asia/Shanghai")
HIDDEN_TITLE = "保密件"
SAYING = 4
"""Characters of a title that say something."""
_WECHAT = frozenset({SourceChannel.WECHAT.value, SourceChannel.MINIPROGRAM.value})
SMS, EMAIL = SourceChannel.SMS.value, SourceChannel.EMAIL.value


@dataclass(frozen=True)
class Scene:
    """The state before, what was read, what is known, when and where, and the wish if it was said in a word.

    ``number`` is the case number the wish names: all 17 digits or the last seven; ``words`` what follows a command.
    """

    state: State
    reading: CaseDraft
    facts: Facts
    moment: Moment
    intent: Intent | None
    number: str = ""
    words: str = ""

    @property
    def sms(self) -> bool:
        """Whether the message came by SMS."""
        return self.facts.source == SMS

    @property
    def known(self) -> bool:
        """Whether he may have cases: he reported or was served here before, or his other ways are joined with this one."""
        return self.state.reported or self.facts.source not in _WECHAT

    @property
    def phone(self) -> str:
        """The telephone an SMS came from; empty in other channels."""
        return valid_phone(self.facts.sender) or self.facts.sender if self.sms else ""

    @property
    def city(self) -> City:
        """The city's names, numbers and hours."""
        return self.moment.city

    @property
    def named(self) -> str:
        """What the city is called in the citizen's language."""
        return self.city.name_en or self.city.name if self.state.lang == "en" else self.city.name

    @property
    def now(self) -> datetime:
        """The instant of the turn, UTC."""
        return self.moment.now

    @property
    def queued(self) -> bool:
        """Whether the conversation waits for a person."""
        return self.facts.owner is Owner.QUEUED

    def say(self, key: str, **fields: object) -> str:
        """Return a sentence in the citizen's language, in the wording for SMS or for the elderly where there is one."""
        state = self.state
        if self.sms:
            key = SHORT.get(key, key) if state.lang != "en" else key
        elif state.elderly:
            key = ELDERLY.get(key, key)
        return say(state.lang, key, **fields)

    def refusal(self, case: Case, command: Command) -> str | None:
        """Return the code of what forbids a command on a case now, None when it is allowed."""
        return allowed(case, command, self.now)

    def allows(self, case: Case, command: Command) -> bool:
        """Return whether a command on a case is allowed now."""
        return self.refusal(case, command) is None

    def turn(self, *replies: str, state: State | None = None, effects: tuple[Effect, ...] = ()) -> Turn:
        """Return a turn that leaves this state, or another."""
        return Turn(state or self.state, replies, effects)


def idle(state: State, **changes: object) -> State:
    """Return the state with no question open, and changed; a draft order stays."""
    return evolve(state, **(_IDLE | changes))


_IDLE: dict[str, object] = {
    "flow": Flow.NONE,
    "step": Step.NONE,
    "target": "",
    "choices": (),
    "misses": 0,
    "collected": "",
    "attachments": (),
    "score": 0,
    "editing": False,
    "served": 0,
}


def day(at: datetime) -> str:
    """Return 12月1日."""
    local = at.astimezone(ZONE)
    return f"{local.month}月{local.day}日"


def tail(*case_nos: str) -> str:
    """Return how a case is called in talk, or several: its last seven digits."""
    return f"尾号{'、'.join(each[-7:] for each in case_nos)}"


def title(case: Case, longest: int) -> str:
    """Return a case's title as a screen may show it that others can look at: a confidential one has none."""
    return HIDDEN_TITLE if case.secret else case.matter.title[:longest]


def called(case: Case, longest: int) -> str:
    """Return a case's title so long; of a longer one what it is about goes before where it is."""
    whole = title(case, TITLE)
    if len(whole) <= longest:
        return whole
    where = place_in(whole) or ""
    core = whole.replace(where, "", 1).lstrip("的，,、 ")
    return (core if where and len(core) >= SAYING else whole)[:longest]


def unit_of(case: Case) -> str:
    """Return the unit that handles a case, as its citizen may know it."""
    return case.main.unit_name if case.main else "热线工作人员"


_OWED = OPEN - {Stage.CLOSED_PENDING, Stage.VISITED}
"""Stages in which an answer is still owed."""


def due_line(scene: Scene, case: Case) -> str:
    """Return by when an answer is due, or nothing when no clock runs."""
    if case.deadline_at is None or case.stage not in _OWED:
        return ""
    key = "overdue_line" if scene.now > case.deadline_at else "due_line"
    return scene.say(key, day=day(case.deadline_at))
