"""Signed tokens that bring an answer back to its case, whichever of its headers survives (spec 5, threading order).

A token is the case number and the first 80 bits of its keyed hash, in base 32 so that servers which fold letters to
one case do no harm. Nobody without the key can make one, so a stranger cannot write himself into a case.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterable

from normalizer import case_no as numbers

Sign = Callable[[str], bytes]
"""The contract's keyed hash (``Tools.sign``)."""

_BYTES = 10
_CODE = "[a-z2-7]{16}"
_IN_ID = re.compile(rf"\.([0-9]{{17}})-({_CODE})@")
_IN_ADDRESS = re.compile(rf"\+([0-9]{{17}})-({_CODE})@")
_BLANK = re.compile(r"\s+")
_SUBJECT = re.compile(r"[\[［【]\s*12345\s*[-－—–]\s*([0-9０-９][0-9０-９ \-－]{15,30})\s*[\]］】]")


def message_id(outgoing_id: str, case_no: str, sign: Sign, domain: str) -> str:
    """Return the Message-ID of a mail of ours, the same for every try; ``case_no`` may be empty."""
    left = re.sub(r"[^0-9A-Za-z_-]", "-", outgoing_id)
    token = f".{case_no}-{_code(case_no, sign)}" if case_no else ""
    return f"<{left}{token}@{domain}>"


def case_in(message_ids: Iterable[str], sign: Sign) -> str:
    """Return the case whose token a Message-ID carries (In-Reply-To, References), or an empty text."""
    return _first(_IN_ID, message_ids, sign)


def plus_address(address: str, case_no: str, sign: Sign) -> str:
    """Return the Reply-To that leads an answer to its case, for mailboxes that take ``name+anything@``."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{case_no}-{_code(case_no, sign)}@{domain}"


def case_in_address(addresses: Iterable[str], sign: Sign) -> str:
    """Return the case whose token an address carries, or an empty text."""
    return _first(_IN_ADDRESS, addresses, sign)


def subject_tag(case_no: str) -> str:
    """Return the tag for a subject (domain.md 4.5); it proves nothing, for anybody may write it."""
    return f"[12345-{case_no}]"


def case_in_subject(subject: str) -> str:
    """Return the first case number in a subject's tags whose check digit is right, or an empty text."""
    for digits in _SUBJECT.findall(subject):
        if number := numbers.parse(digits.replace("－", "-")):
            return number
    return ""


def _code(case_no: str, sign: Sign) -> str:
    return base64.b32encode(sign(f"mail-case:{case_no}")[:_BYTES]).decode("ascii").lower()


def _first(pattern: re.Pattern[str], texts: Iterable[str], sign: Sign) -> str:
    for text in texts:
        for case_no, code in pattern.findall(_BLANK.sub("", text).lower()):
            if hmac.compare_digest(code, _code(case_no, sign)):
                return str(case_no)
    return ""
