"""Finding the entry that a question asks for, by words, pairs of characters and characters.

Every way to ask (title, variants) stands in the index for itself, and the entry as a whole with its answer. A question
is as near to an entry as the cosine with the nearest of its ways, and the share of the question that the entry knows
at all: half of each, 0 to 1 whatever the size of the base, so that one floor serves every base. A rare word weighs
more; one that no entry knows is the rarest, so that whatever else somebody tells makes him less near to any answer.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import rjieba

from normalizer.text import for_matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.knowledge.entry import Entry

FLOOR, APART = 0.46, 0.03
"""How near an entry must be to be an answer, and how much nearer than the next; measured, see docs/knowledge.md."""
NEAR = 0.25
"""How near it must be to be offered."""
LONGEST = 120
"""Characters of a question that are looked at."""
WORD, PAIR, CHARACTER, ASKING = 1.0, 0.6, 0.3, 0.25
"""What a word, a pair of characters, a character and a word that only asks weigh beside one another."""
ANSWERED = 0.5
"""What a word of the answer counts for, beside one of the question."""
MOST = 1500
"""Places beyond which a word of a large base is no longer followed: it hardly weighs, and there are other words."""
TITLE = 1.05
"""A question that is like a title is nearer than one that is like a variant."""

_POLITE = re.compile(
    "请问一?下?|麻烦问?一?下?|想?咨询一?下?|我?想?(?:要|问)?(?:了解|问问|打听|知道)一?下?|您好|你好|谢谢|劳驾|那个|一下|"
    "[啊呀呢吗嘛吧哦额嗯哈]|^我?想问?|我们?家?|的|了"
)
_SAME: tuple[tuple[str, str], ...] = (
    ("咋样|咋个|咋|怎样|怎么样|如何|怎么办理", "怎么"),
    (
        "去哪儿|去哪里|到哪儿|到哪里|上哪儿|上哪里|在哪儿|在哪里|哪儿|哪里|去哪|到哪|上哪|在哪|什么地方|啥地方",
        "哪里",
    ),
    ("啥|哪些|什么样", "什么"),
    ("什么时候|何时|几号|哪天|多会儿", "时候"),
    ("多少钱|费用|收费|要钱|价格|花钱", "收费"),
    ("哪个部门|谁管|归谁|找谁|找哪个|找什么单位|找哪家|联系谁|谁负责", "找谁"),
    ("丢了|丢失|遗失|弄丢|不见", "丢失"),
    ("补办|补领|重办|重新办|挂失", "补办"),
    ("电话是多少|电话多少|打什么电话|打哪个电话|联系电话|客服电话", "电话"),
    ("能不能|可不可以|可否|能否|是否可以|可以不可以|行不行", "可以"),
    ("材料|资料|手续|证件", "材料"),
    ("领取|发放", "领"),
    ("小孩|孩子|宝宝|娃|新生儿|婴儿", "孩子"),
    ("老人|老年人|老年|长者", "老人"),
    ("坏掉|坏了|损坏|不亮|故障|失灵", "坏了"),
    ("噪音|噪声", "噪声"),
    ("暖气|供暖|供热|取暖", "供暖"),
    ("天然气|煤气|燃气", "燃气"),
    ("自来水", "水"),
    ("路边", "路上"),
)
_CANON = tuple((re.compile(words), one) for words, one in _SAME)
_ASKING = re.compile(
    "怎么办|怎么|哪里|什么|时候|找谁|多少|可以|哪个部门|哪个|哪|多久|几天|几点|需要|是否|是不是|有没有|应该|该|办理|申请|"
    "[去到在和跟从把被能要有会就还都也又不是谁办]"
)
_RUN = re.compile("[\u3400-\u9fff]+|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found, and how near it is, 0 to 1."""

    entry: Entry
    score: float


def sure(hits: Sequence[Hit]) -> bool:
    """Return whether the nearest entry is the answer, beyond the doubt that another one is as near."""
    if not hits or hits[0].score < FLOOR:
        return False
    return len(hits) == 1 or hits[0].score - hits[1].score >= APART


