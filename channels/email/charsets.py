"""Bytes to text, whatever the mail says they are (spec 5.1).

Chinese mail calls GB18030 by any of its family's names, calls GBK UTF-8 and UTF-8 GBK, or calls it nothing. A label is
believed only while the bytes agree with it; then UTF-8 and GB18030 are tried; no byte ever raises.
"""

from __future__ import annotations

import codecs
import re

_FAMILY = "gb2312 gbk gb18030 gb_2312-80 gb2312-80 gb_2312 x-gbk cp936 ms936 windows-936 euc-cn euccn x-euc-cn csgb2312 chinese gb"
_ALIASES = dict.fromkeys(_FAMILY.split(), "gb18030") | {
    "utf8": "utf-8",
    "utf-8-bom": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "hz-gb-2312": "hz",
    "x-big5": "big5hkscs",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
    "unicode": "utf-16",
}

# Text encodings only: idna and punycode take quadratic time, unicode_escape warns, zlib and the like are bombs.
_ALLOWED = re.compile(
    r"ascii|utf-(7|8|8-sig|16|16-[bl]e|32|32-[bl]e)|gb18030|big5(hkscs)?|hz|iso8859-\d+|iso2022_(jp\w*|kr)|euc_(jp\w*|kr)"
    r"|shift_jis\w*|koi8-[rtu]|tis-620|johab|mac-\w+|cp(037|4\d\d|7\d\d|8\d\d|9\d\d|125\d)",
)
_GUESSES = frozenset({"ascii", "iso8859-1", "cp1252", ""})
"""Labels that software writes when it does not know: the bytes are looked at first."""

_CJK = re.compile(
    "[\u2010-\u2027\u2030-\u205e\u20ac\u2100-\u27bf\u3000-\u30ff\u31f0-\u9fff\uf900-\ufaff\ufe30-\uffef\U00010000-\U0003ffff]"
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(raw: bytes, label: str = "") -> str:
    """Return the text of bytes under a charset label, which may be wrong, unknown or empty."""
    return decode_noting(raw, label)[0]


def decode_noting(raw: bytes, label: str = "") -> tuple[str, bool]:
    """Return the text, and whether every byte was understood; where not, U+FFFD stands for what was not."""
    for mark, codec in _BOMS:
        if raw.startswith(mark) and (text := _strict(raw, codec)) is not None:
            return text, True
    codec = codec_of(label)
    if raw.isascii() and codec in (_GUESSES | {"utf-8", "gb18030", "big5hkscs"}):
        return raw.decode("ascii"), True
    for attempt in _attempts(raw, codec):
        if (text := _strict(raw, attempt)) is not None:
            return text, True
    return min((raw.decode(name, "replace") for name in ("utf-8", "gb18030")), key=_lost), False


def codec_of(label: str) -> str:
    """Return Python's name of a charset label, or an empty text for one that is unknown or no charset."""
    name = label.strip().strip("\"'").strip().lower()
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name
    except (LookupError, ValueError):
        return ""
    found = _ALIASES.get(found, found)
    return found if _ALLOWED.fullmatch(found) else ""


def repaired(text: str) -> str:
    """Return a header as Python's parser gives it, with the raw bytes hidden in it (surrogates) made text."""
    if text.isascii():
        return text
    try:
        return decode(text.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _attempts(raw: bytes, codec: str) -> tuple[str, ...]:
    """Return the codecs to try, best first."""
    sniffed = ("utf-8", "gb18030")
    if codec == "gb18030" and _chinese(raw, "utf-8"):
        return sniffed
    if codec in _GUESSES:
        # Latin-1 takes any bytes, so that it is believed only when they are neither UTF-8 nor plainly Chinese.
        return ("utf-8", *(("gb18030",) if codec in ("", "ascii") or _plainly_chinese(raw) else (codec,)))
    if codec == "utf-8":
        return sniffed
    return (codec, "big5", "cp950", *sniffed) if codec == "big5hkscs" else (codec, *sniffed)


def _chinese(raw: bytes, codec: str) -> bool:
    text = _strict(raw, codec)
    return text is not None and all(char.isascii() or _CJK.match(char) for char in text)


def _plainly_chinese(raw: bytes) -> bool:
    # Accented Latin letters make a rare GBK character now and then; a Chinese text is nearly all GB 2312.
    wide = "".join(char for char in _strict(raw, "gb18030") or "" if not char.isascii())
    return len(wide) >= 3 and len(wide.encode("gb2312", "ignore")) >= 1.4 * len(wide)


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _lost(text: str) -> int:
    return text.count("\ufffd")
