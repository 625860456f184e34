"""The first words, the menu, and what is said when nothing else fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import Handoff, OptOut, Owner, Turn
from bots.intent import Intent
from bots.scene import idle
from normalizer.evolve import evolve
from normalizer.message import EventKind

if TYPE_CHECKING:
    from bots.scene import Scene
    from bots.state import State

MENU_ELDERLY = 5
MISSES = 2
"""Times not understood before a person is offered."""

_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]{2,}")
_OTHER_SCRIPTS = (
    ("bo", re.compile("[\u0f00-\u0fff]")),
    ("mn", re.compile("[\u1800-\u18af]")),
    ("ug", re.compile("[\u0600-\u06ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ii", re.compile("[\ua000-\ua48f]")),
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)


def subscribed(scene: Scene) -> Turn | None:
    """Greet whoever follows us; say nothing to other events that are no wish."""
    event = scene.reading.event
    if event is None:
        return None
    if event.event in {EventKind.SUBSCRIBE, EventKind.SCAN}:
        return scene.turn(greeting(scene), state=greeted(scene))
    return None if scene.intent is not None else scene.turn()


def language(scene: Scene) -> Turn | None:
    """Answer other scripts with the fixed line and a person who reads them; Latin letters turn to English."""
    text = scene.reading.text
    if not text or _HAN.search(text):
        return None
    for code, script in _OTHER_SCRIPTS:
        if script.search(text) and scene.state.lang != code:
            state = evolve(greeted(scene), lang=code)
            words = scene.say("other_language", city=scene.city.name)
            return scene.turn(words, state=state, effects=(Handoff(f"language:{code}", skill=code),))
    if (
        scene.state.lang == "zh"
        and not scene.state.flow
        and scene.intent in {None, Intent.GREETING}
        and len(_LATIN.findall(text)) >= 1
    ):
        english = evolve(scene, state=evolve(scene.state, lang="en"))
        return scene.turn(greeting(english), state=evolve(greeted(english), lang="en"))
    return None


def modes(scene: Scene) -> Turn | None:
    """Change the view or the reminders on a word."""
    match scene.intent:
        case Intent.ELDERLY:
            return scene.turn(scene.say("elderly_on"), state=evolve(greeted(scene), elderly=True))
        case Intent.PLAIN:
            state = evolve(greeted(scene), elderly=False)
            return scene.turn(scene.say("elderly_off"), evolve(scene, state=state).say("menu"), state=state)
        case Intent.OPT_OUT:
            return scene.turn(scene.say("opted_out"), effects=(OptOut(out=True),))
        case Intent.OPT_IN:
            return scene.turn(scene.say("opted_in"), effects=(OptOut(out=False),))
        case _:
            return None


def elderly(scene: Scene) -> Turn | None:
    """Change to the elderly view by the menu's number."""
    if scene.reading.digit != MENU_ELDERLY or scene.state.flow:
        return None
    return scene.turn(scene.say("elderly_on"), state=evolve(greeted(scene), elderly=True))


def menu(scene: Scene) -> Turn | None:
    """Greet, or show the menu, when that is what was asked for."""
    if scene.intent not in {Intent.GREETING, Intent.MENU}:
        return None
    if not scene.state.welcomed:
        return scene.turn(greeting(scene), state=greeted(scene))
    return scene.turn(scene.say("menu"), state=idle(scene.state))


def empty(scene: Scene) -> Turn | None:
    """Say what to do when there was nothing to read."""
    reading = scene.reading
    if not reading.empty or reading.attachments or reading.place or reading.event:
        return None
    if not scene.state.welcomed:
        return scene.turn(greeting(scene), state=greeted(scene))
    return scene.turn(scene.say("empty"))


def fallback(scene: Scene) -> Turn:
    """Admit that it was not understood; the second time offer a person."""
    if not scene.state.welcomed:
        return scene.turn(greeting(scene), state=greeted(scene))
    misses = scene.state.misses + 1
    if misses >= MISSES:
        return scene.turn(
            scene.say("offer_human", hotline=scene.city.hotline), state=evolve(scene.state, misses=0)
        )
    return scene.turn(scene.say("not_understood"), state=evolve(scene.state, misses=misses))


def greeting(scene: Scene) -> str:
    """Return the greeting with the privacy line."""
    url = scene.city.privacy_url
    privacy = scene.say("privacy", url=url) if url else ""
    return scene.say("welcome", city=scene.city.name, hotline=scene.city.hotline, privacy=privacy)


def greeted(scene: Scene) -> State:
    """Return the state after the greeting: no question open, the notice's version on record."""
    return evolve(idle(scene.state), welcomed=True, notice_version=scene.city.notice_version)


def talked_to_bot(scene: Scene) -> bool:
    """Return whether the bot alone holds the conversation."""
    return scene.facts.owner is not Owner.QUEUED
