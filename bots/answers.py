"""咨询: a question is answered from the knowledge base, or offered what is near, or registered (domain.md 4.2).

What tells of facts is taken as an order, however it is worded; an answer always offers the order, and a person.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bots import handoff, intake
from bots.contract import AskAnswers, AskEntry, Gap, Turn, Vote
from bots.intent import Intent
from bots.scene import idle
from bots.state import Flow, State, Step
from normalizer import numbers
from normalizer.evolve import evolve
from normalizer.people import mask
from normalizer.scope import beyond
from normalizer.text import for_matching, han_count

if TYPE_CHECKING:
    from bots.contract import Ask, Known
    from bots.scene import Scene
    from normalizer.draft import CaseDraft

OFFERED = 3
"""Near answers offered at once."""
LONGEST, BARE = 60, 20
"""Chinese characters beyond which a message tells a story, and up to which it may be a question and nothing else."""
QUESTION = 120
GAP = 60
"""Characters of a question that are looked up, and that are kept when it found no answer."""
HOLDS = timedelta(hours=1)
"""Time in which "解决了吗" may be answered; after it a digit is the answer to something newer."""

TITLE, TITLE_ELDERLY = 24, 14
"""Characters of a title that is offered."""

_MENU_ASK = 1
_MENU_BESIDES = frozenset({3, 4, 5})
"""Numbers of the menu that mean nothing while a question is waited for."""
_SOLVED, _UNSOLVED, _REPORT = 1, 2, 3
_LEAVE = frozenset({Intent.CANCEL, Intent.BACK})
_ASKS = re.compile(
    "怎么|怎样|如何|咋|哪里|哪儿|[去在到上归是找]哪|哪个|哪些|哪家|[找归问由联系跟和告诉]谁|谁[管来给能该]|什么|啥|多少|多久|多长|"
    "几[天点号个年岁次月档成]|之几|何时|能不能|可不可以|能否|可否|是否|是不是|要不要|需不需要|有没有|[吗呢么不][?？]?$|干嘛|[?？]|条件|流程|材料"
)
_MAY_ASK = frozenset("怎咋何哪谁啥什多几吗嘛呢么否不没?？条流材")
"""Every way to ask has one of these; looking for them first costs a matter that asks nothing next to nothing."""
_COMPLAINS = re.compile(
    "怎么(?:还|又|没|不|老|总|会|能|这么|那么|一直|就|都|可以|这样)|(?:什么时候|啥时候|何时|多久)(?:才|能|会|[^，。]{0,3}(?:解决|处理|整改|修|完工|动工|恢复))|"
    "为什么|为何|为啥|凭什么|怎么回事|什么意思|什么情况(?!该|下|要|打)|(?:没|没有|无)人(?:管|接|理|来|修)|什么破|不管|还没|还不|还在|至今|一直|多次|反复|"
    "已经[^，。？]{0,6}(?:天|周|月|年|次)|好几|天天|每天|经常|严重|(?:我要?|^)(?:投诉|举报|反映)(?!.{0,8}(?:怎么|找谁|哪|吗|几))|关于.*(?:投诉|举报|反映|建议|问题)|"
    "强烈|恳请|请求|希望|要求|建议|拖欠我|欠我|扰民|不给(?:解决|处理|修|办|看|退)|不让|拒绝|太[^，。]{0,3}了|能不能管|有没有人|管一管|麻烦(?:尽快|派)|尽快|赶紧|快来"
)
_CLAUSE = re.compile("[，,。；;！!？?\n]")
_YES = re.compile("(?:已经?|都)?(?:解决|明白|知道|清楚|懂|可以|没问题|没事)了?[。！!]*(?:谢谢|感谢)?.?")
_NO = re.compile(
    "(?:还是?)?(?:没|没有|未|不能)解决.{0,4}|(?:还是)?(?:不行|没用|不对|不明白|不清楚|看不懂|没懂|没听懂|不是我.{0,3}问的).{0,4}"
)
_REGISTER = re.compile("(?:请|帮我?|先|就|我要)*登记(?:下来|一下|吧|下)*")
_ASKED_AGAIN = frozenset({Step.CONFIRM, Step.PICK})


def asks(reading: CaseDraft) -> bool:
    """Return whether a message may be answered instead of taken: a short question that complains of nothing."""
    text = reading.matching
    if (
        _MAY_ASK.isdisjoint(text)
        or reading.digit is not None
        or reading.attachments
        or reading.place is not None
    ):
        return False
    if not intake.BEGIN_HAN <= han_count(text) <= LONGEST:
        return False
    return _ASKS.search(text) is not None and _COMPLAINS.search(text) is None


def _bare(reading: CaseDraft) -> bool:
    """Return whether a message that asks says nothing else."""
    return han_count(reading.text) <= BARE and _CLAUSE.search(reading.text.rstrip("。.?？!！")) is None


def without_stale(state: State, now: datetime) -> State:
    """Return the state without an answer that was given longer ago than its question holds."""
    if state.flow is not Flow.CONSULT or state.step not in _ASKED_AGAIN or state.at is None:
        return state
    return state if now - state.at <= HOLDS else idle(state)


def left(state: State, reading: CaseDraft, intent: Intent | None) -> bool:
    """Return whether an open consultation is left for something else."""
    if state.step not in _ASKED_AGAIN:
        if reading.digit in _MENU_BESIDES:
            return True
        return intake.is_matter(reading) and not intake.is_question(reading) and bool(reading.category()[0])
    if reading.digit is not None:
        return reading.digit > _choices(state)
    if reading.emergency is not None:
        # Danger is spoken of first, and the question stands.
        return False
    if intent in _LEAVE or intent is Intent.THANKS or _said(reading):
        return False
    return not (asks(reading) or intake.is_question(reading))


def asked(scene: Scene) -> Turn | Ask | None:
    """Answer a question, or ask for it where only the wish to put one was said."""
    state, reading = scene.state, scene.reading
    if state.flow is not Flow.NONE:
        return None
    if scene.sms:
        return intake.consulted(scene) or (_told(scene) if asks(reading) else None)
    if scene.intent is Intent.ASK or reading.digit == _MENU_ASK:
        return scene.turn(scene.say("ask_question"), state=idle(state, flow=Flow.CONSULT))
    wished = scene.intent is not None
    question = not wished and intake.is_question(reading) and han_count(reading.text) >= intake.BEGIN_HAN
    if (
        asks(reading)
        and (done := _told(scene, offers=question or (_bare(reading) and not wished))) is not None
    ):
        return done
    plain = question or (asks(reading) and _bare(reading) and not reading.category()[0])
    if not plain or wished:
        return None
    # For some questions there is another place to turn to.
    outside = beyond(reading.text) in scene.city.elsewhere
    return intake.reported(scene, reading.text) if outside else _unanswered(scene)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the consultation that is open."""
    if scene.state.flow is not Flow.CONSULT:
        return None
    if scene.intent in _LEAVE:
        return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(scene.state))
    if scene.intent is Intent.THANKS:
        return scene.turn(scene.say("thanks"), state=idle(scene.state))
    match scene.state.step:
        case Step.CONFIRM:
            return _judged(scene)
        case Step.PICK:
            return _picked(scene)
        case _:
            return _questioned(scene)


