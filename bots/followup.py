"""What a citizen does with a case that is under way: supplement, urge, withdraw. Never a new case (domain.md 1.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.contract import Act, AskOwn
from bots.intent import Intent
from bots.progress import line
from bots.scene import due_line, idle, tail, unit_of
from normalizer import numbers
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Role, Verb
from normalizer.evolve import evolve
from normalizer.moves import allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.contract import Ask, Turn
    from bots.scene import Scene

SUPPLEMENT, URGE, WITHDRAW = "supplement", "urge", "withdraw"
FLOWS = frozenset({SUPPLEMENT, URGE, WITHDRAW})
PICK, COLLECT, CONFIRM = "pick", "collect", "confirm"

CITIZEN = Actor(Role.CITIZEN)
_WHAT = {SUPPLEMENT: "补充", URGE: "催办", WITHDRAW: "撤回"}
_INTENTS = {Intent.SUPPLEMENT: SUPPLEMENT, Intent.URGE: URGE, Intent.WITHDRAW: WITHDRAW}
_MENU_SUPPLEMENT = 4


def asked(scene: Scene) -> Turn | Ask | None:
    """Begin one of the three with the case spoken of, the only open one, or a list."""
    flow = _INTENTS.get(scene.intent) if scene.intent else None
    if scene.reading.digit == _MENU_SUPPLEMENT and not scene.state.flow:
        flow = SUPPLEMENT
    if flow is None:
        return None
    if scene.facts.own is None:
        return AskOwn()
    cases = [case for case in scene.facts.own if case.stage in OPEN]
    spoken = [case for case in cases if case.case_no == scene.state.target]
    if not cases:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    if spoken or len(cases) == 1:
        return _BEGIN[flow](scene, (spoken or cases)[0])
    lines = "\n".join(f"{n} {line(case)}" for n, case in enumerate(cases, 1))
    choices = tuple(case.case_no for case in cases)
    state = evolve(idle(scene.state), flow=flow, step=PICK, choices=choices)
    return scene.turn(scene.say("pick", what=_WHAT[flow], lines=lines), state=state)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the one that is open."""
    state = scene.state
    if state.flow not in FLOWS:
        return None
    if scene.intent in {Intent.CANCEL, Intent.BACK, Intent.RESTART}:
        return scene.turn(scene.say("menu"), state=idle(state))
    if state.step == PICK:
        return _picked(scene)
    if state.step == COLLECT:
        return _collected(scene)
    return _confirmed(scene)


def _picked(scene: Scene) -> Turn | Ask:
    number = scene.reading.digit
    if number is None or not 1 <= number <= len(scene.state.choices):
        return scene.turn(scene.say("choose_number"))
    if scene.facts.own is None:
        return AskOwn()
    wanted = scene.state.choices[number - 1]
    case = next((case for case in scene.facts.own if case.case_no == wanted), None)
    if case is None:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    return _BEGIN[scene.state.flow](scene, case)


def _begin_supplement(scene: Scene, case: Case) -> Turn:
    state = evolve(idle(scene.state), flow=SUPPLEMENT, step=COLLECT, target=case.case_no)
    return scene.turn(scene.say("ask_supplement", tail=tail(case.case_no)), state=state)


def _collected(scene: Scene) -> Turn | Ask:
    state, reading = scene.state, scene.reading
    if reading.digit == 1 or (numbers.yes(reading.text) and state.collected):
        return _supplement(scene)
    if reading.empty and not reading.attachments and reading.place is None:
        return scene.turn(scene.say("nothing_supplemented"))
    first = not state.collected and not state.attachments
    words = reading.text or (reading.place.text if reading.place else "")
    state = evolve(
        state,
        collected=f"{state.collected}\n{words}".strip()[:2000],
        attachments=state.attachments + reading.attachments,
    )
    # A burst of photos is acknowledged once.
    return scene.turn(*([scene.say("got_supplement")] if first else []), state=state)


def _supplement(scene: Scene) -> Turn | Ask:
    state = scene.state
    if not state.collected and not state.attachments:
        return scene.turn(scene.say("nothing_supplemented"))
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=state.collected, attachments=state.attachments)
    return _act(
        scene,
        command,
        lambda case: scene.say(
            "supplemented", tail=tail(case.case_no), unit=unit_of(case), due=due_line(scene, case)
        ),
    )


def _begin_urge(scene: Scene, case: Case) -> Turn:
    command = Command(Verb.URGE, CITIZEN)
    refused = allowed(case, command, scene.now)
    state = evolve(idle(scene.state), target=case.case_no)
    if refused == "urged_lately":
        words = scene.say("urged_lately", unit=unit_of(case), due=due_line(scene, case))
        return scene.turn(words, state=state)
    if refused:
        return _not_now(scene, case)
    words = scene.say("urged", unit=unit_of(case), count=len(case.urges) + 1, due=due_line(scene, case))
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def _begin_withdraw(scene: Scene, case: Case) -> Turn:
    refused = allowed(case, Command(Verb.WITHDRAW, CITIZEN), scene.now)
    if refused == "report_under_check":
        return scene.turn(scene.say("withdraw_refused", tail=tail(case.case_no)), state=idle(scene.state))
    if refused:
        return _not_now(scene, case)
    state = evolve(idle(scene.state), flow=WITHDRAW, step=CONFIRM, target=case.case_no)
    return scene.turn(scene.say("confirm_withdraw", tail=tail(case.case_no)), state=state)


def _confirmed(scene: Scene) -> Turn | Ask:
    reading = scene.reading
    if reading.digit == 1 or reading.matching in {"y", "确认", "确认撤回", "是", "是的"}:
        command = Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回")
        return _act(scene, command, lambda case: scene.say("withdrawn", tail=tail(case.case_no)))
    if reading.digit == 2 or numbers.no(reading.text):
        return scene.turn(scene.say("not_withdrawn", tail=tail(scene.state.target)), state=idle(scene.state))
    return scene.turn(scene.say("confirm_withdraw", tail=tail(scene.state.target)))


def _act(scene: Scene, command: Command, words: Callable[[Case], str]) -> Turn | Ask:
    if scene.facts.own is None:
        return AskOwn()
    case = next((case for case in scene.facts.own if case.case_no == scene.state.target), None)
    if case is None:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    if allowed(case, command, scene.now):
        return _not_now(scene, case)
    state = evolve(idle(scene.state), target=case.case_no)
    return scene.turn(words(case), state=state, effects=(Act(case.case_no, case.rev, command),))


def _not_now(scene: Scene, case: Case) -> Turn:
    words = scene.say("not_now", tail=tail(case.case_no), stage=CITIZEN_LABELS[case.stage])
    return scene.turn(words, state=idle(scene.state))


_BEGIN: dict[str, Callable[[Scene, Case], Turn]] = {
    SUPPLEMENT: _begin_supplement,
    URGE: _begin_urge,
    WITHDRAW: _begin_withdraw,
}
