"""Finding the entry that a question asks for, by words and pairs of characters.

Every way to ask (title, variants) stands in the index for itself, weighed by how rare its words are; a question is
as near to it as the cosine of the two, from 0 to 1 whatever the size of the base, so that one floor serves all.
A word that no entry knows counts as the rarest: what else somebody says makes him less near to any answer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rjieba

from normalizer.text import for_matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.knowledge.entry import Entry

LONGEST = 120
"""Characters of a question that are looked at."""
WORD, PAIR = 1.0, 0.6
"""What a word and a pair of characters weigh beside one another."""
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
_RUN = re.compile("[\u3400-\u9fff]+|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found, and how near it is, 0 to 1."""

    entry: Entry
    score: float


class Index:
    """The questions of some entries, ready to be searched; it never changes."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        asked = [
            (n, text, boost) for n, entry in enumerate(self.entries) for text, boost in _questions(entry)
        ]
        bags = [(n, _bag(text), boost) for n, text, boost in asked]
        known: dict[str, set[int]] = {}
        for n, bag, _ in bags:
            for word in bag:
                known.setdefault(word, set()).add(n)
        self._rarest = _rarity(0, len(self.entries))
        self._rarity = {word: _rarity(len(where), len(self.entries)) for word, where in known.items()}
        self._found: dict[str, list[tuple[int, float]]] = {}
        self._entry_of = [n for n, _, _ in bags]
        for at, (_, bag, boost) in enumerate(bags):
            for word, weight in self._unit(bag).items():
                self._found.setdefault(word, []).append((at, weight * boost))

    def near(
        self, text: str, *, suits: Callable[[Entry], bool], limit: int, floor: float = 0.0
    ) -> tuple[Hit, ...]:
        """Return the entries that suit and come nearest to a question, nearest first."""
        scores: dict[int, float] = {}
        for word, weight in self._unit(_bag(text)).items():
            for at, other in self._found.get(word, ()):
                scores[at] = scores.get(at, 0.0) + weight * other
        best: dict[int, float] = {}
        for at, score in scores.items():
            n = self._entry_of[at]
            if score >= floor and score > best.get(n, 0.0):
                best[n] = score
        nearest = sorted(best, key=lambda n: (-best[n], n))
        hits = (Hit(self.entries[n], min(best[n], 1.0)) for n in nearest if suits(self.entries[n]))
        return tuple(hit for hit, _ in zip(hits, range(limit), strict=False))

    def _unit(self, bag: Counter[str]) -> dict[str, float]:
        weights = {w: weight_of(w) * self._rarity.get(w, self._rarest) for w in bag}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}


def weight_of(token: str) -> float:
    """Return what a token weighs before its rarity."""
    return PAIR if token[0] == " " else WORD


def _questions(entry: Entry) -> Sequence[tuple[str, float]]:
    return [(entry.title, TITLE), *((variant, 1.0) for variant in entry.variants)]


def _rarity(among: int, total: int) -> float:
    return math.log(1 + (total - among + 0.5) / (among + 0.5))


def _bag(text: str) -> Counter[str]:
    """Return the words and the pairs of characters of a text; a pair begins with a blank."""
    text = _POLITE.sub("", for_matching(text[:LONGEST]))
    for words, one in _CANON:
        text = words.sub(one, text)
    bag: Counter[str] = Counter()
    for run in _RUN.findall(text):
        bag.update(word for word in rjieba.cut_for_search(run))
        bag.update(f" {run[i : i + 2]}" for i in range(len(run) - 1))
    return bag