def _questioned(scene: Scene) -> Turn | Ask:
    """Take the question that was asked for, or what shall become of one that found no answer."""
    state, reading = scene.state, scene.reading
    if state.collected and (
        reading.digit == 1 or numbers.yes(reading.text) or _REGISTER.fullmatch(reading.text)
    ):
        return intake.registered(scene, state.collected)
    if state.collected and _NO.fullmatch(reading.matching):
        return _to_person(scene)
    if state.collected and numbers.no(reading.text):
        return scene.turn(scene.say("menu", hotline=scene.city.hotline), state=idle(state))
    if reading.digit == 2 or scene.intent is Intent.ASK:
        return scene.turn(scene.say("ask_question"), state=evolve(state, collected=""))
    if reading.empty or reading.digit is not None or scene.intent is not None:
        return scene.turn(scene.say("ask_question"))
    return _told(scene, offers=True) or _unanswered(scene)


def _judged(scene: Scene) -> Turn | Ask:
    """Take the answer to "解决了吗"."""
    reading = scene.reading
    if reading.digit == _SOLVED or _YES.fullmatch(reading.matching):
        vote = Vote(scene.state.target, helpful=True)
        return scene.turn(scene.say("answer_glad"), state=idle(scene.state), effects=(vote,))
    if reading.digit == _UNSOLVED or _NO.fullmatch(reading.matching):
        return _handed_off(scene)
    return _ordered(scene) if reading.digit == _REPORT else _asked_next(scene)


