"""Which of his cases somebody means, in words: its place in a list, all of them, or what it is about (domain.md 4.2)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from bots.intent import Intent
from normalizer import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from normalizer.case import Case
    from normalizer.draft import CaseDraft

CLAUSE = 24
"""Characters beyond which the words before the first comma are no wish."""
ADDED = 8
"""Characters that may follow a wish that nothing is added to, as "谢谢了"."""
ENOUGH = 0.5
"""How much of what a case is called must be found in it."""

_HINT = re.compile(
    "不是|不对|错了|催|撤|取消|不用|补充|查|看|问|怎么样|咋样|如何|情况|好了?没|好了吗|一?步|结果|进展|消息|[回答]复"
)
_THAT = "的?(?:那|这)(?:一?(?:个|件|条|单))(?:的?(?:事情?|诉求|工单|单子|投诉|问题|案子))?|的(?:事情?|诉求|工单|单子|案子)"
_ABOUT = rf"(?P<about>[^了过着的，,。.!！？?\s][^，,。.!！？?\s]{{0,13}}?)(?:(?P<that>{_THAT})|的)?"
_MARKED = rf"(?P<about>[^了过着的，,。.!！？?\s][^，,。.!！？?\s]{{0,13}}?)(?P<that>{_THAT})"
_DO = "(?:请|麻烦|帮|给|我|你们?|您|再|要|想|能不能|可以|直接|先)*"
_URGE = "(?:催办|催一下|催一催|催催|催下|催促)(?:一下)?"
_LOOK = "(?:查一下|查下|查查|查询|查看|查|看一下|看看|看|问一下|问问|问)"
_HOW_FAR = (
    "(?:现在|到底|后来)*(?:处理|办|解决|修|弄|查)?(?:得|的|到)?"
    "(?:怎么样|咋样|如何|什么情况|啥情况|好了?没有?|好了吗|(?:哪|那)一?步|[有出](?:结果|进展|消息|[回答]复))"
)
_END = "[吧啊呀呢了吗没有谢谢您你。.!！？?~～ ]*"
_WISHES: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (intent, re.compile(rf"(?:{words}){_END}"))
    for intent, words in (
        (Intent.URGE, f"{_DO}{_URGE}{_ABOUT}"),
        (Intent.URGE, f"(?:把|关于)?{_ABOUT}{_DO}(?:{_URGE}|催)"),
        (Intent.WITHDRAW, f"{_DO}(?:撤回|撤销|撤诉|撤了|撤){_ABOUT}"),
        (Intent.WITHDRAW, f"把?{_ABOUT}{_DO}(?:撤回|撤销|撤诉|撤|取消|不用再?(?:管|办|处理|查))"),
        (Intent.SUPPLEMENT, f"{_DO}补充(?:一下|下|一点|点)?{_MARKED}"),
        (Intent.SUPPLEMENT, f"[给对]{_ABOUT}{_DO}补充(?:一下|下|一点|点)?"),
        (Intent.PROGRESS, f"{_ABOUT}{_DO}{_LOOK}"),
        (Intent.PROGRESS, f"{_DO}{_LOOK}{_MARKED}(?:的?(?:进度|进展|结果|情况)|{_HOW_FAR})?"),
        (Intent.PROGRESS, f"{_DO}{_LOOK}?{_ABOUT}(?:进度|进展|结果|{_HOW_FAR})"),
    )
)
_OTHER = re.compile(
    rf"(?:不是|不对|错了)(?:(?:这|那)(?:一?(?:个|件|条)))?[，,。 ]*(?:(?:我?(?:说|问|指|要)的)?是)?{_MARKED}{_END}"
)
_CLAUSE = re.compile("[，,。：:！!？?\n]")
_ALL = re.compile(
    "(?:把|我的?|这|那|你们?|给|请|帮|要)*"
    "(?:(?:所有|全部)的?|(?:两|2|二|三|3|四|4|五|5|几)(?:个|件|条))?的?(?:诉求|工单|单子|事情?|投诉|案子)?"
    "(?:都|全都|全部|统统|全|一起)?(?:给|帮|我|要)*(?:催办?|撤回|撤销|撤|补充|保密|查|看)?(?:一下)?"
)
_EVERY = re.compile("都|全|所有|统统|一起|(?:两|2|二|三|3|四|4|五|5|几)(?:个|件|条)")
_NTH = re.compile(
    "(?:就|是|要|选|那)*第?([一二两三四五1-5])(?:个|件|条|项|单)(?:事情?|诉求|工单|单子|那个|的|吧|,|，)*"
)
_LAST = re.compile("(?:就|是|要|选|那)*(?:最后|最下面|后面)(?:的|那|这|一)*(?:个|件|条)(?:的|吧)?")
_FIRST = re.compile("(?:就|是|要|选|那)*(?:最?上面|最?前面|头)(?:的|那|这|一)*(?:个|件|条)(?:的|吧)?")
_FILL = re.compile(
    "(?:那|这)一?(?:个|件|条|单)|不是|事情?|诉求|工单|单子|投诉|问题|案子|一下|有?关于?|刚才|上次|昨天|前几天|反映|催办|撤回|撤销"
    "|[我你您的了吧啊呢是就要想请帮把给再说那这催撤和、]"
)
_HAN = re.compile("[\u4e00-\u9fffA-Za-z0-9]+")


class Wish(NamedTuple):
    """What is wished with a case, what it is called, what is said besides, and whether that can be nothing but a case.

    ``intent`` is None where another case is meant than the one that was spoken of ("不是这个，是停水那个").
    """

    intent: Intent | None
    about: str
    said: str
    marked: bool


def wish_of(reading: CaseDraft) -> Wish | None:
    """Return the wish that names its case by what it is about ("路灯那个催一下"); None where there is none."""
    text = reading.matching
    if reading.digit is not None or reading.event is not None or not _HINT.search(text[:CLAUSE]):
        return None
    if (found := _OTHER.fullmatch(text)) is not None:
        return Wish(None, found["about"], "", marked=False)
    clause, said = (*_CLAUSE.split(text, maxsplit=1), "")[:2]
    if len(clause) > CLAUSE:
        return None
    for intent, pattern in _WISHES:
        if (found := pattern.fullmatch(clause)) is None:
            continue
        if len(said) > ADDED and intent in {Intent.PROGRESS, Intent.WITHDRAW}:
            return None
        about = found["about"]
        rest = reading.text[len(reading.text) - len(said) :].strip() if said else ""
        return Wish(intent, about, rest, bool(found["that"]) or every(about))
    return None


def corrects(reading: CaseDraft) -> bool:
    """Return whether another case is meant than the one that was spoken of."""
    wish = wish_of(reading)
    return wish is not None and wish.intent is None


def every(text: str) -> bool:
    """Return whether all of somebody's cases are meant."""
    return _EVERY.search(text) is not None and _ALL.fullmatch(text.rstrip("吧啊了。.!！ ")) is not None


def place(text: str, count: int) -> int | None:
    """Return the place in a list of so many, from 1 on, that somebody names; None when he names none."""
    words = text.rstrip("。.!！,， ")
    if found := _NTH.fullmatch(words):
        number = numbers.digit(found.group(1))
        return number if number is not None and number <= count else None
    if _LAST.fullmatch(words):
        return count
    return 1 if _FIRST.fullmatch(words) else None


def named(words: str, cases: Sequence[Case]) -> Case | None:
    """Return the one case that is called so; None when none is, or several are."""
    called = {
        first + second for run in _HAN.findall(_FILL.sub(" ", words)) for first, second in pairwise(run)
    }
    if not called:
        return None
    hits = sorted(((_hits(called, case), at) for at, case in enumerate(cases)), reverse=True)
    if not hits or hits[0][0] < max(1, ENOUGH * len(called)):
        return None
    return None if len(hits) > 1 and hits[1][0] == hits[0][0] else cases[hits[0][1]]


def _hits(called: set[str], case: Case) -> int:
    matter = case.matter
    words = f"{matter.original} {matter.title} {matter.place_text} {matter.place_area}"
    return sum(pair in words for pair in called)
