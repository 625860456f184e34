"""The first words, the menu, and what is said when nothing else fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import Handoff, OptOut
from bots.intent import Intent
from bots.scene import idle
from bots.state import Flow
from normalizer import numbers
from normalizer.evolve import evolve
from normalizer.message import EventKind
from normalizer.text import han_count

if TYPE_CHECKING:
    from bots.contract import Turn
    from bots.scene import Scene
    from bots.state import State

_MENU_ELDERLY = 5
MISSES = 2
"""Times not understood before a person is offered."""
ENGLISH_WORDS = 2
HAN_IS_CHINESE = 2
"""Chinese characters after which somebody who wrote otherwise is answered in Chinese again."""

_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]{2,}|(?<![A-Za-z])[IiAa](?![A-Za-z])")
_OTHER = re.compile(
    "[\u0400-\u04ff\u0600-\u06ff\u0f00-\u0fff\u1800-\u18af\u3040-\u30ff\ua000-\ua48f\uac00-\ud7af]"
)
_SCRIPTS = (
    ("bo", "\u0f00", "\u0fff"),
    ("mn", "\u1800", "\u18af"),
    ("ug", "\u0600", "\u06ff"),
    ("ko", "\uac00", "\ud7af"),
    ("ii", "\ua000", "\ua48f"),
    ("ja", "\u3040", "\u30ff"),
    ("ru", "\u0400", "\u04ff"),
)


def in_chinese_again(state: State, text: str) -> State:
    """Return the state in Chinese for whoever writes Chinese, whatever was written before."""
    if state.lang == "zh" or han_count(text) < HAN_IS_CHINESE or _OTHER.search(text):
        return state
    return evolve(state, lang="zh")


def happened(scene: Scene) -> Turn | None:
    """Greet whoever follows us; say nothing to other events that are no wish."""
    event = scene.reading.event
    if event is None or scene.intent is not None:
        return None
    match event.event:
        case EventKind.SUBSCRIBE | EventKind.SCAN:
            return scene.turn(greeting(scene), state=greeted(scene))
        case EventKind.CLICK:
            return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(scene.state))
        case _:
            return scene.turn()


def language(scene: Scene) -> Turn | None:
    """Answer other scripts with the fixed line and a person who reads them, English in English (domain.md 4.2)."""
    text = scene.reading.text
    if not text or text.isdigit():
        return None
    if (found := _OTHER.search(text)) is not None:
        return _foreign(scene, found.group())
    if scene.state.flow is not Flow.NONE or _HAN.search(text) or len(_LATIN.findall(text)) < ENGLISH_WORDS:
        return None
    return None if scene.intent is not None and scene.intent is not Intent.GREETING else _english(scene)


def _foreign(scene: Scene, character: str) -> Turn | None:
    code = next(code for code, first, last in _SCRIPTS if first <= character <= last)
    if scene.state.lang == code and scene.queued:
        return None
    words = scene.say("other_language", city=scene.city.name, hotline=scene.city.hotline)
    state = idle(scene.state, lang=code, heard=True)
    return scene.turn(words, state=state, effects=(Handoff(f"language:{code}", skill=code),))


def _english(scene: Scene) -> Turn | None:
    state = idle(scene.state, lang="en")
    told = evolve(scene, state=state)
    if scene.intent is Intent.GREETING:
        return scene.turn(greeting(told), state=greeted(told))
    if scene.queued:
        return None
    words = told.say("english_matter", city=told.named, hotline=scene.city.hotline)
    # A case needs Chinese words; until somebody has read it, it is a person's.
    effects = (Handoff("language:en", skill="en"),)
    return scene.turn(words, state=evolve(state, heard=True), effects=effects)


def modes(scene: Scene) -> Turn | None:
    """Change the view or the reminders on a word; an open question stays open."""
    match scene.intent:
        case Intent.ELDERLY:
            return _elderly(scene)
        case Intent.PLAIN:
            state = evolve(scene.state, elderly=False)
            again = "" if state.flow else evolve(scene, state=state).say("menu", hotline=scene.city.hotline)
            return scene.turn(scene.say("elderly_off"), *([again] if again else []), state=state)
        case Intent.OPT_OUT:
            return scene.turn(scene.say("opted_out"), effects=(OptOut(out=True),))
        case Intent.OPT_IN:
            return scene.turn(scene.say("opted_in"), effects=(OptOut(out=False),))
        case _:
            return None


def elderly(scene: Scene) -> Turn | None:
    """Change to the elderly view by the menu's number."""
    chosen = scene.reading.digit == _MENU_ELDERLY and scene.state.flow is Flow.NONE
    return _elderly(scene) if chosen else None