def _asked_next(scene: Scene) -> Turn | Ask:
    """Take what follows an answer and does not judge it: the next question."""
    if scene.intent is Intent.ASK:
        return scene.turn(scene.say("ask_question"), state=idle(scene.state, flow=Flow.CONSULT))
    return _told(scene, offers=True) or _unanswered(scene)


def _picked(scene: Scene) -> Turn | Ask:
    """Take the number of one of the answers that were offered."""
    state, digit = scene.state, scene.reading.digit
    if digit is None:
        return _asked_next(scene)
    if 1 <= digit <= len(state.choices):
        if scene.facts.answers is None:
            return AskEntry(state.choices[digit - 1])
        return (
            _answered(scene, scene.facts.answers[0], state.collected) if scene.facts.answers else _none(scene)
        )
    return _none(scene)


def _none(scene: Scene) -> Turn | Ask:
    """Register a question to which nothing that was offered is the answer."""
    return _with(_ordered(scene), Gap(_masked(scene.state.collected)))


def _told(scene: Scene, *, offers: bool = False) -> Turn | Ask | None:
    """Answer from the knowledge base, or offer what is near where that is wanted; None when it knows nothing."""
    found = scene.facts.answers
    if found is None:
        return AskAnswers(scene.reading.text[:QUESTION])
    if found and found[0].sure:
        return _answered(scene, found[0], scene.reading.text)
    return _offered(scene, found[:OFFERED]) if found and offers else None


def _answered(scene: Scene, known: Known, question: str) -> Turn:
    state = idle(
        scene.state, flow=Flow.CONSULT, step=Step.CONFIRM, target=known.entry, collected=question[:QUESTION]
    )
    return scene.turn(words(scene, known), scene.say("answer_solved"), state=state)


def letter(scene: Scene) -> str | Ask:
    """Return the answer that a letter's question gets beside its receipt, empty where there is none."""
    if not asks(scene.reading):
        return ""
    found = scene.facts.answers
    if found is None:
        return AskAnswers(scene.reading.text[:QUESTION])
    return words(scene, found[0]) if found and found[0].sure else ""


def words(scene: Scene, known: Known) -> str:
    """Return an answer with its source and its date."""
    basis = scene.say("answer_basis", basis=known.basis) if known.basis else ""
    updated = f"{known.updated:%Y-%m-%d}" if known.updated else ""
    return scene.say("answer", short=known.short, basis=basis, source=known.source, updated=updated)


def _offered(scene: Scene, found: tuple[Known, ...]) -> Turn:
    longest = TITLE_ELDERLY if scene.state.elderly else TITLE
    lines = "\n".join(f"{n} {known.title[:longest]}" for n, known in enumerate(found, 1))
    said = scene.say("answer_choose", lines=lines, none=len(found) + 1)
    choices = tuple(known.entry for known in found)
    state = idle(
        scene.state,
        flow=Flow.CONSULT,
        step=Step.PICK,
        choices=choices,
        collected=scene.reading.text[:QUESTION],
    )
    return scene.turn(said, state=state)


def _unanswered(scene: Scene) -> Turn:
    state = idle(scene.state, flow=Flow.CONSULT, collected=scene.reading.text)
    said = scene.say("no_answer", hours=scene.city.accept_hours)
    return scene.turn(said, state=state, effects=(Gap(_masked(scene.reading.text)),))


def _to_person(scene: Scene) -> Turn | Ask:
    done = handoff.asked(evolve(scene, intent=Intent.HUMAN))
    assert done is not None
    return done


def _handed_off(scene: Scene) -> Turn | Ask:
    return _with(_to_person(scene), Vote(scene.state.target, helpful=False))


def _ordered(scene: Scene) -> Turn | Ask:
    """Begin an order from the question: as the inquiry it is, or as the facts that it tells."""
    question = scene.state.collected
    told = evolve(scene.reading, text=question, matching=for_matching(question), digit=None)
    if intake.is_question(told) or not told.category()[0]:
        return intake.registered(scene, question)
    return intake.reported(evolve(scene, state=idle(scene.state)), question)


def _with(done: Turn | Ask, effect: Vote | Gap) -> Turn | Ask:
    return Turn(done.state, done.replies, (*done.effects, effect)) if isinstance(done, Turn) else done


def _masked(question: str) -> str:
    return mask(question)[:GAP]


def _said(reading: CaseDraft) -> bool:
    return bool(_YES.fullmatch(reading.matching) or _NO.fullmatch(reading.matching))


def _choices(state: State) -> int:
    return _REPORT if state.step is Step.CONFIRM else len(state.choices) + 1
