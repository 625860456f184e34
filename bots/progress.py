"""How far is it? Own cases in full; for a stranger with number and code the least (domain.md 4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots import intake, which
from bots.contract import AskFound, AskOwn, Found
from bots.intent import Intent
from bots.scene import called, day, idle
from bots.state import Flow
from normalizer import case_no
from normalizer.case import CITIZEN_LABELS, OPEN, Stage
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bots.contract import Ask, Turn
    from bots.scene import Scene
    from normalizer.case import Case

_MENU_PROGRESS = 3
PAIR = re.compile(
    r"(?:cx|查询?)?\s*(?:单号)?[:： ]*([0-9][0-9 \-]{15,24}[0-9])[ ,，;；\n]+(?:查询码)?[:： ]*([0-9]{6})",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?:查询码)?(?:是)?[:： ]*([0-9]{3}[ \-]?[0-9]{3})")
_TITLE, _TITLE_IN_LIST = 16, 8
_TITLE_SMS, _TITLE_IN_LIST_SMS = 8, 6
_LATEST, _LATEST_SMS = 40, 100
_LISTED, _LISTED_ELDERLY, _LISTED_SMS = 5, 3, 3
_MISSES = 2
_ANSWERED = frozenset(
    {Stage.ANSWERED, Stage.CLOSED_PENDING, Stage.VISITED, Stage.REWORK, Stage.CLOSED, Stage.ARCHIVED}
)
"""Stages in which the reply is reviewed and the citizen's to read."""
_RATEABLE = frozenset({Stage.CLOSED_PENDING, Stage.VISITED})


def asked(scene: Scene) -> Turn | Ask | None:
    """Show the citizen's own cases."""
    menu = scene.reading.digit == _MENU_PROGRESS and scene.state.flow is Flow.NONE
    if scene.intent is not Intent.PROGRESS and not menu:
        return None
    own = scene.facts.own
    if own is None:
        return AskOwn()
    if not own:
        return intake.unsent(scene) or scene.turn(scene.say("no_cases"), state=idle(scene.state))
    if len(own) == 1:
        return view(scene, own[0])
    lines, choices = listed(scene, own)
    state = idle(scene.state, flow=Flow.PROGRESS, choices=choices)
    return scene.turn(scene.say("cases", count=len(choices), lines=lines), state=state)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Show the case whose place in the list was named, or take the query code that was asked for."""
    if scene.state.flow is Flow.CODE:
        return _coded(scene)
    if scene.state.flow is not Flow.PROGRESS:
        return None
    if scene.intent in {Intent.BACK, Intent.CANCEL}:
        return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(scene.state))
    if scene.facts.own is None:
        return AskOwn()
    case = picked(scene, scene.facts.own)
    return view(scene, case) if case is not None else _missed(scene, "choose_number")


def by_number(scene: Scene) -> Turn | Ask | None:
    """Show a case by its number: an own one by the last seven digits too, another's only with its code."""
    text = scene.reading.text
    if len(text) < case_no.SHORT or not text[-1].isdigit():
        return None
    if pair := PAIR.fullmatch(text):
        return _stranger(scene, pair.group(1), pair.group(2))
    if scene.intent is Intent.PROGRESS and scene.number:
        return _own(scene, scene.number)
    if case_no.looks_like(text):
        return _own(scene, case_no.parse(text) or text)
    short = case_no.short_form(text) if scene.state.flow in _NO_NUMBER_ASKED else None
    return _own(scene, short) if short else None


_NO_NUMBER_ASKED = frozenset({Flow.NONE, Flow.PROGRESS, Flow.CODE})
"""Talks in which seven digits can only be a case, not a telephone."""


def listed(scene: Scene, cases: Sequence[Case]) -> tuple[str, tuple[str, ...]]:
    """Return cases as the lines of a list, and their numbers in its order; the elderly view has fewer."""
    most = _LISTED_SMS if scene.sms else _LISTED_ELDERLY if scene.state.elderly else _LISTED
    shown = cases[:most]
    lines = (f"{n} {_line(scene, case)}" for n, case in enumerate(shown, 1))
    return "\n".join(lines), tuple(case.case_no for case in shown)


def listed_of(scene: Scene) -> list[Case]:
    """Return the cases that the open question lists, as far as they are still there."""
    return [case for case in scene.facts.own or () if case.case_no in scene.state.choices]


def picked(scene: Scene, cases: Sequence[Case]) -> Case | None:
    """Return the one of the listed cases that is named by its place or by what it is about, None for none."""
    choices, reading = scene.state.choices, scene.reading
    listed = [case for case in cases if case.case_no in choices]
    number = reading.digit or which.place(reading.matching, len(choices))
    if number is None:
        return which.named(reading.matching, listed)
    at = choices[number - 1] if 1 <= number <= len(choices) else ""
    return next((case for case in listed if case.case_no == at), None)