def _elderly(scene: Scene) -> Turn:
    key = "elderly_on_again" if scene.state.flow else "elderly_on"
    return scene.turn(scene.say(key), state=evolve(scene.state, elderly=True))


def menu(scene: Scene) -> Turn | None:
    """Greet, or show the menu, when that is what was asked for."""
    if scene.intent is Intent.THANKS:
        return scene.turn(scene.say("thanks"))
    if scene.intent not in {Intent.GREETING, Intent.MENU, Intent.BACK, Intent.CANCEL, Intent.RESTART}:
        return None
    if scene.state.notice_version:
        words = scene.say("menu", hotline=scene.city.hotline)
        return scene.turn(words, state=idle(scene.state))
    return _first(scene)


def acknowledged(scene: Scene) -> Turn | None:
    """Say little to who says only that he has heard."""
    text = scene.reading.matching
    if scene.state.flow is not Flow.NONE or len(text) > HEARD or not _HEARD.fullmatch(text):
        return None
    return scene.turn(scene.say("noted"))


def empty(scene: Scene) -> Turn | None:
    """Say what to do when there was nothing to read."""
    reading = scene.reading
    if (
        scene.intent is not None
        or not reading.empty
        or reading.attachments
        or reading.place
        or reading.event
        or scene.state.flow
    ):
        return None
    return scene.turn(scene.say("empty")) if scene.state.notice_version else _first(scene)


_HEARD = re.compile(
    "(?:(?:嗯|哦|噢|喔|好|行|可以|ok|okay|收到|知道|明白|了解|清楚|晓得|这样啊|原来如此|没问题|没事)(?:了|啦|的|吧|嘞|哦|呀|啊)?[，,。.!！~～ ]*)+"
)
HEARD = 12
"""Characters beyond which nobody says only that he has heard."""
BEGINNING_HAN = 2
"""Chinese characters that may be the beginning of what somebody wants to say."""


def fallback(scene: Scene) -> Turn:
    """Ask to go on, or admit that it was not understood; the second time offer a person."""
    state, text = scene.state, scene.reading.text
    # People press send in mid sentence: it is kept for the next message.
    begins = han_count(text) >= BEGINNING_HAN and not (numbers.yes(text) or numbers.no(text))
    kept = text if begins else ""
    if not state.notice_version:
        first = _first(scene)
        return scene.turn(*first.replies, state=evolve(first.state, collected=kept))
    if state.misses + 1 >= MISSES:
        words = scene.say("offer_human", hotline=scene.city.hotline)
        return scene.turn(words, state=idle(state))
    missed = evolve(state, misses=state.misses + 1, collected=kept)
    return scene.turn(scene.say("go_on" if begins else "not_understood"), state=missed)


def _first(scene: Scene) -> Turn:
    latin = _LATIN.search(scene.reading.text) is not None
    hint = (scene.say("english_hint"),) if latin else ()
    return scene.turn(greeting(scene), *hint, state=greeted(scene))


def greeting(scene: Scene) -> str:
    """Return the greeting with the privacy line."""
    return _with_privacy(scene, "welcome")


def notice(scene: Scene) -> str:
    """Return the privacy line alone, for whoever comes straight to the matter (个保法 17)."""
    return _with_privacy(scene, "notice")


def _with_privacy(scene: Scene, key: str) -> str:
    city = scene.city
    privacy = scene.say("privacy", url=city.privacy_url) if city.privacy_url else ""
    return scene.say(key, city=scene.named, hotline=city.hotline, privacy=privacy)


def greeted(scene: Scene) -> State:
    """Return the state after the greeting: no question open, the notice's version on record."""
    return idle(scene.state, notice_version=scene.city.notice_version)
