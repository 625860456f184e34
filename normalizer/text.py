"""Cleaning of what people write, and the folded form in which words are looked for."""

from __future__ import annotations

import json
import re
import unicodedata
from importlib.util import find_spec
from pathlib import Path

LIMIT = 2000
"""Characters of a case's content (domain.md 2.1)."""

# Letters, digits and the space have narrow twins; Chinese punctuation stays wide, because it is right as it is.
_NARROW = {
    code: code - 0xFEE0
    for code in range(0xFF01, 0xFF5F)
    if unicodedata.category(chr(code - 0xFEE0))[0] in "LN" or chr(code - 0xFEE0) in "@#%&*+-=_/\\"
}
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C)
_HIDDEN = (
    0x200B,
    0x200C,
    0x200E,
    0x200F,
    0x2060,
    0x2061,
    0x2062,
    0x2063,
    0xFEFF,
    0x00AD,
    0x180E,
    0xFFF9,
    0xFFFA,
    0xFFFB,
)
_CONTROL = tuple(code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r\x85")
_TABLE: dict[int, int | str | None] = {
    **_NARROW,
    **dict.fromkeys((*_BIDI, *_HIDDEN, *_CONTROL)),
    0x3000: " ",
    0xA0: " ",
    0x09: " ",
    0x85: "\n",
    0x2028: "\n",
    0x2029: "\n",
}
_UNUSUAL = re.compile("[^\n -~\u3001-\u303e\u4e00-\u9fff\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f“”‘’…—·]")
_LINE_END = re.compile(r"\r\n?")
_BLANKS = re.compile(r"[ ]{2,}| +(?=\n)|(?<=\n) +|\n{3,}")
_SENTENCE = re.compile(r"[^。！？!?；;…\n]*[。！？!?；;…\n]+|[^。！？!?；;…\n]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_WORD = re.compile(r"[^\W_]")
_JOINERS = frozenset("\u200d\ufe0f")


def _simplified() -> dict[int, str]:
    """One traditional character to its simplified one, from zhconv's own table (the package itself is slow to load)."""
    spec = find_spec("zhconv")
    assert spec is not None
    assert spec.origin is not None
    pairs = json.loads(Path(spec.origin).with_name("zhcdict.json").read_bytes())["zh2Hans"]
    # The table names many characters that stay as they are; with them nearly every text would be worth translating.
    return {ord(old): new for old, new in pairs.items() if len(old) == len(new) == 1 and old != new}


_SIMPLIFIED = _simplified()
# A character class is one look-up within the basic plane; the 1 400 rare ones beyond would be compared one by one.
_TRADITIONAL = re.compile(
    f"[{''.join(chr(old) for old in _SIMPLIFIED if old <= 0xFFFF)}\U00010000-\U0010ffff]"
)


def clean(text: str, *, limit: int = LIMIT) -> str:
    """Return the text without hidden characters, in NFC, with narrow digits and letters, at most ``limit`` long."""
    if _UNUSUAL.search(text):
        text = unicodedata.normalize("NFC", _LINE_END.sub("\n", text).translate(_TABLE))
    if " " in text or "\n" in text:
        # Most messages have no blank; the pattern would be tried at each of their characters.
        text = _BLANKS.sub(_one_blank, text)
    text = text.strip()
    return text if len(text) <= limit else _cut(text, limit).rstrip()


def for_matching(text: str) -> str:
    """Return the folded form in which words are looked for: NFKC, lower case, simplified characters."""
    if _UNUSUAL.search(text):
        text = unicodedata.normalize("NFKC", clean(text))
    text = text.casefold()
    # Translating costs more than looking whether there is anything to translate.
    return text.translate(_SIMPLIFIED) if _TRADITIONAL.search(text) else text


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences with their closing marks."""
    return tuple(_SENTENCE.findall(text))


def han_count(text: str) -> int:
    """Return how many Chinese characters there are."""
    return sum(map(len, _HAN.findall(text)))


def is_empty(text: str) -> bool:
    """Return whether there is no letter, character or digit at all: blanks, punctuation, pictures."""
    return _WORD.search(text) is None


def _one_blank(found: re.Match[str]) -> str:
    blanks = found.group()
    if blanks[0] == "\n":
        return "\n\n"
    return (
        ""
        if (found.end() < len(found.string) and found.string[found.end()] == "\n")
        or (found.start() > 0 and found.string[found.start() - 1] == "\n")
        else " "
    )


def _cut(text: str, limit: int) -> str:
    end = limit
    while end > 0 and (
        unicodedata.combining(text[end]) or text[end] in _JOINERS or text[end - 1] == "\u200d"
    ):
        end -= 1
    return text[: end or limit]
