"""The grammar of text messages: short codes, what a bare digit may mean, and what is no message at all (domain.md 4.4).

What a code asks for is done by the same flows as everywhere; here it is only read. A message is answered in one
segment where that is possible, so replies of one turn are joined as far as they fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import TYPE_CHECKING

from bots.contract import AskOwn, AskSlip, Turn
from bots.intent import Intent, intent_of
from bots.scene import idle, tail
from bots.state import Flow, Order
from bots.words_sms import FITS
from normalizer import numbers
from normalizer.case import OPEN
from normalizer.evolve import evolve
from normalizer.text import for_matching, is_empty

if TYPE_CHECKING:
    from bots.contract import Ask
    from bots.scene import Scene
    from bots.state import State
    from normalizer.draft import CaseDraft

QUESTION_HOLDS = timedelta(days=7)
"""Time in which an answer belongs to the last question."""
REPEATED = timedelta(seconds=120)
"""Time in which the same text again is a second delivery."""

_SIGNATURE = re.compile(r"^(?:【[^【】]{1,20}】\s*)+|(?:\s*【[^【】]{1,20}】)+$")
_GAP = r"[\s:：,，+＋]*"
_CODES = {
    "cx": Intent.PROGRESS,
    "bc": Intent.SUPPLEMENT,
    "cb": Intent.URGE,
    "ch": Intent.WITHDRAW,
    "pj": Intent.RATE,
    "rg": Intent.HUMAN,
    "bm": Intent.CONFIDE,
    "yz": Intent.VERIFY,
    "bz": Intent.MENU,
}
_WORDS = {
    "查询进度": "cx",
    "查进度": "cx",
    "查询": "cx",
    "进度": "cx",
    "查": "cx",
    "补充": "bc",
    "催办": "cb",
    "催": "cb",
    "撤回": "ch",
    "评价": "pj",
    "转人工": "rg",
    "人工": "rg",
    "保密": "bm",
    "验证码": "yz",
    "帮助": "bz",
}
_CODE = re.compile(rf"({'|'.join(_CODES)})(?![a-z]){_GAP}")
_WORD = re.compile(rf"({'|'.join(_WORDS)})(?:[\s:：,，+＋]+|(?=[0-9]{{6}})|$)")
_NUMBER = re.compile(
    r"([0-9]{17}|[0-9]{7}|[0-9]{4}[ \-][0-9]{6}[ \-][0-9]{7})(?![0-9号楼栋单元米])[\s:：,，+＋]*"
)
_OUT = frozenset({"t", "td", "r", "退订", "拒收"})
_OUT_IF_IDLE = frozenset({"n", "取消"})
"""These answer an open question, and stop the status messages only where none is open."""
_SPOKEN = frozenset({Intent.SUPPLEMENT, Intent.CONFIDE, Intent.VERIFY})
"""Words that may be followed by other words; "查水表的" and "催 房租" are no commands."""
_SCORED = re.compile(r"([1-5一二三四五])(?:分|星)?[\s,，:：]+([0-9]{17}|[0-9]{7})(?![0-9])[\s,，:：]*")
"""A score and the case it is for, as "PJ 5 0001233"."""
_SCORES = "12345一二三四五"
_MACHINES = re.compile(r"(?:\+?86)?(?:106|95\d{3}|400\d{7}|100\d{2}$|12306$)")
_FIRMS_CODE = re.compile(r"验证码|校验码|动态码|verification code", re.IGNORECASE)
_FIRMS_WORDS = re.compile(r"有效|勿|泄露|切|do not share", re.IGNORECASE)
_PHOTOS = re.compile(
    r".{0,8}(?:照片|图片|视频|彩信|相片|截图).{0,6}(?:怎么|如何|咋|往哪|发哪|哪里|哪儿|发给|传给|能发|可以发|能传).{0,8}|"
    r".{0,6}(?:怎么|如何|咋|往哪|哪里|能不能|可以|能).{0,4}(?:发|传|寄|上传).{0,4}(?:照片|图片|视频|彩信|相片|截图).{0,6}"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a text message wants, the case it names, what else it says, and whether it was said by a code."""

    intent: Intent | None
    number: str = ""
    words: str = ""
    coded: bool = False


def read(reading: CaseDraft) -> CaseDraft:
    """Return the reading without the signatures that telephones and gateways put around a text."""
    text = _SIGNATURE.sub("", reading.text).strip()
    if text == reading.text:
        return reading
    digit = numbers.digit(text) if text else None
    return evolve(reading, text=text, matching=for_matching(text[:500]), digit=digit, empty=is_empty(text))


def forgotten(state: State, now: datetime) -> State:
    """Return the state without a question that was asked longer ago than it holds."""
    if state.at is None or now - state.at <= QUESTION_HOLDS:
        return state
    return idle(state, order=Order(), alarmed=False)


def wish(reading: CaseDraft, state: State, *, queued: bool) -> Wish:
    """Return what a text message wants."""
    text = reading.matching.strip("。.!！ ")
    is_open = state.flow is not Flow.NONE or state.order.since is not None or queued or state.alarmed
    if text in _OUT or (text in _OUT_IF_IDLE and not is_open):
        return Wish(Intent.OPT_OUT)
    if text in {"?", "？"}:
        return Wish(Intent.MENU, coded=True)
    return command(reading) or Wish(*intent_of(reading))


