"""How a citizen feels, so that the right words come first (GB/T 44189 6.3.1)."""

from __future__ import annotations

import re
from enum import StrEnum


class Tone(StrEnum):
    """Four steps, each asking for other first words (domain.md 4.2)."""

    CALM = "calm"
    UPSET = "upset"
    ANGRY = "angry"
    ABUSIVE = "abusive"


_ABUSIVE = re.compile(
    r"(?:草|操|艹|肏|日)(?:你|泥|尼)(?:妈|马|娘|全家|大爷|祖宗)|(?:你|他|tm)(?:妈|娘)的|妈了个|傻[逼比币叉屄]|煞笔|沙比|狗(?:日|东西|官|屁|杂种)|王八蛋|畜生|人渣|混蛋|滚蛋|去死吧|垃圾(?:政府|热线|部门|客服)|"
    r"(?:全家|祖宗)(?:死|十八代)|废物|脑残|智障|sb|nmsl|cnm|tmd|废柴",
)
_ANGRY = re.compile(
    r"气死|太气人|愤怒|忍无可忍|岂有此理|无法无天|欺人太甚|什么玩意|什么东西|不作为|乱作为|推(?:来推去|诿|脱)|踢皮球|敷衍|糊弄|忽悠|骗子|黑心|可恶|太过分|没人管|都不管|就是不管|到底管不管|投诉你们|曝光|上访|[!！]{2,}",
)
_UPSET = re.compile(
    r"烦|着急|急死|难受|受不了|无奈|无助|失望|委屈|睡不(?:着|好)|崩溃|求求|拜托|太难|苦不堪言|影响(?:生活|休息|孩子)|这么久|还没(?:解决|处理|人)|多次(?:反映|投诉)|第[二三四五]次|怎么办啊",
)


def tone(text: str) -> Tone:
    """Return the strongest tone whose words appear; ``text`` is folded for matching."""
    if _ABUSIVE.search(text):
        return Tone.ABUSIVE
    if _ANGRY.search(text):
        return Tone.ANGRY
    return Tone.UPSET if _UPSET.search(text) else Tone.CALM
