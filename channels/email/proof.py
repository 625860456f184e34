"""What our own mail server found of a sender's proofs (RFC 8601), in words for agents: shown, never a reason to refuse.

A letter whose address is doubted is taken in as any other; what it may do to a case is the bot's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from channels.email.letter import Letter
from normalizer.message import DOUBTED

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
    """Return a short Chinese note per mechanism (spf, dkim, dmarc), and ``doubted`` where the address is not the sender's.

    A sender can write such a header himself: only those of our own server (its authserv-id) count, and of these the
    topmost, which was added last. An empty ``server`` trusts none. In doubt is an address whose domain says so by DMARC,
    or for which SPF and DKIM both failed; one that was merely forwarded fails SPF alone.
    """
    found = _found(letter, server)
    notes = {name: _WORDS.get(result, result) + of for name, (result, of) in found.items()}
    failed = {name for name, (result, _) in found.items() if result == "fail"}
    judged = found["dmarc"][0] if "dmarc" in found else ""
    if judged == "fail" or (judged != "pass" and {"spf", "dkim"} <= failed):
        notes[DOUBTED] = "发件地址未通过核验，可能是冒用"
    return notes


def _found(letter: Letter, server: str) -> Mapping[str, tuple[str, str]]:
    for value in letter.headers.get("authentication-results", ()):
        identity, *results = _COMMENT.sub(" ", value).split(";")
        if server and identity.split()[:1] == [server]:
            return _read(results)
    return {}


def _read(results: list[str]) -> Mapping[str, tuple[str, str]]:
    """Return the result of each mechanism, and of which domain it is."""
    read: dict[str, tuple[str, str]] = {}
    for result in results:
        if match := _RESULT.match(result):
            name, found = match.group(1).lower(), match.group(2).lower()
            of = _OF.search(result)
            # Several DKIM signatures: one that holds is enough.
            if found == "pass" or name not in read:
                read[name] = (found, f"（{of.group(1)}）" if of else "")
    return read
