"""What a relay's refusal means: by the step it came at, its code (RFC 5321 4.2) and its enhanced code (RFC 3463)."""

from __future__ import annotations

import re
from enum import StrEnum

from channels.contract import SendError, SendReason

GREYLISTED = 300.0
"""Seconds after which a server that puts strangers off takes the same mail (RFC 6647 5: minutes, not hours)."""
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_GREY = re.compile(r"gr[ae]y.?list", re.IGNORECASE)


class Step(StrEnum):
    """What was refused: our address, the citizen's, or the letter."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"


_MEANINGS: tuple[tuple[str, SendReason], ...] = (
    (r".* 421 .*", SendReason.BUSY),
    (r".* 53[0458] .*", SendReason.CREDENTIALS),
    # Put off as a stranger or for too many mails: to come again at once is what such a server punishes.
    (r".* 45[01] (4\.7\.\d+|grey)", SendReason.THROTTLED),
    (r".* 4\d\d .*", SendReason.BUSY),
    # The mail is too large; 552 also stands for a full mailbox, which its enhanced code tells.
    (r".* \d+ 5\.3\.4", SendReason.CONTENT),
    (r".* 552 (?!5\.2\.).*", SendReason.CONTENT),
    # Our own address is not let write.
    (r".* \d+ 5\.1\.[78]", SendReason.FORBIDDEN),
    (r"MAIL 55[0134] .*", SendReason.FORBIDDEN),
    # No such person, or no way to him.
    (r".* \d+ 5\.[124]\.\d+", SendReason.UNREACHABLE),
    # His server's policy: another way may do.
    (r".* 55[0134] 5\.7\.\d+", SendReason.REFUSED),
    (r"RCPT 55[013] .*", SendReason.UNREACHABLE),
    (r"RCPT 554 .*", SendReason.REFUSED),
    (r".*", SendReason.CONTENT),
)
"""In this order, over "STEP code enhanced"; the enhanced code is empty where there is none."""


def refusal(step: Step, code: int, words: str) -> SendError:
    """Return what a relay's answer to a step means."""
    found = _ENHANCED.search(words)
    enhanced = found.group() if found else ""
    # The relay's own words often hold the citizen's address, which no log may; its enhanced code says enough.
    detail = f"{step} {code} {enhanced}".rstrip()
    seen = f"{step} {code} {'grey' if _GREY.search(words) else enhanced}"
    reason = next(reason for pattern, reason in _MEANINGS if re.fullmatch(pattern, seen))
    return SendError(reason, detail, retry_after=GREYLISTED if reason is SendReason.THROTTLED else None)
