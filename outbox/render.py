"""Notices into words. The wording comes from outside: for each kind a long and a short text."""

from __future__ import annotations

from collections.abc import Mapping

from normalizer.errors import Misconfigured
from outbox.notices import Notice

LONG, SHORT = "long", "short"


def render(notice: Notice, words: Mapping[str, Mapping[str, str]], *, short: bool) -> str:
    """Return the words of a notice, the short ones for SMS; raises Misconfigured when a field has no value."""
    wording = words[notice.kind.value][SHORT if short else LONG]
    try:
        return wording.format_map({"tail": notice.case_no[-7:], "case_no": notice.case_no, **notice.fields})
    except KeyError as error:
        raise Misconfigured(f"notices.{notice.kind}", f"nothing gives {error}") from error
