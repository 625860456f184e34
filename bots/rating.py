"""Five levels, one per case and round; a low one says why and opens a rework (好差评, domain.md 2.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import Act, AskOwn
from bots.intent import Intent
from bots.scene import idle, tail
from normalizer.case import Actor, Case, Command, Role, Stage, Verb
from normalizer.codes import SATISFACTION_LABELS
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene

RATE, REASONS = "rate", "reasons"
FLOWS = frozenset({RATE, REASONS})
LOW = 2
ROUNDS = 2
"""Reworks after which a low rating goes to a supervisor instead (profile: caps.rework_rounds)."""

CITIZEN = Actor(Role.CITIZEN)
_PJ = re.compile(r"(?:pj|评价|打分)\s*([1-5])(?:分|星)?\s*(.*)", re.DOTALL)
_WORDS = {label: score for score, label in SATISFACTION_LABELS.items()}
_REASONS = re.compile(r"[1-6]")


def asked(scene: Scene) -> Turn | Ask | None:
    """Take a rating: by word at any time, by a bare digit only as answer to the last question asked."""
    score, opinion = _score(scene)
    by_word = scene.intent is Intent.RATE or _PJ.fullmatch(scene.reading.matching) is not None
    bare = score is not None and not scene.state.flow
    if not by_word and not bare:
        return None
    if scene.facts.own is None:
        return AskOwn()
    waiting = [case for case in scene.facts.own if _unrated(case)]
    if not by_word and not any(_asked_last(scene, case) for case in waiting):
        return None
    if not waiting:
        return scene.turn(scene.say("nothing_to_rate"), state=idle(scene.state))
    if score is None:
        state = evolve(idle(scene.state), flow=RATE, target=waiting[0].case_no)
        return scene.turn(scene.say("ask_rating", tail=tail(waiting[0].case_no)), state=state)
    return _given(scene, waiting[0], score, opinion)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the question that is open: the score, or the reasons of a low one."""
    state = scene.state
    if state.flow not in FLOWS:
        return None
    if scene.facts.own is None:
        return AskOwn()
    case = next((case for case in scene.facts.own if case.case_no == state.target), None)
    if case is None or not _unrated(case):
        return scene.turn(scene.say("nothing_to_rate"), state=idle(state))
    if state.flow == RATE:
        score, opinion = _score(scene)
        if score is None:
            return scene.turn(scene.say("ask_rating", tail=tail(case.case_no)))
        return _given(scene, case, score, opinion)
    reasons = tuple(int(n) for n in dict.fromkeys(_REASONS.findall(scene.reading.text[:12])))
    opinion = scene.reading.text if scene.reading.digit is None else ""
    return _rated(scene, case, state.score, reasons or (6,), opinion)


def _score(scene: Scene) -> tuple[int | None, str]:
    reading = scene.reading
    if reading.digit is not None:
        return (reading.digit if 1 <= reading.digit <= 5 else None), ""
    if found := _PJ.fullmatch(reading.matching):
        return int(found.group(1)), found.group(2)
    return _WORDS.get(reading.matching.rstrip("。！!了")), ""


def _given(scene: Scene, case: Case, score: int, opinion: str) -> Turn:
    if score <= LOW and not opinion:
        state = evolve(idle(scene.state), flow=REASONS, target=case.case_no, score=score)
        return scene.turn(scene.say("ask_reasons"), state=state)
    return _rated(scene, case, score, (6,) if score <= LOW else (), opinion)


def _rated(scene: Scene, case: Case, score: int, reasons: tuple[int, ...], opinion: str) -> Turn:
    command = Command(Verb.RATE, CITIZEN, score=score, reasons=reasons, text=opinion[:500])
    key = "rated" if score > LOW else "rated_low" if case.rework_round < ROUNDS else "rated_low_final"
    words = scene.say(key, label=SATISFACTION_LABELS[score])
    state = evolve(idle(scene.state), target=case.case_no)
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def _unrated(case: Case) -> bool:
    rated = any(rating.round == case.rework_round for rating in case.ratings)
    return case.stage in {Stage.CLOSED_PENDING, Stage.VISITED} and not rated


def _asked_last(scene: Scene, case: Case) -> bool:
    """Return whether the bot has said nothing since the citizen was asked to rate this case."""
    asked_at, spoke_at = case.finished_at, scene.state.at
    return asked_at is not None and (spoke_at is None or asked_at >= spoke_at)
