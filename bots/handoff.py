"""One key to a person, in every state (GB/T 44189 6.2.2), and the wait for one, told truthfully."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.contract import AskQueue, Handoff, Turn, Unqueue
from bots.intent import Intent
from bots.scene import ZONE, idle
from bots.state import Flow, Step
from bots.words import say
from normalizer.evolve import evolve
from normalizer.people import PersonalKind, mask_phone, valid_phone
from normalizer.text import han_count

if TYPE_CHECKING:
    from datetime import datetime

    from bots.contract import Ask, QueueView
    from bots.scene import Scene

CHOICES = frozenset({1, 2, 3})
"""Wait on, be called back, leave a message."""
MATTER_HAN = 8
"""Chinese characters that are a matter of their own."""
_BACK_WORDS = frozenset({Intent.BACK, Intent.CANCEL, Intent.MENU, Intent.RESTART})
_FLOWS = frozenset({Flow.NONE, Flow.CALLBACK, Flow.NOTE})
"""Talks that belong to the wait; in any other one the bot goes on while the citizen waits."""
_PHONES = frozenset({PersonalKind.PHONE, PersonalKind.LANDLINE})


def asked(scene: Scene) -> Turn | Ask | None:
    """Put the conversation in the queue when a person is asked for, wherever the talk stands."""
    if scene.intent is not Intent.HUMAN:
        return None
    if scene.facts.queue is None:
        return AskQueue()
    queued = scene.queued
    queue = scene.facts.queue
    words = scene.say("still_queued" if queued else "queued", ahead=queue.ahead, agents=_agents(scene, queue))
    # By SMS a bare digit is an answer only where something was asked; elsewhere the choices are always told.
    offered = scene.sms and (queued or queue.full)
    step = Step.PICK if offered else Step.NONE
    # Whoever waits already keeps his place, and what was noted with it.
    effects = () if queued else (Handoff("callback" if scene.phone else "asked", phone=scene.phone),)
    return scene.turn(words, state=idle(scene.state, heard=False, alarmed=False, step=step), effects=effects)


def waiting(scene: Scene) -> Turn | None:
    """Keep company in the queue: wait, call back, leave a message, or go back; else keep what is said."""
    flow = scene.state.flow
    if not scene.queued or flow not in _FLOWS:
        return None
    if scene.intent in _BACK_WORDS:
        if flow is Flow.NONE:
            return scene.turn(scene.say("unqueued"), state=idle(scene.state), effects=(Unqueue(),))
        return scene.turn(scene.say("wait_on", hotline=scene.city.hotline), state=idle(scene.state))
    if flow is Flow.CALLBACK:
        return _callback(scene)
    return _noted(scene) if flow is Flow.NOTE else _chosen(scene)


def _chosen(scene: Scene) -> Turn | None:
    digit = scene.reading.digit
    if scene.sms and digit is not None and not (scene.state.step is Step.PICK and digit in CHOICES):
        # No choices were offered; the digit may be a rating.
        return None
    match digit:
        case 1:
            words = scene.say("wait_on", hotline=scene.city.hotline)
            return scene.turn(words, state=idle(scene.state, heard=True))
        case 2 if scene.phone:
            return _called_back(scene, scene.phone)
        case 2:
            return scene.turn(scene.say("ask_callback"), state=idle(scene.state, flow=Flow.CALLBACK))
        case 3:
            return scene.turn(scene.say("ask_note"), state=idle(scene.state, flow=Flow.NOTE))
        case _:
            return _kept(scene)


def _kept(scene: Scene) -> Turn | None:
    """Say once that it is kept; after that silence, because a person will answer."""
    if scene.intent is not None and scene.intent not in {Intent.GREETING, Intent.THANKS}:
        return None
    if scene.state.heard:
        # By SMS nobody talks at once, so a matter that is told meanwhile is taken as one.
        return None if scene.sms and han_count(scene.reading.text) >= MATTER_HAN else scene.turn()
    return scene.turn(scene.say("heard", hotline=scene.city.hotline), state=evolve(scene.state, heard=True))


def _callback(scene: Scene) -> Turn:
    reading = scene.reading
    found = (finding.value for finding in reading.findings() if finding.kind in _PHONES)
    phone = valid_phone(reading.text) or next(found, None)
    if phone is None:
        misses = scene.state.misses + 1
        return scene.turn(
            scene.say("bad_phone" if misses == 1 else "ask_callback"),
            state=evolve(scene.state, misses=misses),
        )
    return _called_back(scene, phone)


def _called_back(scene: Scene, phone: str) -> Turn:
    words = scene.say("callback_noted", phone=mask_phone(phone), hotline=scene.city.hotline)
    return scene.turn(words, state=idle(scene.state, heard=True), effects=(Handoff("callback", phone=phone),))


def _noted(scene: Scene) -> Turn:
    if scene.reading.empty and not scene.reading.attachments:
        return scene.turn(scene.say("ask_note"))
    words = scene.say("note_taken")
    return scene.turn(words, state=idle(scene.state, heard=True), effects=(Handoff("note"),))


def _agents(scene: Scene, queue: QueueView) -> str:
    # One segment of a text message has no room for more, and the elderly view is half as long.
    brief = scene.sms or scene.state.elderly
    if queue.full:
        return scene.say("queue_full") + expected(scene.state.lang, None if brief else queue.wait)
    if scene.sms and scene.queued:
        return scene.say("wait_choices")
    if queue.agents:
        return scene.say("agents_some") + expected(scene.state.lang, None if brief else queue.wait)
    return scene.say("agents_none", hotline=scene.city.hotline, when=_when(scene, queue))


def expected(lang: str, wait: tuple[int, int] | None) -> str:
    """Return the words for a band of minutes, none when nobody knows."""
    if wait is None:
        return ""
    low, high = wait
    words = "wait_long" if not high else "wait_band" if low else "wait_short"
    return say(lang, words, low=low, high=high)


def _when(scene: Scene, queue: QueueView) -> str:
    """Return when somebody will be there: what is known, and no more."""
    if queue.opens is not None:
        if queue.opens <= scene.now:
            return scene.say("hours_now")
        return scene.say("hours_next", opens=_moment(queue.opens, scene.now))
    seats = scene.city.seats
    if seats is None:
        return scene.say("hours_now")
    opens, closes = seats
    if opens <= scene.now.astimezone(ZONE).time() < closes:
        return scene.say("hours_now")
    return scene.say("hours_later", opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")


def _moment(opens: datetime, now: datetime) -> str:
    """Return an instant in the words of the day: 今天, 明天, else the date."""
    local = opens.astimezone(ZONE)
    days = (local.date() - now.astimezone(ZONE).date()).days
    day = ("今天", "明天")[days] if days < 2 else f"{local.month}月{local.day}日"
    return f"{day}{local:%H:%M}"
