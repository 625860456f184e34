"""Danger before all else (domain.md 4.3), and the temper of what is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import Alert, Appeal, Handoff
from bots.intent import Intent
from bots.scene import ZONE, day
from bots.state import Flow, Quiet
from normalizer.emergency import EmergencyKind
from normalizer.evolve import evolve
from normalizer.text import han_count
from normalizer.tone import Tone

if TYPE_CHECKING:
    from bots.contract import Turn
    from bots.scene import Scene
    from bots.state import State
    from normalizer.draft import CaseDraft

_APPEAL = re.compile(r"申诉|\bappeal\b")
_SAFE = re.compile("(?:我们?|现在|已经?|都|很)*(?:安全|没事|平安)了?[。！!]*")
_UNSAFE = re.compile("(?:我们?|现在|还|很)*(?:不安全|危险)[。！!]*|不[。！!]*")
_BARE, _SHORT = 6, 20
"""Chinese characters up to which an insult is nothing else, and up to which it may be."""

_SOOTHE = {Tone.UPSET: "soothe_upset", Tone.ANGRY: "soothe_angry", Tone.ABUSIVE: "soothe_abusive"}


def danger(scene: Scene) -> Turn | None:
    """Warn, alert the people on duty and call a person, in any state; the open question stays open."""
    emergency = scene.reading.emergency
    if emergency is None:
        return None
    own = emergency.kind is EmergencyKind.SELF_HARM
    words = scene.say("danger_self" if own else "danger")
    effects = (Alert(emergency), Handoff(f"danger:{emergency.kind}", urgent=True))
    return scene.turn(words, state=evolve(scene.state, alarmed=not own, heard=False), effects=effects)


def restricted(scene: Scene) -> Turn | None:
    """Say once what is restricted and until when, take an appeal, and else be silent; danger has passed before."""
    state = scene.state
    if state.quiet is Quiet.NO or state.quiet_until is None or scene.now >= state.quiet_until:
        return None
    if _APPEAL.search(scene.reading.matching):
        return scene.turn(scene.say("quiet_appeal"), effects=(Appeal(),))
    if state.quiet is Quiet.BOT_ONLY and scene.intent is not Intent.HUMAN:
        return None
    if state.quiet_told:
        return scene.turn()
    key = "quiet_bot" if state.quiet is Quiet.BOT_ONLY else "quiet_all"
    local = state.quiet_until.astimezone(ZONE)
    words = scene.say(key, until=f"{day(local)}{local:%H:%M}", hotline=scene.city.hotline)
    return scene.turn(words, state=evolve(state, quiet_told=True))


def safety(state: State, reading: CaseDraft) -> str:
    """Return the key of what is said to the answer to "您现在安全吗"; empty when it is none."""
    if not state.alarmed:
        return ""
    if reading.digit == 1 or _SAFE.fullmatch(reading.matching):
        return "danger_safe"
    return "danger_unsafe" if reading.digit == 2 or _UNSAFE.fullmatch(reading.matching) else ""


def calmed(state: State, reading: CaseDraft) -> State:
    """Return the state without the question about safety when something else is said: it is a message like any other."""
    return state if not state.alarmed or safety(state, reading) else evolve(state, alarmed=False)


def safe(scene: Scene) -> Turn | None:
    """Take the answer about safety when nothing else was being talked of."""
    key = safety(scene.state, scene.reading)
    return scene.turn(scene.say(key), state=evolve(scene.state, alarmed=False)) if key else None


def soothing(scene: Scene) -> str:
    """Return the words that come before any question when somebody is upset, once in a talk; else nothing."""
    key = _SOOTHE.get(scene.reading.tone)
    return scene.say(key) if key and scene.state.insults == 0 else ""


def abuse(scene: Scene) -> Turn | None:
    """Ask politely for civility when there is nothing but insult; what has a matter in it is taken as one."""
    reading, state = scene.reading, scene.state
    if reading.tone is not Tone.ABUSIVE or state.flow in _OPINIONS:
        return None
    if reading.attachments or (han_count(reading.text) > _BARE and _holds_a_matter(reading)):
        return None
    key = "soothe_abusive" if state.insults == 0 else "abuse_again"
    words = scene.say(key, hotline=scene.city.hotline)
    return scene.turn(words, state=evolve(state, insults=state.insults + 1))


def _holds_a_matter(reading: CaseDraft) -> bool:
    return len(reading.text) > _SHORT or bool(reading.category()[0] or reading.place_text())


_OPINIONS = frozenset({Flow.RATE, Flow.REASONS, Flow.NOTE, Flow.SUPPLEMENT})
"""Talks in which hard words are what was asked for."""
