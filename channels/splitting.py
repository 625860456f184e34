"""A long text as several messages, cut where a reader would pause."""

from __future__ import annotations

import unicodedata

_PAUSES = ("\n\n", "\n", "。！？!?；;…", "，,、：: ")
"""Where to cut, the best first; a string of single marks stands for any of them."""
_JOINER, _VARIATION = "\u200d", "\ufe0f"


def split(text: str, max_bytes: int) -> tuple[str, ...]:
    """Return the text in parts of at most ``max_bytes`` of UTF-8; white space at a cut is dropped."""
    if len(text) * 4 <= max_bytes or len(text.encode()) <= max_bytes:
        return (text,)
    parts, rest = [], text
    while len(rest.encode()) > max_bytes:
        end = _cut(rest, _fitting(rest, max_bytes))
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return tuple(part for part in (*parts, rest) if part)


def _fitting(text: str, max_bytes: int) -> int:
    """Return how many characters fit."""
    return len(text.encode()[:max_bytes].decode("utf-8", "ignore"))


def _cut(text: str, fits: int) -> int:
    # A pause in the first half would leave a stump; then the next kind of pause is better.
    for marks in _PAUSES:
        at = max(_last(text, mark, fits) for mark in ([marks] if "\n" in marks else marks))
        if at > fits // 2:
            return at
    return _between(text, fits)


def _last(text: str, mark: str, fits: int) -> int:
    at = text.rfind(mark, 0, fits)
    return at + len(mark) if at >= 0 else 0


def _between(text: str, fits: int) -> int:
    """Return the last place up to ``fits`` that is inside no number, word or composed character."""
    at = fits
    while at > fits // 2 and _inside(text, at):
        at -= 1
    return at if at > fits // 2 else fits


def _inside(text: str, at: int) -> bool:
    left, right = text[at - 1], text[at]
    word = left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
    return word or unicodedata.combining(right) != 0 or _JOINER in {left, right} or right == _VARIATION
