"""What our own mail server found of a sender's proofs (RFC 8601), in words for agents: shown, never a reason to refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping

from channels.email.letter import Letter

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*(spf|dkim|dmarc|arc|auth)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_OF = re.compile(r"\b(?:header\.(?:d|from|i)|smtp\.(?:mailfrom|helo))\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_WORDS = {
    "pass": "通过",
    "fail": "未通过",
    "softfail": "可疑",
    "neutral": "未表态",
    "none": "未设置",
    "policy": "被策略拒绝",
    "temperror": "暂时无法核验",
    "permerror": "设置有误",
    "bestguesspass": "推测通过",
}


def note(letter: Letter, server: str) -> Mapping[str, str]:
    """Return a short Chinese note per mechanism (spf, dkim, dmarc), trusting only the given authserv-id.

    A sender can write such a header himself: only those of our own server count, and of these the topmost, which was
    added last. An empty ``server`` trusts none.
    """
    for value in letter.headers.get("authentication-results", ()):
        identity, *results = _COMMENT.sub(" ", value).split(";")
        if server and identity.split()[:1] == [server]:
            return _notes(results)
    return {}


def _notes(results: list[str]) -> Mapping[str, str]:
    notes: dict[str, str] = {}
    for result in results:
        if match := _RESULT.match(result):
            name, found = match.group(1).lower(), match.group(2).lower()
            of = _OF.search(result)
            words = _WORDS.get(found, found) + (f"（{of.group(1)}）" if of else "")
            # Several DKIM signatures: one that holds is enough.
            if found == "pass" or name not in notes:
                notes[name] = words
    return notes
