"""What a citizen does with a case that is under way: supplement, urge, withdraw, keep confidential. Never a new case (domain.md 1.11)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots import intake
from bots.contract import Act, AskOwn
from bots.intent import Intent
from bots.progress import listed
from bots.scene import due_line, idle, tail, unit_of
from bots.state import Flow, Step
from normalizer import case_no, numbers
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Role, Verb
from normalizer.evolve import evolve
from normalizer.moves import allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.contract import Ask, Turn
    from bots.scene import Scene

AFTERWARDS = timedelta(minutes=10)
"""Time in which photos that follow an order belong to it."""
BURST = timedelta(seconds=60)
COLLECTED = 2000
"""Characters of a supplement, as of a matter (domain.md 2.1)."""

CITIZEN = Actor(Role.CITIZEN)
_FLOWS = frozenset({Flow.SUPPLEMENT, Flow.URGE, Flow.WITHDRAW, Flow.CONFIDE})
_WHAT = {Flow.SUPPLEMENT: "补充", Flow.URGE: "催办", Flow.WITHDRAW: "撤回", Flow.CONFIDE: "保密"}
_INTENTS = {
    Intent.SUPPLEMENT: Flow.SUPPLEMENT,
    Intent.URGE: Flow.URGE,
    Intent.WITHDRAW: Flow.WITHDRAW,
    Intent.CONFIDE: Flow.CONFIDE,
}
_LEAVE = frozenset({Intent.CANCEL, Intent.BACK, Intent.RESTART})
_CONFIRMED = frozenset({"y", "yes", "确认", "确认撤回", "确定", "确定撤回", "是", "是的", "撤回"})
_FINISHED = frozenset({"完成", "完成了", "完了", "发完了", "好了", "没了", "没有了", "就这些"})
_NO_MORE = re.compile("取消|不用|不需要|解除")
_MENU_SUPPLEMENT = 4
_MISSES = 2


def asked(scene: Scene) -> Turn | Ask | None:
    """Begin one of them with the case that is named or spoken of, the only open one, or a list."""
    flow = _INTENTS.get(scene.intent) if scene.intent else None
    if scene.reading.digit == _MENU_SUPPLEMENT and scene.state.flow is Flow.NONE:
        flow = Flow.SUPPLEMENT
    if flow is None:
        return None
    if scene.facts.own is None:
        return AskOwn()
    if scene.number:
        return _named(scene, flow, scene.facts.own)
    cases = [case for case in scene.facts.own if case.stage in OPEN]
    spoken = [case for case in cases if case.case_no == scene.state.target]
    if not cases:
        return intake.unsent(scene) or scene.turn(scene.say("none_open"), state=idle(scene.state))
    if spoken or len(cases) == 1:
        return _BEGIN[flow](scene, (spoken or cases)[0])
    lines, choices = listed(scene, cases)
    state = idle(scene.state, flow=flow, step=Step.PICK, choices=choices, collected=scene.words[:COLLECTED])
    return scene.turn(scene.say("pick", what=_WHAT[flow], lines=lines), state=state)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the one that is open."""
    state = scene.state
    if state.flow not in _FLOWS:
        return None
    if scene.intent in _LEAVE:
        return _left(scene)
    if state.step is Step.PICK:
        return _picked(scene)
    return _collected(scene) if state.step is Step.COLLECT else _confirmed(scene)


def sent_after(scene: Scene) -> Turn | None:
    """Take photos that follow an order closely as a supplement to it, not as a new matter."""
    state, reading = scene.state, scene.reading
    if state.step is not Step.DONE or state.at is None or scene.now - state.at > AFTERWARDS:
        return None
    if not reading.attachments or reading.text:
        return None
    state = idle(
        state,
        flow=Flow.SUPPLEMENT,
        step=Step.COLLECT,
        target=state.target,
        attachments=reading.attachments,
        burst=scene.now,
    )
    return scene.turn(scene.say("got_supplement"), state=state)


def _named(scene: Scene, flow: Flow, own: tuple[Case, ...]) -> Turn:
    if len(scene.number) == case_no.LENGTH and case_no.parse(scene.number) is None:
        return scene.turn(scene.say("bad_number"), state=idle(scene.state))
    case = next((case for case in own if case.case_no.endswith(scene.number)), None)
    if case is not None:
        return _BEGIN[flow](scene, case)
    return scene.turn(scene.say("unknown_tail", tail=scene.number[-7:]), state=idle(scene.state))


def _left(scene: Scene) -> Turn:
    state = scene.state
    if state.flow is Flow.WITHDRAW and state.target:
        return scene.turn(scene.say("not_withdrawn", tail=tail(state.target)), state=idle(state))
    key = "supplement_dropped" if state.flow is Flow.SUPPLEMENT else "menu"
    return scene.turn(scene.say(key, hotline=scene.city.hotline), state=idle(state))


def _picked(scene: Scene) -> Turn | Ask:
    number = scene.reading.digit
    if number is None or not 1 <= number <= len(scene.state.choices):
        return _missed(scene, "choose_number")
    if scene.facts.own is None:
        return AskOwn()
    wanted = scene.state.choices[number - 1]
    case = next((case for case in scene.facts.own if case.case_no == wanted), None)
    if case is None:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    # What was said with the command goes with it.
    return _BEGIN[scene.state.flow](evolve(scene, words=scene.state.collected), case)


def _missed(scene: Scene, key: str) -> Turn:
    misses = scene.state.misses + 1
    if misses >= _MISSES:
        return scene.turn(scene.say("offer_human", hotline=scene.city.hotline), state=idle(scene.state))
    return scene.turn(scene.say(key), state=evolve(scene.state, misses=misses))


