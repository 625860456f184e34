"""Notices into words. The wording comes from outside: for each kind a long and a short text."""

from __future__ import annotations

from collections.abc import Mapping

from normalizer.errors import Misconfigured
from outbox.notices import Notice

LONG, SHORT = "long", "short"
ROOM = 70 - len("【泰安12345】")
"""UTF-16 units of one short message beside a signature of nine characters, as all are counted (domain.md 4.4)."""
FREE = ("reason", "unit", "label", "text")
"""The values that people write, of any length; dates and numbers are never cut."""


def render(notice: Notice, words: Mapping[str, Mapping[str, str]], *, short: bool) -> str:
    """Return the words of a notice, the short ones for SMS; raises Misconfigured when a field has no value.

    In the short ones what a person wrote is cut, with …, where it would make a second message.
    """
    wording = words[notice.kind.value][SHORT if short else LONG]
    values = {"tail": notice.case_no[-7:], "case_no": notice.case_no, **notice.fields}
    try:
        text = wording.format_map(values)
    except KeyError as error:
        raise Misconfigured(f"notices.{notice.kind}", f"nothing gives {error}") from error
    over = _units(text) - ROOM
    if not short or over <= 0:
        return text
    free = [name for name in FREE if f"{{{name}}}" in wording]
    longest = max(free, key=lambda name: _units(values[name]), default="")
    return wording.format_map({**values, longest: _cut(values.get(longest, ""), over)})


def _cut(value: str, over: int) -> str:
    """Return a value that is at least so many units shorter and ends in …, as far as it has them."""
    kept = value
    while kept and _units(value) - _units(kept) < over + 1:
        kept = kept[:-1]
    return f"{kept}…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-be", "replace")) // 2
