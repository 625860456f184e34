"""The initials by which Chinese words are found from the keyboard: 已受理 by ysl.

GB 2312 orders its 3,755 common characters by their reading, so their place says their initial and no dictionary is
needed; a character with several readings has the one it stands under. The rarer characters have none.
"""

from __future__ import annotations

from bisect import bisect_right

_STARTS = (
    ("a", 0xB0A1),
    ("b", 0xB0C5),
    ("c", 0xB2C1),
    ("d", 0xB4EE),
    ("e", 0xB6EA),
    ("f", 0xB7A2),
    ("g", 0xB8C1),
    ("h", 0xB9FE),
    ("j", 0xBBF7),
    ("k", 0xBFA6),
    ("l", 0xC0AC),
    ("m", 0xC2E8),
    ("n", 0xC4C3),
    ("o", 0xC5B6),
    ("p", 0xC5BE),
    ("q", 0xC6DA),
    ("r", 0xC8BB),
    ("s", 0xC8F6),
    ("t", 0xCBFA),
    ("w", 0xCDDA),
    ("x", 0xCEF4),
    ("y", 0xD1B9),
    ("z", 0xD4D1),
)
"""Where the characters of each initial begin (GB 2312, level 1)."""
_PLACES = [place for _, place in _STARTS]
_END = 0xD7F9


def initials(text: str) -> str:
    """Return the initials of a text: of common Chinese characters, with letters and digits as they are."""
    return "".join(map(_initial, text.casefold()))


def _initial(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else ""
    try:
        place = int.from_bytes(character.encode("gb2312"))
    except UnicodeEncodeError:
        return ""
    return _STARTS[bisect_right(_PLACES, place) - 1][0] if _PLACES[0] <= place <= _END else ""