def _begin_supplement(scene: Scene, case: Case) -> Turn:
    if allowed(case, Command(Verb.SUPPLEMENT, CITIZEN), scene.now):
        return _not_now(scene, case)
    state = idle(scene.state, flow=Flow.SUPPLEMENT, step=Step.COLLECT, target=case.case_no)
    if scene.words:
        command = Command(Verb.SUPPLEMENT, CITIZEN, text=scene.words[:COLLECTED])
        return _done(scene, case, command, _supplemented(scene, case))
    return scene.turn(scene.say("ask_supplement", tail=tail(case.case_no)), state=state)


def _collected(scene: Scene) -> Turn | Ask:
    state, reading = scene.state, scene.reading
    told = bool(state.collected or state.attachments)
    finished = reading.digit == 1 or (told and (_finished(reading.text) or numbers.yes(reading.text)))
    if finished:
        return _supplement(scene)
    words = reading.text or (reading.place.text if reading.place else "")
    if not words and not reading.attachments:
        return scene.turn(scene.say("nothing_supplemented"))
    if scene.sms:
        # One text message is the whole of it.
        return _supplement(evolve(scene, state=evolve(state, collected=words[:COLLECTED])))
    # What comes in one go is acknowledged once.
    quiet = told and state.burst is not None and scene.now - state.burst <= BURST
    state = evolve(
        state,
        collected=f"{state.collected}\n{words}".strip()[:COLLECTED],
        attachments=state.attachments + reading.attachments,
        burst=scene.now,
    )
    return scene.turn(*(() if quiet else (scene.say("got_supplement"),)), state=state)


def _finished(text: str) -> bool:
    return text.strip("。！!，, ") in _FINISHED


def _supplement(scene: Scene) -> Turn | Ask:
    state = scene.state
    if not state.collected and not state.attachments:
        return scene.turn(scene.say("nothing_supplemented"))
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=state.collected, attachments=state.attachments)
    return _act(scene, command, _supplemented)


def _supplemented(scene: Scene, case: Case) -> str:
    return scene.say("supplemented", tail=tail(case.case_no), unit=unit_of(case), due=due_line(scene, case))


def _begin_urge(scene: Scene, case: Case) -> Turn:
    command = Command(Verb.URGE, CITIZEN, text=scene.words[:COLLECTED])
    refused = allowed(case, command, scene.now)
    state = idle(scene.state, target=case.case_no)
    if refused == "urged_lately":
        words = scene.say("urged_lately", unit=unit_of(case), due=due_line(scene, case))
        return scene.turn(words, state=state)
    if refused:
        return _not_now(scene, case)
    words = scene.say("urged", unit=unit_of(case), count=len(case.urges) + 1, due=due_line(scene, case))
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def _begin_confide(scene: Scene, case: Case) -> Turn:
    """Make the case confidential at once; taking that back is left to an agent, who reads the wish in the log."""
    no_more = _NO_MORE.search(scene.words) is not None
    wish = "本人不再要求保密" if no_more else "本人要求对个人信息保密"
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=wish, flag=not no_more)
    if allowed(case, command, scene.now):
        return _not_now(scene, case)
    key = "confided_no_more" if no_more else "confided"
    return _done(scene, case, command, scene.say(key, tail=tail(case.case_no)))


def _done(scene: Scene, case: Case, command: Command, words: str) -> Turn:
    state = idle(scene.state, target=case.case_no)
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def _begin_withdraw(scene: Scene, case: Case) -> Turn:
    refused = allowed(case, Command(Verb.WITHDRAW, CITIZEN), scene.now)
    if refused == "report_under_check":
        return scene.turn(scene.say("withdraw_refused", tail=tail(case.case_no)), state=idle(scene.state))
    if refused:
        return _not_now(scene, case)
    state = idle(scene.state, flow=Flow.WITHDRAW, step=Step.CONFIRM, target=case.case_no)
    return scene.turn(scene.say("confirm_withdraw", tail=tail(case.case_no)), state=state)


def _confirmed(scene: Scene) -> Turn | Ask:
    reading = scene.reading
    if reading.digit == 1 or reading.matching in _CONFIRMED or scene.intent is Intent.WITHDRAW:
        command = Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回")
        return _act(scene, command, lambda told, case: told.say("withdrawn", tail=tail(case.case_no)))
    if reading.digit == 2 or numbers.no(reading.text) or scene.state.misses:
        return scene.turn(scene.say("not_withdrawn", tail=tail(scene.state.target)), state=idle(scene.state))
    words = scene.say("confirm_withdraw", tail=tail(scene.state.target))
    return scene.turn(words, state=evolve(scene.state, misses=1))


def _act(scene: Scene, command: Command, words: Callable[[Scene, Case], str]) -> Turn | Ask:
    if scene.facts.own is None:
        return AskOwn()
    case = next((case for case in scene.facts.own if case.case_no == scene.state.target), None)
    if case is None:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    if allowed(case, command, scene.now):
        return _not_now(scene, case)
    return _done(scene, case, command, words(scene, case))


def _not_now(scene: Scene, case: Case) -> Turn:
    words = scene.say("not_now", tail=tail(case.case_no), stage=CITIZEN_LABELS[case.stage])
    return scene.turn(words, state=idle(scene.state))


_BEGIN: dict[Flow, Callable[[Scene, Case], Turn]] = {
    Flow.SUPPLEMENT: _begin_supplement,
    Flow.URGE: _begin_urge,
    Flow.WITHDRAW: _begin_withdraw,
    Flow.CONFIDE: _begin_confide,
}
