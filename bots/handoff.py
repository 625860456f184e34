"""One key to a person, in every state (GB/T 44189 6.2.2), and the wait for one, told truthfully."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.contract import AskQueue, Handoff, Owner, Turn, Unqueue
from bots.intent import Intent
from bots.scene import ZONE, idle
from normalizer.evolve import evolve
from normalizer.people import mask_phone, valid_phone

if TYPE_CHECKING:
    from bots.contract import Ask, QueueView
    from bots.scene import Scene

CALLBACK, NOTE = "callback", "note"
FLOWS = frozenset({CALLBACK, NOTE})

_WAIT_WORDS = frozenset({Intent.BACK, Intent.CANCEL, Intent.MENU, Intent.RESTART})


def asked(scene: Scene) -> Turn | Ask | None:
    """Put the conversation in the queue when a person is asked for, wherever the talk stands."""
    if scene.intent is not Intent.HUMAN:
        return None
    if scene.facts.queue is None:
        return AskQueue()
    waiting = scene.facts.owner is Owner.QUEUED
    words = scene.say(
        "still_queued" if waiting else "queued",
        ahead=scene.facts.queue.ahead,
        agents=_agents(scene, scene.facts.queue),
    )
    state = evolve(idle(scene.state), welcomed=True, heard=False)
    return scene.turn(words, state=state, effects=(Handoff("asked"),))


def waiting(scene: Scene) -> Turn | None:
    """Keep company in the queue: wait, call back, leave a message, or go back; else keep what is said."""
    if scene.facts.owner is not Owner.QUEUED or (scene.state.flow and scene.state.flow not in FLOWS):
        return None
    if scene.intent in _WAIT_WORDS:
        return scene.turn(scene.say("unqueued"), state=idle(scene.state), effects=(Unqueue(),))
    if scene.state.flow == CALLBACK:
        return _callback(scene)
    if scene.state.flow == NOTE:
        words = scene.say("note_taken")
        return scene.turn(words, state=evolve(idle(scene.state), heard=True), effects=(Handoff("note"),))
    return _chosen(scene)


def _chosen(scene: Scene) -> Turn | None:
    hotline = scene.city.hotline
    match scene.reading.digit:
        case 1:
            return scene.turn(scene.say("wait_on", hotline=hotline), state=evolve(scene.state, heard=True))
        case 2:
            return scene.turn(scene.say("ask_callback"), state=evolve(scene.state, flow=CALLBACK))
        case 3:
            return scene.turn(scene.say("ask_note"), state=evolve(scene.state, flow=NOTE))
        case _:
            return _kept(scene)


def _kept(scene: Scene) -> Turn | None:
    """Say once that it is kept; after that silence, because an agent will answer."""
    if scene.intent is not None and scene.intent is not Intent.GREETING:
        return None
    if scene.state.heard:
        return scene.turn()
    return scene.turn(scene.say("heard", hotline=scene.city.hotline), state=evolve(scene.state, heard=True))


def _callback(scene: Scene) -> Turn:
    phone = valid_phone(scene.reading.text) or next(
        (f.value for f in scene.reading.findings() if f.kind in {"phone", "landline"}), None
    )
    if phone is None:
        return scene.turn(scene.say("bad_phone"))
    words = scene.say("callback_noted", phone=mask_phone(phone), hotline=scene.city.hotline)
    state = evolve(idle(scene.state), heard=True)
    return scene.turn(words, state=state, effects=(Handoff("callback", phone=phone),))


def _agents(scene: Scene, queue: QueueView) -> str:
    if queue.agents:
        return scene.say("agents_some")
    return scene.say("agents_none", hotline=scene.city.hotline, when=_when(scene))


def _when(scene: Scene) -> str:
    seats = scene.city.seats
    if seats is None:
        return scene.say("hours_now")
    opens, closes = seats
    if opens <= scene.now.astimezone(ZONE).time() < closes:
        return scene.say("hours_now")
    return scene.say("hours_later", opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")
