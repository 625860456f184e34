"""The rating of a service by a person: asked once, when it ends (domain.md 4.2), and answered right after or not at all.

It is another one than the rating of a case: whichever was asked for last is the one that a digit answers.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots import rating
from bots.contract import AskOwn, RateService
from bots.intent import Intent
from bots.scene import EMAIL, idle
from bots.state import Flow
from normalizer.codes import SATISFACTION_LABELS

if TYPE_CHECKING:
    from datetime import datetime

    from bots.contract import Ask, Turn
    from bots.scene import Scene
    from bots.state import State
    from normalizer.draft import CaseDraft

QUESTION_HOLDS = timedelta(days=7)
"""Time in which the question may be answered (``rating.window`` of domain.md 1.8)."""

_LABELS = "|".join(sorted(SATISFACTION_LABELS.values(), key=len, reverse=True))
_SAID = re.compile(rf"([1-5])[\s.、:：]*(?:分|星|{_LABELS})[。！!]*")
"""A score with its label, as a tapped button may send it."""
_GOES_ON = frozenset({Intent.THANKS, Intent.RATE})
"""Words that leave the question open."""


def asked(state: State, began: int, now: datetime) -> State:
    """Return the state in which a citizen is asked to rate the service that began at ``began`` (milliseconds)."""
    # Who was served by a person may have a case that the bot knows nothing of.
    return idle(state, flow=Flow.SERVICE, served=began, alarmed=False, at=now, reported=True)


def kept(state: State, reading: CaseDraft, intent: Intent | None, now: datetime, number: str = "") -> State:
    """Return the state without the question when a message is no answer to it, or comes too late.

    ``number`` is the case that the message names: it speaks of that one, then.
    """
    if state.flow is not Flow.SERVICE:
        return state
    late = state.at is None or now - state.at > QUESTION_HOLDS
    answers = read(reading) is not None or intent in _GOES_ON
    return state if answers and not late and not number else idle(state)


def read(reading: CaseDraft) -> int | None:
    """Return the score that a message gives, None when it gives none."""
    if found := _SAID.fullmatch(reading.matching):
        return int(found.group(1))
    return rating.read(reading)[0]


def going_on(scene: Scene) -> Turn | Ask | None:
    """Take the score, unless a case's rating was asked for later; None when nothing is asked."""
    if scene.state.flow is not Flow.SERVICE:
        return None
    score = read(scene.reading)
    if score is None:
        return scene.turn(scene.say("thanks" if scene.intent is Intent.THANKS else "ask_service_again"))
    if scene.facts.own is None:
        return AskOwn()
    return None if rating.asked_later(scene) else _rated(scene, score)


def _rated(scene: Scene, score: int) -> Turn:
    words = "service_rated" if score > rating.LOW else "service_rated_low"
    if scene.facts.source == EMAIL:
        words = f"mail_{words}"
    return scene.turn(
        scene.say(words, label=SATISFACTION_LABELS[score]),
        state=idle(scene.state),
        effects=(RateService(scene.state.served, score),),
    )
