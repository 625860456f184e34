"""Notices into words. The wording comes from outside: for each kind a long and a short text, for a page where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from normalizer.errors import Misconfigured
from normalizer.message import SourceChannel
from outbox.notices import Notice

if TYPE_CHECKING:
    from channels.contract import Capabilities


class Wording(StrEnum):
    """Which text: in full, in few words for SMS, or for a page, where nobody answers by a digit."""

    LONG = "long"
    SHORT = "short"
    PAGE = "page"


SEE = "see"
"""The words for where an answer is read that the notice itself may not carry."""
DISCREET = "discreet"
"""The words for news of a confidential case."""
ROOM = 70 - len("【泰安12345】")
"""UTF-16 units of one short message beside a signature of nine characters, as all are counted (domain.md 4.4)."""
FREE = ("reason", "unit", "label", "text")
"""The values that people write, of any length; dates and numbers are never cut."""
_BY_SOURCE = {SourceChannel.SMS: Wording.SHORT, SourceChannel.WEB: Wording.PAGE}


def wording(able: Capabilities) -> Wording:
    """Return the wording that fits a channel."""
    return _BY_SOURCE.get(able.source, Wording.LONG)


def render(notice: Notice, words: Mapping[str, Mapping[str, str]], wording: Wording) -> str:
    """Return the words of a notice; raises Misconfigured when a field has no value.

    In the short ones what a person wrote is cut, with …, where it would make a second message.
    """
    template = _of(words[notice.kind.value], wording)
    here = {
        "tail": notice.case_no[-7:],
        "case_no": notice.case_no,
        "text": _of(words[SEE], wording),
        "path": "",
    }
    values = {**here, **notice.fields}
    try:
        text = template.format_map(values)
    except KeyError as error:
        raise Misconfigured(f"notices.{notice.kind}", f"nothing gives {error}") from error
    over = _units(text) - ROOM
    if wording is not Wording.SHORT or over <= 0:
        return text
    free = [name for name in FREE if f"{{{name}}}" in template]
    longest = max(free, key=lambda name: _units(values[name]), default="")
    return template.format_map({**values, longest: _cut(values.get(longest, ""), over)})


def discreet(case_no: str, words: Mapping[str, Mapping[str, str]], wording: Wording) -> str:
    """Return all that may be told of a confidential case beside its talk (domain.md 4.4)."""
    return _of(words[DISCREET], wording).format(tail=case_no[-7:])


def _of(texts: Mapping[str, str], wording: Wording) -> str:
    return texts.get(wording) or texts[Wording.LONG]


def _cut(value: str, over: int) -> str:
    """Return a value that is at least so many units shorter and ends in …, as far as it has them."""
    kept = value
    while kept and _units(value) - _units(kept) < over + 1:
        kept = kept[:-1]
    return f"{kept}…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-be", "replace")) // 2
