"""A case that a letter is about: found by proof or by name, added to, and spoken of (domain.md 3.2 and 4.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots import rating, slots
from bots.contract import Act, Handoff, Link, Turn
from bots.intent import Intent
from bots.scene import Scene, idle
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Role, Stage, Verb
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.text import han_count

if TYPE_CHECKING:
    from bots.state import State
    from normalizer.case import Attachment

RATEABLE = frozenset({Stage.CLOSED_PENDING, Stage.VISITED})
CITIZEN = Actor(Role.CITIZEN)
REASON = 200
"""Characters of an objection that stand as its reason."""

TAG = re.compile(r"\[\s*12345\s*-\s*([0-9]{17})\s*\]")
_CONTENT = re.compile("谢|满意|解决了|办好了")
_DISCONTENT = re.compile("没|未|不|别|但|可是|还")


def spoken_of(scene: Scene) -> Case | None:
    """Return the sender's own case that the letter proves or names; one that is not his own is not told of."""
    tag = TAG.search(scene.reading.subject)
    named = scene.reading.about or (tag.group(1) if tag else "")
    return next((case for case in scene.facts.own or () if case.case_no == named), None)


def added(scene: Scene, case: Case, text: str, attachments: tuple[Attachment, ...]) -> Turn:
    """Add to a case of the sender's own; to one that ended it is an objection where the rules allow one."""
    if not text and not attachments:
        asked = (of(scene, "mail_supplement_how", case),) if scene.intent is Intent.SUPPLEMENT else ()
        return scene.turn(
            *asked, state=evolve(scene.state, target=case.case_no), effects=(Link(case.case_no),)
        )
    ended = case.stage not in OPEN
    thanks = scene.intent is Intent.THANKS or (_CONTENT.search(text) and not _DISCONTENT.search(text))
    if thanks and not attachments and (ended or scene.intent is Intent.THANKS):
        return scene.turn(effects=(Link(case.case_no),))
    for verb, key in _ADDING[ended]:
        command = Command(verb, CITIZEN, text=text, reason=mask(text)[:REASON], attachments=attachments)
        if scene.allows(case, command):
            if verb is not Verb.SUPPLEMENT and han_count(text) < slots.MIN_HAN:
                return scene.turn(of(scene, "mail_closed_short", case), effects=(Link(case.case_no),))
            return act(scene, case, command, of(scene, key, case), *unread(scene))
    return scene.turn(of(scene, "mail_ended", case), effects=(Link(case.case_no),))


_ADDING: dict[bool, tuple[tuple[Verb, str], ...]] = {
    False: ((Verb.SUPPLEMENT, "mail_supplemented"),),
    True: (
        (Verb.SUPPLEMENT, "mail_supplemented"),
        (Verb.OBJECT, "mail_objected"),
        (Verb.REWORK, "mail_reopened"),
    ),
}
"""What adding to a case may mean, by whether it has ended (domain.md 3.2 rows 4, 5, 10 and 34)."""


def added_by_another(scene: Scene, case: Case) -> Turn:
    """Add to a case what somebody writes who proved it by one of our letters; nothing of it is told."""
    reading = scene.reading
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=reading.text, attachments=reading.attachments)
    if not (reading.text or reading.attachments) or not scene.allows(case, command):
        return scene.turn(say(scene, "mail_ended_unshown"), effects=(Link(case.case_no),))
    words = scene.say("mail_supplemented", tail=case.case_no[-7:])
    return act(scene, case, command, words, *unread(scene))


def unread(scene: Scene) -> tuple[str, ...]:
    """Return what is said of a letter that could not be read whole."""
    return (scene.say("mail_damaged"),) if scene.reading.damaged else ()


def act(scene: Scene, case: Case, command: Command, *words: str) -> Turn:
    """Return the turn that carries a command out and says so."""
    state: State = idle(scene.state, target=case.case_no)
    damaged = (Handoff("damaged"),) if scene.reading.damaged else ()
    return scene.turn(*words, state=state, effects=(Act(case.case_no, case.rev, command), *damaged))


def of(scene: Scene, key: str, case: Case) -> str:
    """Return a paragraph with a case's number and stage."""
    stage = CITIZEN_LABELS[case.stage]
    return scene.say(key, tail=case.case_no[-7:], case_no=case.case_no, stage=stage)


def say(scene: Scene, key: str) -> str:
    """Return a paragraph with the hotline's number and hours."""
    return scene.say(key, hotline=scene.city.hotline, mail_hours=scene.city.mail_hours)


def scored(scene: Scene, case: Case, score: int, opinion: str) -> Turn:
    """Rate a case where it may be rated now."""
    done = rating.rated(scene, case, score, opinion)
    return done or scene.turn(scene.say("mail_nothing_to_rate"))
