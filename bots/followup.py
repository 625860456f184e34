"""What a citizen does with a case that is under way: supplement, urge, withdraw, keep confidential. Never a new case (domain.md 1.11)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots import again, intake, progress, which
from bots.contract import Act, AskOwn
from bots.guard import soothing
from bots.intent import Intent
from bots.progress import listed, listed_of
from bots.scene import due_line, idle, tail, unit_of
from bots.state import Flow, Step
from normalizer import case_no, numbers
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Role, Verb
from normalizer.evolve import evolve
from normalizer.moves import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bots.contract import Ask, Turn
    from bots.scene import Scene
    from bots.state import State

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
_STAYS = frozenset(
    {"不撤", "不撤了", "别撤", "别撤了", "不撤回", "不撤回了", "先不撤", "先不撤了", "不要撤", "不要撤回"}
)
_MENDED = re.compile(
    "(?:(?:我|那|这)(?:个|件)?(?:事情?|问题)?)?(?:已经|已|都|终于|今天|昨天|刚才|刚刚|现在|有人来)*(?:给我)?"
    "(?:(?:修|弄|处理|解决|办|装|补|清理|恢复|搞|整)(?:好|完|掉|定|上)|解决|恢复|处理)了"
    "(?:[，,。!！ ]*(?:非常|太)?(?:谢谢|感谢|辛苦|满意|好了|不用(?:再|你们?)?(?:管|来|处理|办|查))(?:你们?|您们?|大家|政府|了|啦)*)*[。.!！~～]*"
)
_CORRECTS = re.compile(
    "(?:你好|您好|不好意思|对不起|[，, ])*(?:我)?(?:刚才|上次|之前|昨天|前面)?(?:的|反映的|报的|写的)?"
    "(?:地址|地点|位置|门牌号?|楼号|名字|姓名|称呼|时间|日期|内容|情况|车牌号?|号码)(?:写|填|说|发|报|留|弄)?(?:错了|不对|有误|反了)(?P<right>[，,。:： ]*\\S.{0,60})?"
)
_NO_MORE = re.compile("取消|不用|不需要|解除")
_MENU_SUPPLEMENT = 4
_MISSES = 2


_LISTS = frozenset(
    {Flow.NONE, Flow.PROGRESS, Flow.CODE, Flow.URGE, Flow.WITHDRAW, Flow.CONFIDE, Flow.CONSULT, Flow.RESUME}
)
"""Talks in which a case may be called by what it is about; what is being collected may contain any words."""


def meant(scene: Scene) -> Turn | Ask | None:
    """Begin one of them, or show how far it is, with the case that somebody calls by what it is about, or with all."""
    state = scene.state
    picks = state.flow is Flow.SUPPLEMENT and state.step is Step.PICK
    if scene.intent or not (state.flow in _LISTS or picks or state.flow is Flow.ORDER):
        return None
    wish = which.wish_of(scene.reading)
    if wish is None:
        return None
    if scene.facts.own is None:
        return AskOwn()
    return _meant(evolve(scene, intent=wish.intent, words=wish.said), wish)


def _meant(scene: Scene, wish: which.Wish) -> Turn | Ask | None:
    """Do what is wished; whoever calls none of his cases so is shown them where he can mean nothing else."""
    state, own = scene.state, scene.facts.own or ()
    surely = wish.marked and state.flow is Flow.NONE
    flow = _INTENTS.get(wish.intent) if wish.intent else state.flow
    if flow not in _BEGIN:
        case = which.named(wish.about, own)
        if case is not None:
            return progress.view(scene, case)
        return progress.asked(scene) if surely or (wish.intent and which.every(wish.about)) else None
    cases = _open(scene, flow)
    if which.every(wish.about) and cases:
        return _all(scene, flow, cases) if len(cases) > 1 else _BEGIN[flow](scene, cases[0])
    case = which.named(wish.about, cases)
    if case is not None:
        return _BEGIN[flow](scene, case)
    if not surely:
        return None
    return _list(scene, flow, cases) if cases else _none_open(scene)


def waited_for(scene: Scene) -> Turn | Ask | None:
    """Let somebody choose who only says that he waits, and has several cases under way."""
    reading = scene.reading
    if not _asks_own(scene) or not again.waits(reading.text) or reading.category()[0] or reading.place_text():
        return None
    if scene.facts.own is None:
        return AskOwn()
    cases = _open(scene)
    if len(cases) < 2 or again.named(reading.text, cases):
        return None
    turn = _list(evolve(scene, words=reading.text), Flow.URGE, cases)
    return scene.turn(soothing(scene), *turn.replies, state=turn.state) if soothing(scene) else turn


def mended(scene: Scene) -> Turn | Ask | None:
    """Ask whoever says that it is mended whether his case may end; who thanks for nothing of his is only thanked."""
    if not _asks_own(scene) or not _MENDED.fullmatch(scene.reading.matching):
        return None
    if scene.facts.own is None:
        return AskOwn()
    command = _commands(scene)[Flow.WITHDRAW]
    cases = [case for case in _open(scene) if scene.allows(case, command)]
    spoken = [case for case in cases if case.case_no == scene.state.target] or cases
    if not cases:
        return scene.turn(scene.say("thanks"), state=idle(scene.state))
    if len(spoken) > 1:
        return _list(evolve(scene, words=""), Flow.WITHDRAW, cases)
    number = spoken[0].case_no
    state = idle(scene.state, flow=Flow.WITHDRAW, step=Step.CONFIRM, target=number)
    return scene.turn(scene.say("mended", tail=tail(number)), state=state)


def corrected(scene: Scene) -> Turn | Ask | None:
    """Take what somebody sees that he said wrong for a supplement of his case."""
    found = _CORRECTS.fullmatch(scene.reading.text) if _asks_own(scene) else None
    if found is None:
        return None
    if scene.facts.own is None:
        return AskOwn()
    cases = _open(scene)
    if not cases:
        return None
    words = scene.reading.text if found["right"] else ""
    scene = evolve(scene, words=words)
    spoken = [case for case in cases if case.case_no == scene.state.target] or cases
    if len(spoken) > 1:
        return _list(scene, Flow.SUPPLEMENT, cases)
    return _begin_supplement(scene, spoken[0])


def _asks_own(scene: Scene) -> bool:
    """Return whether words may be about a case: nothing is open, and he has reported before."""
    state = scene.state
    return state.flow is Flow.NONE and scene.known and not scene.reading.attachments


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
    cases = _open(scene, flow)
    spoken = [case for case in cases if case.case_no == scene.state.target]
    if not cases:
        return _none_open(scene)
    if spoken or len(cases) == 1:
        return _BEGIN[flow](scene, (spoken or cases)[0])
    return _list(scene, flow, cases)


def _none_open(scene: Scene) -> Turn:
    return intake.unsent(scene) or scene.turn(scene.say("none_open"), state=idle(scene.state))


def _open(scene: Scene, flow: Flow = Flow.NONE) -> list[Case]:
    """Return his cases that are under way; what may be supplemented goes on after it ended for want of information."""
    command = Command(Verb.SUPPLEMENT, CITIZEN)
    return [
        case
        for case in scene.facts.own or ()
        if case.stage in OPEN or (flow is Flow.SUPPLEMENT and scene.allows(case, command))
    ]


def _list(scene: Scene, flow: Flow, cases: Sequence[Case]) -> Turn:
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
    if state.flow is Flow.WITHDRAW and state.step is Step.CONFIRM:
        return scene.turn(scene.say("not_withdrawn", tail=_asked_about(state)), state=idle(state))
    key = "supplement_dropped" if state.flow is Flow.SUPPLEMENT else "menu"
    return scene.turn(scene.say(key, hotline=scene.city.hotline), state=idle(state))


def _picked(scene: Scene) -> Turn | Ask:
    state = scene.state
    if scene.facts.own is None:
        return AskOwn()
    cases = listed_of(scene)
    if not cases:
        return scene.turn(scene.say("none_open"), state=idle(state))
    # What was said with the command goes with it.
    begun = evolve(scene, words=state.collected)
    if (case := progress.picked(scene, cases)) is not None:
        return _BEGIN[state.flow](begun, case)
    return (
        _all(begun, state.flow, cases)
        if which.every(scene.reading.matching)
        else _missed(scene, "choose_number")
    )


def _all(scene: Scene, flow: Flow, cases: Sequence[Case]) -> Turn:
    """Do it with all of some cases with which it can be done; a withdrawal is asked about once."""
    if flow is Flow.SUPPLEMENT:
        turn = _list(scene, flow, cases)
        return scene.turn(scene.say("one_by_one"), *turn.replies, state=turn.state)
    command = _commands(scene)[flow]
    fit = [case for case in cases if not allowed(case, command, scene.now)]
    if len(fit) < 2:
        return _BEGIN[flow](scene, (*fit, *cases)[0])
    tails = _tails(fit)
    if flow is Flow.WITHDRAW:
        these = tuple(case.case_no for case in fit)
        state = idle(scene.state, flow=flow, step=Step.CONFIRM, choices=these)
        return scene.turn(scene.say("confirm_withdraw", tail=tails), state=state)
    key = "urged_all" if flow is Flow.URGE else "confided"
    return _acted(scene, fit, command, scene.say(key, tail=tails))


def _commands(scene: Scene) -> dict[Flow, Command]:
    return {
        Flow.URGE: Command(Verb.URGE, CITIZEN, text=scene.words[:COLLECTED]),
        Flow.WITHDRAW: Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回"),
        Flow.CONFIDE: Command(Verb.SUPPLEMENT, CITIZEN, text="本人要求对个人信息保密", flag=True),
    }


def _tails(cases: Sequence[Case]) -> str:
    return tail(*(case.case_no for case in cases))


def _acted(scene: Scene, cases: Sequence[Case], command: Command, words: str) -> Turn:
    effects = tuple(Act(case.case_no, case.rev, command) for case in cases)
    return scene.turn(words, state=idle(scene.state), effects=effects)


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
    command = _commands(scene)[Flow.URGE]
    refused = allowed(case, command, scene.now)
    state = idle(scene.state, target=case.case_no)
    if refused == "urged_lately":
        words = scene.say("urged_lately", unit=unit_of(case), due=due_line(scene, case))
        return scene.turn(words, state=state)
    if refused:
        return _not_now(scene, case)
    # Whoever has several under way is told which it was.
    which_one = f"{tail(case.case_no)}，" if len(_open(scene)) > 1 else ""
    words = scene.say(
        "urged", which=which_one, unit=unit_of(case), count=len(case.urges) + 1, due=due_line(scene, case)
    )
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
    state, reading = scene.state, scene.reading
    tails = _asked_about(state)
    if reading.digit == 1 or reading.matching in _CONFIRMED or scene.intent is Intent.WITHDRAW:
        command = _commands(scene)[Flow.WITHDRAW]
        if not state.target:
            return _withdrawn(scene, command)
        return _act(scene, command, lambda told, case: told.say("withdrawn", tail=tail(case.case_no)))
    if reading.digit == 2 or reading.matching in _STAYS or numbers.no(reading.text) or state.misses:
        return scene.turn(scene.say("not_withdrawn", tail=tails), state=idle(state))
    return scene.turn(scene.say("confirm_withdraw", tail=tails), state=evolve(state, misses=1))


def _asked_about(state: State) -> str:
    return tail(state.target) if state.target else tail(*state.choices)


def _withdrawn(scene: Scene, command: Command) -> Turn | Ask:
    """Withdraw all that was asked about, of which some may have moved since."""
    if scene.facts.own is None:
        return AskOwn()
    fit = [case for case in listed_of(scene) if not allowed(case, command, scene.now)]
    if not fit:
        return scene.turn(scene.say("none_open"), state=idle(scene.state))
    return _acted(scene, fit, command, scene.say("withdrawn", tail=_tails(fit)))


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