def command(reading: CaseDraft) -> Wish | None:
    """Return the command that a text begins with, None when it is none."""
    found, coded = _CODE.match(reading.matching), True
    if found is None:
        found, coded = _WORD.match(reading.matching), False
    if found is None:
        return None
    intent = _CODES[_WORDS.get(found.group(1), found.group(1))]
    rest = reading.text[found.end() :].strip()
    if intent is Intent.RATE and (scored := _SCORED.match(rest)) is not None:
        return Wish(intent, scored.group(2), f"{scored.group(1)} {rest[scored.end() :]}".strip(), coded)
    if (named := _NUMBER.match(rest)) is not None:
        number = re.sub("[^0-9]", "", named.group(1))
        return Wish(intent, number, rest[named.end() :].strip(), coded)
    # A number of another length is none of ours; after CX it can be nothing else and is said to be wrong.
    number = re.sub("[ -]", "", rest)
    number = number if intent is Intent.PROGRESS and number.isdecimal() else ""
    rates = intent is Intent.RATE and rest[:1] in _SCORES
    said = coded or not rest or intent in _SPOKEN or number or rates
    return Wish(intent, number, rest, coded) if said else None


def ignored(scene: Scene) -> Turn | None:
    """Say nothing to machines: numbers of firms, and codes that firms send to people."""
    if not scene.sms:
        return None
    text = scene.reading.text
    firms = _FIRMS_CODE.search(text) and _FIRMS_WORDS.search(text) and re.search("[0-9]{4,8}", text)
    if _MACHINES.match(scene.facts.sender) or (firms and scene.intent is not Intent.VERIFY):
        return scene.turn()
    return None


def repeated(scene: Scene) -> Turn | None:
    """Say nothing to a text that came twice, unless it is a digit and another question is open by now."""
    state = scene.state
    if not scene.sms or state.last_at is None or scene.now - state.last_at > REPEATED:
        return None
    if state.last != _digest(scene.reading.text):
        return None
    if scene.reading.digit is not None and state.last_to != _question(state):
        return None
    return scene.turn()


def bare_digit(scene: Scene) -> Turn | None:
    """Answer a digit that answers nothing with the help; it is never a matter."""
    if not scene.sms or scene.reading.digit is None or scene.state.flow is not Flow.NONE:
        return None
    return scene.turn(scene.say("menu"))


def photos(scene: Scene) -> Turn | Ask | None:
    """Tell how photos reach us, where somebody asks for it or a picture was announced; the question stays open."""
    if not scene.sms or not _PHOTOS.fullmatch(scene.reading.text.strip("。？?！!")):
        return None
    if scene.city.pages_url and scene.facts.own is None:
        return AskOwn()
    number = _spoken_of(scene)
    if number and not scene.facts.slip:
        return AskSlip(number)
    if number:
        link = f"{scene.city.pages_url.rstrip('/')}/up/{scene.facts.slip}"
        return scene.turn(scene.say("sms_photos_here", tail=tail(number), link=link))
    return scene.turn(_other_ways(scene))


def _spoken_of(scene: Scene) -> str:
    """Return the open case that photos are for: the one spoken of, else the newest; empty where pages take none."""
    if not scene.city.pages_url:
        return ""
    ours = [case.case_no for case in scene.facts.own or () if case.stage in OPEN]
    return scene.state.target if scene.state.target in ours else next(iter(ours), "")


def _other_ways(scene: Scene) -> str:
    city = scene.city
    ways = [scene.say("sms_account", name=city.wechat_name)] if city.wechat_name else []
    ways += [scene.say("sms_mailbox", mailbox=city.mailbox)] if city.mailbox else []
    if not ways:
        return scene.say("sms_no_photos")
    named = tail(scene.state.target) if scene.state.target else "和手机号"
    return scene.say("sms_photos", ways="或".join(ways), tail=named)


def remembered(before: State, scene: Scene, done: Turn) -> Turn:
    """Return the turn with its replies joined, and what must be known when the next message comes.

    A code in the middle of an order is answered and leaves the order's question open.
    """
    state = done.state
    untouched = state.order.since is not None and state.order == before.order
    if before.flow is Flow.ORDER and state.flow is Flow.NONE and untouched:
        state = evolve(state, flow=before.flow, step=before.step)
    seen = {"last": _digest(scene.reading.text), "last_to": _question(before), "last_at": scene.now}
    return Turn(evolve(state, **seen), joined(done.replies), done.effects)


def joined(replies: tuple[str, ...]) -> tuple[str, ...]:
    """Return the replies put together as far as they fit one segment."""
    texts: list[str] = []
    for reply in replies:
        if texts and units(texts[-1] + reply) <= FITS:
            texts[-1] += reply
        else:
            texts.append(reply)
    return tuple(texts)


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units, as text messages are counted."""
    return len(text.encode("utf-16-be")) // 2


def _question(state: State) -> str:
    return f"{state.flow}/{state.step}/{state.target}/{len(state.choices)}"


def _digest(text: str) -> str:
    return blake2s(for_matching(text).encode(), digest_size=8).hexdigest()
