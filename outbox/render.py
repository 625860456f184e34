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
_BY_SOURCE = {SourceChannel.SMS: Wording.SHORT, SourceChannel.WEB: Wording.PAGE}


def wording(able: Capabilities) -> Wording:
    """Return the wording that fits a channel."""
    return _BY_SOURCE.get(able.source, Wording.LONG)


def render(notice: Notice, words: Mapping[str, Mapping[str, str]], wording: Wording) -> str:
    """Return the words of a notice; raises Misconfigured when a field has no value."""
    fields = {
        "tail": notice.case_no[-7:],
        "case_no": notice.case_no,
        "text": _of(words[SEE], wording),
        **notice.fields,
    }
    try:
        return _of(words[notice.kind.value], wording).format_map(fields)
    except KeyError as error:
        raise Misconfigured(f"notices.{notice.kind}", f"nothing gives {error}") from error


def _of(texts: Mapping[str, str], wording: Wording) -> str:
    return texts.get(wording) or texts[Wording.LONG]
