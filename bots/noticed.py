"""What somebody answers to a notice of his case: the information that was asked for, and that he objects (domain.md 3.2, rows 4, 5, 10, 34)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bots import again, intake, progress
from bots.contract import Act, AskOwn
from bots.intent import Intent
from bots.scene import due_line, idle, tail, unit_of
from bots.shape import shape_of
from bots.state import Flow, Step
from normalizer.case import OPEN, Actor, Case, Command, Role, Stage, Verb
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.text import han_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bots.contract import Ask, Turn
    from bots.scene import Scene

COLLECTED = 2000
"""Characters of a supplement, as of a matter (domain.md 2.1)."""
REASON = 200
SHORTEST = 2
"""Chinese characters that say why somebody objects."""

CITIZEN = Actor(Role.CITIZEN)
_OBJECTS = re.compile(
    "(?:我)?(?:要|想|对此|对这个|对你们的?|对结果|对处理结果|表示)*(?:有|提出?|提起)?(?:个|一个)?(?:异议|不服)(?:[，,。:： ]+(?P<why>\\S.*))?[。.!！]*",
    re.DOTALL,
)
_LEAVE = frozenset({Intent.CANCEL, Intent.BACK})


def objects(scene: Scene) -> Turn | Ask | None:
    """Take an objection to a refusal, or to what was closed lately, and look at it again; without a reason ask for it."""
    state = scene.state
    found = _OBJECTS.fullmatch(scene.reading.text) if state.flow in {Flow.NONE, Flow.PROGRESS} else None
    if found is None:
        return None
    if scene.facts.own is None:
        return AskOwn()
    cases = _open_to_objection(scene)
    if not cases:
        return scene.turn(scene.say("nothing_to_object", hotline=scene.city.hotline), state=idle(state))
    why = found["why"] or ""
    spoken = [case for case in cases if case.case_no == state.target] or cases
    if len(spoken) > 1:
        lines, choices = progress.listed(scene, spoken)
        picking = idle(state, flow=Flow.OBJECT, step=Step.PICK, choices=choices, collected=why)
        return scene.turn(scene.say("pick", what="提出异议", lines=lines), state=picking)
    return _objected(scene, spoken[0], why)


def objecting(scene: Scene) -> Turn | Ask | None:
    """Take the case that is objected to, or the reason."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.OBJECT:
        return None
    if scene.intent in _LEAVE:
        return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(state))
    if scene.facts.own is None:
        return AskOwn()
    cases = _open_to_objection(scene)
    case = progress.picked(scene, cases) if state.step is Step.PICK else _spoken_of(scene, cases)
    if case is not None:
        return _objected(scene, case, state.collected if state.step is Step.PICK else reading.text)
    if state.step is Step.PICK:
        return _missed(scene, "choose_number")
    return scene.turn(scene.say("nothing_to_object", hotline=scene.city.hotline), state=idle(state))


def _spoken_of(scene: Scene, cases: Sequence[Case]) -> Case | None:
    return next((case for case in cases if case.case_no == scene.state.target), None)


def supplied(scene: Scene) -> Turn | Ask | None:
    """Take what is sent while a case waits for information for that; a matter of another sort is one of its own."""
    state, reading = scene.state, scene.reading
    told = reading.attachments or reading.place or not reading.empty
    if state.flow is not Flow.NONE or not scene.known or not told:
        return None
    if scene.intent or reading.digit is not None or reading.event or intake.is_question(reading):
        return None
    if again.waits(reading.text):
        return None
    if scene.facts.own is None:
        return AskOwn()
    words = reading.text or (reading.place.text if reading.place else "")
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=words[:COLLECTED], attachments=reading.attachments)
    # What looks like an answer is one, whatever its words are of.
    category = "" if shape_of(reading) is not None else reading.category()[0]
    waiting = [
        case
        for case in scene.facts.own
        if case.stage in {Stage.NEED_INFO, Stage.TERMINATED}
        and scene.allows(case, command)
        and category in {"", case.matter.category}
    ]
    if not waiting:
        return None
    case = next((each for each in waiting if each.case_no == state.target), waiting[0])
    # Photos that follow closely go the same way.
    after = idle(state, target=case.case_no, step=Step.DONE)
    said = scene.say("info_taken", tail=tail(case.case_no), unit=unit_of(case), due=due_line(scene, case))
    return scene.turn(said, state=after, effects=(Act(case.case_no, case.rev, command),))


def doubted(scene: Scene) -> Turn | Ask | None:
    """Take words of doubt about an answer that was given lately for the beginning of an inquiry about it."""
    free = scene.state.flow is Flow.NONE and scene.intent is None and scene.known
    if not free or not again.doubts(scene.reading.text):
        return None
    if scene.facts.own is None:
        return AskOwn()
    if not any(again.answered_lately(scene, case) for case in scene.facts.own):
        return None
    return intake.reported(scene, scene.reading.text)


def _open_to_objection(scene: Scene) -> Sequence[Case]:
    """Return those of his cases that an objection moves."""
    probe = "x" * SHORTEST
    return [
        case
        for case in scene.facts.own or ()
        if case.stage not in OPEN and any(scene.allows(case, command) for command in _commands(probe))
    ]


def _commands(why: str) -> tuple[Command, ...]:
    reason = mask(why)[:REASON]
    return tuple(
        Command(verb, CITIZEN, text=why[:COLLECTED], reason=reason) for verb in (Verb.OBJECT, Verb.REWORK)
    )


def _objected(scene: Scene, case: Case, why: str) -> Turn:
    if han_count(why) < SHORTEST:
        state = idle(scene.state, flow=Flow.OBJECT, step=Step.COLLECT, target=case.case_no)
        if scene.state.step is Step.COLLECT:
            return _missed(scene, "ask_objection")
        return scene.turn(scene.say("ask_objection", tail=tail(case.case_no)), state=state)
    command = next(command for command in _commands(why) if scene.allows(case, command))
    key = "objected" if command.verb is Verb.OBJECT else "again_rework"
    state = idle(scene.state, target=case.case_no)
    words = scene.say(key, tail=tail(case.case_no))
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def _missed(scene: Scene, key: str) -> Turn:
    state = scene.state
    if state.misses:
        return scene.turn(scene.say("offer_human", hotline=scene.city.hotline), state=idle(state))
    return scene.turn(scene.say(key, tail=tail(state.target)), state=evolve(state, misses=1))
