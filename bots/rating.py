"""Five levels, one per case and round; a low one says why and opens a rework (好差评, domain.md 2.2)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bots.contract import Act, AskOwn
from bots.intent import Intent
from bots.scene import idle, tail
from bots.state import Flow
from normalizer.case import Actor, Case, Command, Role, Stage, Verb
from normalizer.codes import SATISFACTION_LABELS
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from bots.contract import Ask, Turn
    from bots.scene import Scene
    from bots.state import State
    from normalizer.draft import CaseDraft

LOW = 2
OTHER_REASON = 6
QUESTION_HOLDS = timedelta(days=7)
"""Time in which a bare digit answers the question (domain.md 4.4)."""
OPINION = 500

CITIZEN = Actor(Role.CITIZEN)
_FLOWS = frozenset({Flow.RATE, Flow.REASONS})
_LEAVE = frozenset({Intent.CANCEL, Intent.BACK})
_PJ = re.compile(r"(?:pj|评价|打分)[\s:：]*([1-5一二三四五])(?:分|星)?[\s,，。:：]*(.*)", re.DOTALL)
_NUMERALS = {c: n for n, c in enumerate("一二三四五", 1)}
_WORDS = {label: score for score, label in SATISFACTION_LABELS.items()}
_POLITE = re.compile("^(?:我|总体|比较|还算|挺)*|[。！!了吧啊的]*$")
FELT = 60
"""Characters beyond which words tell more than how somebody was served."""
FELT_LATER = 16
"""The same where nothing but a notice asked: more may be another matter."""
_FEELS = (
    (1, re.compile("(?:非常|太|极|十分|特别|很)(?:不满|差|失望|垃圾)|极差|差评|垃圾|骗人")),
    (
        2,
        re.compile(
            "不满意?|不行|不好|失望|(?:没|没有|未)人?(?:给|来)?(?:解决|修|办|处理|弄|来|联系|管)|还是(?:不|没|老样子)|推诿|敷衍|糊弄|应付|踢皮球|太慢|态度|没用|差劲"
        ),
    ),
    (3, re.compile("还行|一般|凑合|还可以|马马虎虎|勉强|基本满意")),
    (5, re.compile("(?:非常|十分|特别)满意|太好了|点赞|好评")),
    (4, re.compile("满意|不错|很好|挺好|(?:解决|修好|弄好|办好|处理好)了")),
)
"""Words that rate, the worst first: who is content with one thing and not with another is not content."""
_REASONS = re.compile(r"(?:[1-6][\s,，、.和]*)+")
_REASON_WORDS = {
    1: re.compile("没(?:有)?(?:人)?(?:联系|打电话|来)|未联系"),
    2: re.compile("没(?:有)?(?:解决|修|办|处理|弄)|未解决|还是(?:老样子|没)|没用"),
    3: re.compile("推诿|敷衍|踢皮球|糊弄"),
    4: re.compile("慢|超时|拖|太久"),
    5: re.compile("态度|凶|不耐烦"),
}


def asked(scene: Scene) -> Turn | Ask | None:
    """Take a rating: by word at any time, by a bare digit only as answer to the last question asked."""
    score, opinion = _read(scene)
    by_word = scene.intent is Intent.RATE or _PJ.fullmatch(scene.reading.matching) is not None
    bare = score is not None and scene.state.flow in {Flow.NONE, Flow.SERVICE}
    if not by_word and not bare:
        return None
    if scene.facts.own is None:
        return AskOwn()
    waiting = [case for case in scene.facts.own if _unrated(case)]
    if not by_word and not any(_asked_last(scene, case) for case in waiting):
        return None
    case = _meant(scene, waiting)
    if case is None:
        return scene.turn(scene.say("nothing_to_rate"), state=idle(scene.state))
    if score is None:
        state = idle(scene.state, flow=Flow.RATE, target=case.case_no)
        return scene.turn(scene.say("ask_rating", tail=tail(case.case_no)), state=state)
    return _given(scene, case, score, opinion)


def asked_later(scene: Scene) -> bool:
    """Return whether a case's rating was asked for since the bot, or a person for it, last asked anything."""
    return any(_unrated(case) and _asked_last(scene, case) for case in scene.facts.own or ())


def _read(scene: Scene) -> tuple[int | None, str]:
    """Return score and opinion; whoever was asked last of all says it in his own words too."""
    score, opinion = read(_worded(scene))
    reading, asked = scene.reading, scene.state.flow is Flow.RATE
    free = score is None and not scene.sms and scene.intent is None
    if free and (asked or (len(reading.text) <= FELT_LATER and not reading.place_text())):
        score = felt(reading)
        return score, "" if score is None else reading.text
    return score, opinion


def _worded(scene: Scene) -> CaseDraft:
    """Return the reading of what stands beside the case's number, where a code by SMS names one."""
    if scene.sms and scene.intent is Intent.RATE:
        return evolve(scene.reading, matching=f"pj {scene.words}", digit=None)
    return scene.reading


