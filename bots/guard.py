"""Danger before all else (domain.md 4.3), and the temper of what is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import Alert, Handoff, Owner
from bots.scene import idle
from normalizer.emergency import EmergencyKind
from normalizer.evolve import evolve
from normalizer.tone import Tone

if TYPE_CHECKING:
    from bots.contract import Turn
    from bots.scene import Scene

SAFE = "safe"
"""The open question after a warning: are you safe?"""
_SAFE = re.compile("(?:已经?|现在|我)*(?:安全|没事|平安)了?[。！!]*")
_UNSAFE = re.compile("(?:还|我)*(?:不安全|危险|没有|不)[。！!]*")

_SOOTHE = {Tone.UPSET: "soothe_upset", Tone.ANGRY: "soothe_angry", Tone.ABUSIVE: "soothe_abusive"}


def danger(scene: Scene) -> Turn | None:
    """Warn, alert the people on duty and call a person, in any state."""
    emergency = scene.reading.emergency
    if emergency is None:
        return None
    own = emergency.kind is EmergencyKind.SELF_HARM
    words = scene.say("danger_self" if own else "danger")
    effects = (Alert(emergency), Handoff(f"danger:{emergency.kind}", urgent=True))
    # The answer about safety comes first; an order that was being filled in is kept and offered again.
    state = evolve(idle(scene.state), flow=SAFE, welcomed=True)
    return scene.turn(words, state=state, effects=effects)


def safe(scene: Scene) -> Turn | None:
    """Take the answer to "您现在安全吗"; anything else that is said is a message like any other."""
    if scene.state.flow != SAFE:
        return None
    digit, text = scene.reading.digit, scene.reading.matching
    if digit == 1 or _SAFE.fullmatch(text):
        return scene.turn(scene.say("danger_safe"), state=idle(scene.state))
    if digit == 2 or _UNSAFE.fullmatch(text):
        return scene.turn(scene.say("danger_unsafe"), state=idle(scene.state))
    return None


def soothing(scene: Scene) -> str:
    """Return the words that come before any question when somebody is upset, once in a talk; else nothing."""
    key = _SOOTHE.get(scene.reading.tone)
    return scene.say(key) if key and scene.state.insults == 0 else ""


def abuse(scene: Scene) -> Turn | None:
    """Ask politely for civility when there is nothing but insult; what has a matter in it is taken as one."""
    if scene.reading.tone is not Tone.ABUSIVE or len(scene.reading.text) > 20 or scene.reading.place_text():
        return None
    state = evolve(scene.state, insults=scene.state.insults + 1)
    return scene.turn(scene.say("soothe_abusive"), state=state)


def waits_for_person(scene: Scene) -> bool:
    """Return whether the conversation stands in the queue."""
    return scene.facts.owner is Owner.QUEUED
