"""Whether somebody reports one of his own cases once more, and what becomes of it then (重复诉求, domain.md 1.11).

He is asked, never told: what is the same matter is urged, supplemented, rated or handled anew, and no second case.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots import which
from bots.contract import Act, AskOwn
from bots.scene import called, day, due_line, idle, tail, unit_of
from bots.state import Flow, Order
from normalizer import numbers
from normalizer.case import CITIZEN_LABELS, OPEN, Actor, Case, Command, Matter, Role, Stage, Verb
from normalizer.duplicates import SAME, likeness, other_door, sketch
from normalizer.people import mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bots.contract import Turn
    from bots.scene import Scene
    from normalizer.duplicates import Sketch

ASKED = 0.4
"""From here on somebody is asked whether it is his own earlier matter; nothing follows from it but the question."""
WAITING = 40
"""Characters beyond which a complaint about waiting tells of more."""
ASKED_ON = timedelta(days=7)
"""Time in which words of doubt are about the last answer."""
TITLE, TITLE_SMS = 16, 8
COLLECTED = 2000
"""Characters of a supplement, as of a matter (domain.md 2.1)."""
ANSWER_SHOWN = 40
REASON = 200
"""Characters of the reason that others than the unit may read; it is masked."""

CITIZEN = Actor(Role.CITIZEN)
_WAITS = re.compile(
    "(?:到现在|怎么|为什么|为啥|都|这么久|这么多天|[几多半两三四五六七八九十0-9]+个?多?[天周月年]了?|还|一直|始终|仍然?)+[^，,。.!！]{0,4}"
    "(?:没|不见|不)(?:有|见)?(?:一个)?(?:人|动静|结果|消息|回音|下文|反应|处理|解决|修|管|来|办|弄|装|换|答复|回复|联系)"
    "|(?:到底|还)(?:管不管|有没有人管|修不修|办不办|处理不处理)|(?:没有?|无)人(?:管|理|问)|石沉大海|不了了之"
)
"""Somebody who waits for what he has reported."""
_DOUBTS = re.compile(
    "没(?:有)?(?:说|讲|写|解释|回答|答复|听|看|弄)(?:得)?(?:清楚|明白|到|懂|我)|不(?:明白|清楚|懂|对|是这样|满意|认可|同意)|看不懂|听不懂|什么意思|答非所问|到底|还是(?:不|没)|疑问|那我|我(?:这|的)种?情况"
)
"""Somebody whom an answer did not help."""
_SAME = re.compile(
    "(?:就?是|对)*(?:同一?(?:件|个|回)(?:事情?)?|一回事|一样的?|那(?:件|个)(?:事情?)?|它|上次的?(?:那个|事)?)的?[了吧啊呀]*"
)
_OTHER = re.compile(
    "(?:这|那)?(?:个|件)?(?:不是|不同|不一样|另外?的?(?:一)?(?:件|个)?|别的|新的?|其他的?|两(?:件|回)事)(?:事情?|同一?(?:件|个)|一件|一回事|那(?:个|件)|它)*的?[了吧啊呀]*"
)
_ANSWERED = frozenset({Stage.CLOSED_PENDING, Stage.VISITED})


def alike(scene: Scene, order: Order) -> Case | AskOwn | None:
    """Return his own case that a matter may be, None for none; only who has reported before is looked up."""
    if order.other or not order.text or not scene.known:
        return None
    if scene.facts.own is None:
        return AskOwn()
    could_be = [case for case in scene.facts.own if case.stage in OPEN or _reopens(scene, case, order)]
    case = _likest(scene, order, could_be, ASKED)
    case = case or _waited_for(order, [case for case in could_be if case.stage in OPEN])
    # Of whom information is wanted, he may be giving it; who was answered lately may ask on.
    case = case or next((case for case in could_be if case.stage is Stage.NEED_INFO), None)
    return case or next((case for case in scene.facts.own if _doubted(scene, order, case)), None)


def waits(text: str) -> bool:
    """Return whether somebody says that he waits for what he has reported, and little else."""
    return len(text) <= WAITING and _WAITS.search(text) is not None


def named(text: str, cases: Sequence[Case]) -> Case | None:
    """Return the one case that somebody names who says that he waits for it; None for none or several."""
    return which.named(_WAITS.sub(" ", text), cases)


def earlier(scene: Scene, order: Order) -> str:
    """Return the number of his ended case that a matter continues, empty for none; people see it beside the new one."""
    ended = [case for case in scene.facts.own or () if case.stage not in OPEN]
    case = _likest(scene, order, ended, SAME)
    return case.case_no if case else ""


def question(scene: Scene, case: Case) -> str:
    """Return the question whether a matter is the case."""
    stage = CITIZEN_LABELS[case.stage]
    title = called(case, TITLE_SMS if scene.sms else TITLE)
    return scene.say("again", day=day(case.created_at), title=title, tail=tail(case.case_no), stage=stage)


def answer(scene: Scene) -> bool | None:
    """Return whether it is the same, None when that is not said."""
    reading = scene.reading
    words = reading.matching.strip("。.!！,， ")
    if reading.digit == 1 or numbers.yes(reading.text) or _SAME.fullmatch(words):
        return True
    if reading.digit == 2 or numbers.no(reading.text) or _OTHER.fullmatch(words):
        return False
    return None


def same(scene: Scene, case: Case) -> Turn | None:
    """Do with the case what the rules say of a matter that is reported once more; None where they let nothing be done."""
    order = scene.state.order
    if case.stage in _ANSWERED:
        latest = case.replies[-1].text if case.replies else ""
        shown = latest if len(latest) <= ANSWER_SHOWN else f"{latest[:ANSWER_SHOWN]}…"
        said = scene.say("progress_latest", latest=shown).strip() if shown else ""
        state = idle(scene.state, order=Order(), flow=Flow.RATE, target=case.case_no)
        words = scene.say("ask_rating", tail=tail(case.case_no))
        return scene.turn(*([said] if said else []), words, state=state)
    if case.stage not in OPEN:
        return _done(scene, case, _rework(order), "again_rework")
    if not order.attachments and _only_waits(order, case):
        command = Command(Verb.URGE, CITIZEN, text=order.text[:COLLECTED])
        if scene.refusal(case, command) == "urged_lately":
            words = scene.say("urged_lately", unit=unit_of(case), due=due_line(scene, case))
            return scene.turn(words, state=idle(scene.state, order=Order(), target=case.case_no))
        if (done := _done(scene, case, command, "urged")) is not None:
            return done
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=order.text[:COLLECTED], attachments=order.attachments)
    return _done(scene, case, command, "supplemented")


def _done(scene: Scene, case: Case, command: Command, key: str) -> Turn | None:
    if not scene.allows(case, command):
        return None
    words = scene.say(
        key,
        which=f"{tail(case.case_no)}，",
        tail=tail(case.case_no),
        unit=unit_of(case),
        count=len(case.urges) + 1,
        due=due_line(scene, case),
    )
    state = idle(scene.state, order=Order(), target=case.case_no)
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def doubts(text: str) -> bool:
    """Return whether somebody says that an answer did not help him, and little else."""
    return len(text) <= WAITING and _DOUBTS.search(text) is not None


def answered_lately(scene: Scene, case: Case) -> bool:
    """Return whether a case was answered so lately that words of doubt are about its answer."""
    return (
        case.stage is Stage.ANSWERED and case.ended_at is not None and scene.now - case.ended_at <= ASKED_ON
    )


def _doubted(scene: Scene, order: Order, case: Case) -> bool:
    fits = not order.place and order.category in {"", case.matter.category}
    return fits and answered_lately(scene, case) and doubts(order.text)


def _reopens(scene: Scene, case: Case, order: Order) -> bool:
    # Photos cannot go with the wish to have it handled anew: with them it is a new case beside the old one.
    return not order.attachments and scene.allows(case, _rework(order))


def _rework(order: Order) -> Command:
    return Command(Verb.REWORK, CITIZEN, text=order.text[:COLLECTED], reason=mask(order.text)[:REASON])


def _likest(scene: Scene, order: Order, cases: Sequence[Case], least: float) -> Case | None:
    if not order.category or not cases:
        return None
    this = sketch(_matter(order), scene.now)
    scores = [(_likeness(this, sketch(case.matter, case.created_at)), case) for case in cases]
    score, best = max(scores, key=lambda pair: pair[0])
    return best if score >= least else None


def _likeness(this: Sketch, other: Sketch) -> float:
    """Return how likely two matters of one person are one; who names another door means another matter."""
    return 0.0 if other_door(this, other) else likeness(this, other)


def _waited_for(order: Order, cases: Sequence[Case]) -> Case | None:
    """Return the case that somebody complains to wait for, who says nothing else."""
    if order.place or not waits(order.text):
        return None
    could_be = [case for case in cases if order.category in {"", case.matter.category}]
    return could_be[0] if len(could_be) == 1 else named(order.text, could_be)


def _only_waits(order: Order, case: Case) -> bool:
    """Return whether a matter brings no new facts: it complains of waiting, or says again what the case says."""
    new, old = sketch(_matter(order), case.created_at), sketch(case.matter, case.created_at)
    known = len(new.pairs & old.pairs) >= 0.6 * len(new.pairs)
    return known or waits(order.text)


def _matter(order: Order) -> Matter:
    return Matter(
        original=order.text, place_text=order.place, category=order.category, lon=order.lon, lat=order.lat
    )