def _meant(scene: Scene, waiting: list[Case]) -> Case | None:
    """Return the case that is rated: the one named, else the one spoken of, else the newest."""
    named = [case for case in waiting if scene.number and case.case_no.endswith(scene.number)]
    if scene.number:
        return named[0] if named else None
    spoken = [case for case in waiting if case.case_no == scene.state.target]
    return next(iter(spoken or waiting), None)


def going_on(scene: Scene) -> Turn | Ask | None:
    """Go on with the question that is open: the score, or the reasons of a low one."""
    state = scene.state
    if state.flow not in _FLOWS:
        return None
    if scene.intent in _LEAVE:
        return scene.turn(scene.say("not_rated"), state=idle(state))
    if scene.facts.own is None:
        return AskOwn()
    case = next((case for case in scene.facts.own if case.case_no == state.target), None)
    if case is None or not _unrated(case):
        return scene.turn(scene.say("nothing_to_rate"), state=idle(state))
    return _scored(scene, case) if state.flow is Flow.RATE else _reasoned(scene, case)


def _scored(scene: Scene, case: Case) -> Turn:
    score, opinion = _read(scene)
    if score is not None:
        return _given(scene, case, score, opinion)
    if scene.state.misses:
        return scene.turn(scene.say("not_rated"), state=idle(scene.state))
    words = scene.say("ask_rating", tail=tail(case.case_no))
    return scene.turn(words, state=evolve(scene.state, misses=1))


def _reasoned(scene: Scene, case: Case) -> Turn:
    text = scene.reading.text
    if scene.reading.empty and not scene.state.misses:
        return _why(scene, case, evolve(scene.state, misses=1))
    listed = _REASONS.match(text)
    reasons = tuple(dict.fromkeys(int(c) for c in listed.group() if c.isdigit())) if listed else ()
    opinion = text[listed.end() :].strip(" ,，。、") if listed else text
    reasons = reasons or tuple(n for n, words in _REASON_WORDS.items() if words.search(opinion))
    return _rated(scene, case, scene.state.score, reasons or (OTHER_REASON,), opinion)


def read(reading: CaseDraft) -> tuple[int | None, str]:
    """Return the score that a message gives, None when it gives none, and the words with it."""
    if reading.digit is not None:
        return (reading.digit if 1 <= reading.digit <= 5 else None), ""
    if found := _PJ.fullmatch(reading.matching):
        numeral = found.group(1)
        return _NUMERALS.get(numeral) or int(numeral), found.group(2)
    return _WORDS.get(_POLITE.sub("", reading.matching)), ""


def felt(reading: CaseDraft) -> int | None:
    """Return the score that free words give who was asked for one; None where they tell none."""
    if reading.digit is not None or len(reading.text) > FELT:
        return None
    return next((score for score, words in _FEELS if words.search(reading.matching)), None)


def _given(scene: Scene, case: Case, score: int, opinion: str) -> Turn:
    if score <= LOW and not opinion:
        state = idle(scene.state, flow=Flow.REASONS, target=case.case_no, score=score)
        return _why(scene, case, state)
    reasons = tuple(n for n, words in _REASON_WORDS.items() if words.search(opinion)) or (OTHER_REASON,)
    return _rated(scene, case, score, reasons if score <= LOW else (), opinion)


def _why(scene: Scene, case: Case, state: State) -> Turn:
    key = "ask_reasons" if _reworks(scene, case) else "ask_reasons_final"
    return scene.turn(scene.say(key), state=state)


def _rated(scene: Scene, case: Case, score: int, reasons: tuple[int, ...], opinion: str) -> Turn:
    command = Command(Verb.RATE, CITIZEN, score=score, reasons=reasons, text=opinion[:OPINION])
    low = "rated_low" if _reworks(scene, case) else "rated_low_final"
    words = scene.say("rated" if score > LOW else low, label=SATISFACTION_LABELS[score])
    state = idle(scene.state, target=case.case_no)
    return scene.turn(words, state=state, effects=(Act(case.case_no, case.rev, command),))


def rated(scene: Scene, case: Case, score: int, opinion: str) -> Turn | None:
    """Rate a case that waits for it, with whatever reason was given; None when it does not wait."""
    if not _unrated(case):
        return None
    reasons = tuple(n for n, words in _REASON_WORDS.items() if words.search(opinion)) or (OTHER_REASON,)
    return _rated(scene, case, score, reasons if score <= LOW else (), opinion)


def _reworks(scene: Scene, case: Case) -> bool:
    return case.rework_round < scene.city.rework_rounds


def _unrated(case: Case) -> bool:
    rated = any(rating.round == case.rework_round for rating in case.ratings)
    return case.stage in {Stage.CLOSED_PENDING, Stage.VISITED} and not rated


def _asked_last(scene: Scene, case: Case) -> bool:
    """Return whether the bot has said nothing since the citizen was asked to rate this case."""
    asked_at, spoke_at = case.finished_at, scene.state.at
    if asked_at is None or scene.now - asked_at > QUESTION_HOLDS:
        return False
    return spoke_at is None or asked_at >= spoke_at
