"""One person, several ways in: a code given here and sent from a telephone joins both (domain.md 4.4, YZ)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots.contract import AskBind, AskBindCode, Bind
from bots.intent import Intent

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene

_SIX = re.compile("[0-9]{6}")


def asked(scene: Scene) -> Turn | Ask | None:
    """Give a code to be sent from the telephone; whatever was being asked stays open."""
    if scene.intent is not Intent.BIND:
        return None
    if scene.sms:
        return scene.turn(scene.say("bind_here"))
    if not scene.city.sms_number:
        return scene.turn(scene.say("bind_unavailable"))
    if not scene.facts.bind_code:
        return AskBindCode()
    return scene.turn(scene.say("bind_code", code=scene.facts.bind_code, number=scene.city.sms_number))


def sent(scene: Scene) -> Turn | Ask | None:
    """Take a code that came by SMS; a wrong one says no more than that."""
    if not scene.sms or scene.intent is not Intent.VERIFY:
        return None
    hotline = scene.city.hotline
    code = re.sub("[ -]", "", scene.words)
    if not _SIX.fullmatch(code):
        return scene.turn(scene.say("bind_wrong"))
    if (bound := scene.facts.bound) is None:
        return AskBind(code)
    if bound.locked:
        return scene.turn(scene.say("bind_locked", hotline=hotline))
    if not bound.right:
        return scene.turn(scene.say("bind_wrong"))
    there = scene.say("bound_there", tail=scene.phone[-4:], hotline=hotline)
    return scene.turn(scene.say("bound"), effects=(Bind(there),))
