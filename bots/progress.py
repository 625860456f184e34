"""How far is it? Own cases in full; for a stranger with number and code the least (domain.md 4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import AskFound, AskOwn
from bots.intent import Intent
from bots.scene import day, idle, tail
from normalizer import case_no
from normalizer.case import CITIZEN_LABELS, OPEN
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene
    from normalizer.case import Case

PICK = "progress"
_PAIR = re.compile(
    r"(?:cx|查询?)?\s*(?:单号)?[:： ]*([0-9][0-9 \-]{15,24}[0-9])[ ,，;；]+(?:查询码)?[:： ]*([0-9]{6})",
    re.IGNORECASE,
)
_TITLE = 16


def asked(scene: Scene) -> Turn | Ask | None:
    """Show the citizen's own cases."""
    menu = scene.reading.digit == 3 and not scene.state.flow
    if scene.intent is not Intent.PROGRESS and not menu:
        return None
    own = scene.facts.own
    if own is None:
        return AskOwn()
    if not own:
        return scene.turn(scene.say("no_cases"), state=idle(scene.state))
    if len(own) == 1:
        return _shown(scene, own[0])
    lines = "\n".join(f"{n} {line(case)}" for n, case in enumerate(own, 1))
    state = evolve(idle(scene.state), flow=PICK, choices=tuple(case.case_no for case in own))
    return scene.turn(scene.say("cases", count=len(own), lines=lines), state=state)


def picked(scene: Scene) -> Turn | Ask | None:
    """Show the case whose place in the list was named."""
    if scene.state.flow != PICK or scene.reading.digit is None:
        return None
    if not 1 <= scene.reading.digit <= len(scene.state.choices):
        return scene.turn(scene.say("choose_number"))
    return _own(scene, scene.state.choices[scene.reading.digit - 1])


def by_number(scene: Scene) -> Turn | Ask | None:
    """Show a case by its number: an own one by the last seven digits too, another's only with its code."""
    text = scene.reading.text
    if pair := _PAIR.fullmatch(text):
        return _stranger(scene, pair.group(1), pair.group(2))
    if case_no.looks_like(text):
        number = case_no.parse(text)
        return _own(scene, number) if number else scene.turn(scene.say("bad_number"))
    short = case_no.short_form(text) if not scene.state.flow else None
    return _own(scene, short) if short else None


def line(case: Case) -> str:
    """Return a case in a line of a list."""
    return f"{case.case_no[-7:]}｜{case.matter.title[:_TITLE]}｜{CITIZEN_LABELS[case.stage]}"


def _own(scene: Scene, number: str) -> Turn | Ask:
    if scene.facts.own is None:
        return AskOwn()
    found = next((case for case in scene.facts.own if case.case_no.endswith(number)), None)
    if found is not None:
        return _shown(scene, found)
    return scene.turn(scene.say("ask_code"))


def _shown(scene: Scene, case: Case) -> Turn:
    latest = (
        case.replies[-1].text[:60] if case.replies and case.stage not in {"processing", "replied"} else ""
    )
    words = scene.say(
        "progress",
        tail=case.case_no[-7:],
        title=case.matter.title[:_TITLE],
        stage=CITIZEN_LABELS[case.stage],
        unit=_unit(scene, case),
        due=_due(scene, case),
        latest=scene.say("progress_latest", latest=latest) if latest else "",
    )
    return scene.turn(words, state=evolve(idle(scene.state), target=case.case_no))


def _stranger(scene: Scene, given: str, code: str) -> Turn | Ask:
    number = case_no.parse(given)
    if number is None:
        return scene.turn(scene.say("bad_number"))
    found = scene.facts.found
    if found is None:
        return AskFound(number, code)
    hotline = scene.city.hotline
    if found.locked:
        return scene.turn(scene.say("code_locked", hotline=hotline))
    case = found.case
    if case is None:
        return scene.turn(scene.say("wrong_code", hotline=hotline))
    stage = CITIZEN_LABELS[case.stage]
    unit, due = ("", "") if case.secret else (_unit(scene, case), _due(scene, case))
    return scene.turn(scene.say("stranger", tail=tail(number)[2:], stage=stage, unit=unit, due=due))


def _unit(scene: Scene, case: Case) -> str:
    return scene.say("progress_unit", unit=case.main.unit_name) if case.main else ""


def _due(scene: Scene, case: Case) -> str:
    if case.deadline_at is None or case.stage not in OPEN or case.main is None:
        return ""
    key = "progress_overdue" if scene.now > case.deadline_at else "progress_due"
    return scene.say(key, day=day(case.deadline_at))
