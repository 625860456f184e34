"""Whether two matters are one: same category, near place, similar words, not long apart (domain.md 1.11). Pure.

Only ever a hint: people decide. A place that differs rules out, however alike the words are.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from normalizer.text import for_matching

if TYPE_CHECKING:
    from datetime import datetime

    from normalizer.case import Matter

WITHIN = timedelta(days=30)
SAME = 0.55
"""From here on two matters are offered as one; the table in tests/normalizer/test_duplicates.py holds it."""
NEAR_M, FAR_M = 200.0, 500.0
"""Metres: within the first it is the same place, beyond the second another (domain.md 1.11)."""
_WORDS, _PLACE, _TIME = 0.45, 0.4, 0.15
_FEWEST = 0.15
"""Share of words in common below which one street at one time says nothing."""
_UNKNOWN = 0.5
_SHORTEST = 3
_OTHER_DOOR = 0.6
"""How near two doors of one street are."""
_STREET = re.compile(
    r"([\u4e00-\u9fff]{1,6}?(?:大街|大道|街道|公路|胡同|小区|花园|家园|社区|新村|广场|公园|市场|大厦|学校|小学|中学|医院|"
    r"路|街|巷|村|镇|苑|桥|站))(?:([0-9]{1,5})号)?"
)
_NOISE = re.compile(
    "早上|上午|中午|下午|晚上|夜里|半夜|白天|今天|昨天|最近|现在|好?[一二三四五六七八九十几]?[多几]?[天周月年]了?|一直|经常|已经|"
    "很|太|非常|特别|十分|危险|严重|影响|出行|走路|生活|没人管|希望|请|尽快|赶紧|马上|解决|处理|修好|问题|反映|投诉|"
    "[的了着过吗呢吧啊是在有又还都也我你他们]|[^\u4e00-\u9fffa-z]"
)
"""What matters of every sort have in common."""
_EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Sketch:
    """What of a matter is compared: category, pairs of characters, streets with their doors, degrees, the instant."""

    category: str
    pairs: frozenset[str]
    streets: dict[str, str]
    lon: float | None
    lat: float | None
    at: datetime


def sketch(matter: Matter, at: datetime) -> Sketch:
    """Return what of a matter is compared with others."""
    text = for_matching(matter.original or matter.content)
    # Where it is must not count twice.
    bare = _NOISE.sub("", _STREET.sub(" ", text))
    pairs = frozenset(bare[i : i + 2] for i in range(len(bare) - 1))
    return Sketch(
        category=matter.category,
        pairs=pairs,
        streets=_streets(for_matching(f"{matter.place_text} {text}")),
        lon=matter.lon,
        lat=matter.lat,
        at=at,
    )


def likeness(one: Sketch, other: Sketch) -> float:
    """Return how likely two matters are one, 0 to 1; from ``SAME`` on they are offered as one."""
    apart = abs(one.at - other.at)
    place, words = _nearness(one, other), _alike(one.pairs, other.pairs)
    another = not one.category or one.category != other.category
    if another or place == 0 or words < _FEWEST or apart > WITHIN:
        return 0.0
    return _WORDS * words + _PLACE * place + _TIME * (1 - apart / WITHIN)


def common_street(one: Sketch, other: Sketch) -> str:
    """Return the street or estate that both name, empty for none: it tells each nothing that he did not say."""
    named = (
        # "住东岳大街" and "东岳大街": what stands before a street cannot be told from its name.
        min(mine, theirs, key=len)
        for mine in one.streets
        for theirs in other.streets
        if mine.endswith(theirs) or theirs.endswith(mine)
    )
    return max(named, key=len, default="")


def other_door(one: Sketch, other: Sketch) -> bool:
    """Return whether two matters of one street name different doors."""
    street = common_street(one, other)
    return bool(street) and _doors(one, other, street) > 1


def _nearness(one: Sketch, other: Sketch) -> float:
    metres = _metres(one, other)
    if metres is not None:
        return max(0.0, min(1.0, (FAR_M - metres) / (FAR_M - NEAR_M)))
    if not one.streets or not other.streets:
        return _UNKNOWN
    street = common_street(one, other)
    if not street:
        return 0.0
    return _OTHER_DOOR if _doors(one, other, street) > 1 else 1.0


def _doors(one: Sketch, other: Sketch, street: str) -> int:
    return len({_door(each, street) for each in (one, other)} - {""})


def _door(of: Sketch, street: str) -> str:
    return next((door for name, door in of.streets.items() if door and name.endswith(street)), "")


def _streets(text: str) -> dict[str, str]:
    """Return streets and estates by name with the door that stands behind them, without district and town."""
    found: dict[str, str] = {}
    for street, door in _STREET.findall(re.sub(r"[\u4e00-\u9fff]{1,6}?[省市区县]", " ", text)):
        if len(street) >= _SHORTEST:
            found[street] = found.get(street) or door
    return found


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the shorter text's pairs that the other has too."""
    shorter = min(len(one), len(other))
    return len(one & other) / shorter if shorter else 0.0


def _metres(one: Sketch, other: Sketch) -> float | None:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    north = math.radians(other.lat - one.lat)
    east = math.radians(other.lon - one.lon) * math.cos(math.radians((one.lat + other.lat) / 2))
    return _EARTH_M * math.hypot(north, east)