class Index:
    """The questions of some entries, ready to be searched; it never changes."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        ways = [
            (n, taken_apart(text), boost)
            for n, entry in enumerate(self.entries)
            for text, boost in _questions(entry)
        ]
        known: dict[str, set[int]] = {}
        for n, bag, _ in ways:
            for token in bag:
                known.setdefault(token, set()).add(n)
        self._rarest = _rarity(0, len(self.entries))
        self._rarity = {token: _rarity(len(where), len(self.entries)) for token, where in known.items()}
        self._entry_of = [n for n, _, _ in ways]
        self._ways: dict[str, list[tuple[int, float]]] = {}
        for at, (_, bag, boost) in enumerate(ways):
            for token, weight in self._unit(bag).items():
                self._ways.setdefault(token, []).append((at, weight * boost))
        self._whole: dict[str, dict[int, float]] = {
            token: dict.fromkeys(where, 1.0) for token, where in known.items()
        }
        for n, entry in enumerate(self.entries):
            for token in taken_apart(entry.answer_short, len(entry.answer_short)):
                self._whole.setdefault(token, {}).setdefault(n, ANSWERED)
        self._ways = {token: found for token, found in self._ways.items() if len(found) <= MOST}
        self._whole = {token: found for token, found in self._whole.items() if len(found) <= MOST}

    def near(self, text: str, *, suits: Callable[[Entry], bool], limit: int) -> tuple[Hit, ...]:
        """Return the entries that suit and come nearest to a question, nearest first."""
        if not self.entries:
            return ()
        bag = taken_apart(text)
        if all(weight == ASKING for weight in bag.values()):
            # Words that only ask are in every entry and name none.
            return ()
        unit = self._unit(bag)
        scores = self._nearest_way(unit)
        for token, weight in unit.items():
            for n, share in self._whole.get(token, {}).items():
                scores[n] = scores.get(n, 0.0) + weight * weight * share / 2
        nearest = sorted(scores, key=lambda n: (-scores[n], n))
        hits = (Hit(self.entries[n], min(scores[n], 1.0)) for n in nearest if suits(self.entries[n]))
        return tuple(islice(hits, limit))

    def _nearest_way(self, unit: Mapping[str, float]) -> dict[int, float]:
        """Return half the cosine of each entry's nearest way to ask."""
        ways: dict[int, float] = {}
        for token, weight in unit.items():
            for at, other in self._ways.get(token, ()):
                ways[at] = ways.get(at, 0.0) + weight * other
        best: dict[int, float] = {}
        for at, cosine in ways.items():
            n = self._entry_of[at]
            best[n] = max(best.get(n, 0.0), cosine / 2)
        return best

    def _unit(self, bag: Mapping[str, float]) -> dict[str, float]:
        weights = {token: weight * self._rarity.get(token, self._rarest) for token, weight in bag.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {token: weight / length for token, weight in weights.items()}


def _questions(entry: Entry) -> Sequence[tuple[str, float]]:
    return [(entry.title, TITLE), *((variant, 1.0) for variant in entry.variants)]


def _rarity(among: int, total: int) -> float:
    return math.log(1 + (total - among + 0.5) / (among + 0.5))


def taken_apart(text: str, longest: int = LONGEST) -> dict[str, float]:
    """Return what a text consists of, each with its weight; a pair begins with a blank, a character with a dot."""
    text = _POLITE.sub("", for_matching(text[:longest]))
    for words, one in _CANON:
        text = words.sub(one, text)
    bag = dict.fromkeys(_ASKING.findall(text), ASKING)
    for run in _RUN.findall(_ASKING.sub(" ", text)):
        bag |= dict.fromkeys(rjieba.cut_for_search(run), WORD)
        bag |= dict.fromkeys((f" {run[i : i + 2]}" for i in range(len(run) - 1)), PAIR)
        bag |= dict.fromkeys((f".{character}" for character in run), CHARACTER)
    return bag