def _line(scene: Scene, case: Case) -> str:
    if scene.sms:
        shown = called(case, _TITLE_IN_LIST_SMS)
        return f"{case.case_no[-7:]}{shown}，{CITIZEN_LABELS[case.stage]}"
    named = f"{case.case_no[-7:]}｜{called(case, _TITLE_IN_LIST)}"
    return named if scene.state.elderly else f"{named}｜{CITIZEN_LABELS[case.stage]}"


def _own(scene: Scene, number: str) -> Turn | Ask:
    if len(number) != case_no.SHORT and case_no.parse(number) is None:
        return scene.turn(scene.say("bad_number"), state=idle(scene.state))
    if scene.facts.own is None:
        return AskOwn()
    found = next((case for case in scene.facts.own if case.case_no.endswith(number)), None)
    if found is not None:
        return view(scene, found)
    if len(number) == case_no.SHORT:
        return scene.turn(scene.say("unknown_tail", tail=number), state=idle(scene.state))
    return scene.turn(scene.say("ask_code"), state=idle(scene.state, flow=Flow.CODE, target=number))


def _coded(scene: Scene) -> Turn | Ask:
    if scene.intent in {Intent.BACK, Intent.CANCEL}:
        return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(scene.state))
    code = _CODE.fullmatch(scene.reading.text)
    if code is None:
        return _missed(scene, "ask_code")
    return _stranger(scene, scene.state.target, re.sub("[^0-9]", "", code.group(1)))


def _missed(scene: Scene, key: str) -> Turn:
    misses = scene.state.misses + 1
    if misses >= _MISSES:
        return scene.turn(scene.say("offer_human", hotline=scene.city.hotline), state=idle(scene.state))
    return scene.turn(scene.say(key), state=evolve(scene.state, misses=misses))


def told(scene: Scene, case: Case, longest: int) -> tuple[str, str, str]:
    """Return who handles a case, by when, and the unit's answer, as lines that may be empty."""
    latest = case.replies[-1].text if case.replies and case.stage in _ANSWERED else ""
    shown = latest if len(latest) <= longest else f"{latest[:longest]}…"
    return _unit(scene, case), _due(scene, case), scene.say("progress_latest", latest=shown) if shown else ""


def least(scene: Scene, case: Case) -> str:
    """Return the least of a case, for whoever has number and code only; of a confidential one its stage alone."""
    unit, due = ("", "") if case.secret else (_unit(scene, case), _due(scene, case))
    return scene.say("stranger", tail=case.case_no[-7:], stage=CITIZEN_LABELS[case.stage], unit=unit, due=due)


def view(scene: Scene, case: Case) -> Turn:
    """Show how far one case is."""
    unit, due, latest = told(scene, case, _LATEST_SMS if scene.sms else _LATEST)
    words = scene.say(
        "progress" if case.stage in OPEN - _RATEABLE else "progress_ended",
        tail=case.case_no[-7:],
        title=called(case, _TITLE_SMS if scene.sms else _TITLE),
        stage=CITIZEN_LABELS[case.stage],
        unit=unit,
        due=due,
        latest=latest,
        rate=scene.say("progress_rate") if case.stage in _RATEABLE else "",
    )
    return scene.turn(words, state=idle(scene.state, target=case.case_no))


def _stranger(scene: Scene, given: str, code: str) -> Turn | Ask:
    number = case_no.parse(given)
    if number is None:
        return scene.turn(scene.say("bad_number"), state=idle(scene.state))
    if scene.facts.own is None:
        return AskOwn()
    own = next((case for case in scene.facts.own if case.case_no == number), None)
    if own is not None:
        return view(scene, own)
    return _checked(scene, number, scene.facts.found) if scene.facts.found else AskFound(number, code)


def _checked(scene: Scene, number: str, found: Found) -> Turn:
    """Tell a stranger the least; a wrong code and no such case sound alike."""
    hotline = scene.city.hotline
    if found.locked:
        return scene.turn(scene.say("code_locked", hotline=hotline), state=idle(scene.state))
    case = found.case
    if case is None:
        state = idle(scene.state, flow=Flow.CODE, target=number)
        return scene.turn(scene.say("wrong_code", hotline=hotline), state=state)
    return scene.turn(least(scene, case), state=idle(scene.state))


def _unit(scene: Scene, case: Case) -> str:
    return scene.say("progress_unit", unit=case.main.unit_name) if case.main else ""


def _due(scene: Scene, case: Case) -> str:
    if case.deadline_at is None or case.stage not in OPEN or case.main is None:
        return ""
    key = "progress_overdue" if scene.now > case.deadline_at else "progress_due"
    return scene.say(key, day=day(case.deadline_at))
