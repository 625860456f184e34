"""Whole answers that are a number, a yes or a no."""

from __future__ import annotations

import re

_HAN_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
_CIRCLED = {chr(0x2460 + n): n + 1 for n in range(10)}
_ANSWER = re.compile(
    r"(?:我?选择?|回复?|第|按)?\s*([0-9]{1,2}|[零一二两三四五六七八九十]|[①-⑩])\s*(?:项|个|条|号|星|分)?\s*[.、,。，)）!！]*",
)
_YES = re.compile(
    r"(?:是|是的|对|对的|好|好的|好吧|行|可以|嗯+|嗯嗯|恩|要|需要|确认|确定|提交|没错|没问题|继续|同意|ok|okay|yes|y)[。.!！~～呀啊的]*",
)
_NO = re.compile(
    r"(?:不|否|不是|不要|不用|不用了|不需要|没有|没有了|没|无|算了|取消|不了|暂时没有|no|n)[。.!！~～呀啊的了]*",
)


def digit(text: str) -> int | None:
    """Return the number that is the whole answer ("1", "①", "选2", "第三项", "十"), or None."""
    found = _ANSWER.fullmatch(text.strip())
    if found is None:
        return None
    word = found.group(1)
    if word in _HAN_DIGITS:
        return _HAN_DIGITS[word]
    return _CIRCLED.get(word) or int(word)


def yes(text: str) -> bool:
    """Return whether the whole answer is a yes."""
    return _YES.fullmatch(text.strip().casefold()) is not None


def no(text: str) -> bool:
    """Return whether the whole answer is a no."""
    return _NO.fullmatch(text.strip().casefold()) is not None
