"""What the platform's error codes mean for us (wechat.md 2.8, from the provider's pages on each call)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from channels.contract import SendError, SendReason

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_DEAD = frozenset({40001, 40014, 42001})
"""The access token is bad or expired: refresh it once, if it is still the one that failed."""
ALREADY_TAKEN = frozenset({45065, 45081})
"""The same client_msg_id came before: it is sent. He sees already that somebody is writing."""
MEDIA_GONE = 40007

_REASONS: dict[int, SendReason] = {
    -1: SendReason.BUSY,
    40001: SendReason.CREDENTIALS,
    40014: SendReason.CREDENTIALS,
    42001: SendReason.CREDENTIALS,
    41001: SendReason.CREDENTIALS,
    40013: SendReason.CREDENTIALS,
    40125: SendReason.CREDENTIALS,
    40164: SendReason.CREDENTIALS,
    61004: SendReason.CREDENTIALS,
    40003: SendReason.UNREACHABLE,
    43004: SendReason.UNREACHABLE,
    43101: SendReason.REFUSED,
    45009: SendReason.QUOTA,
    45011: SendReason.THROTTLED,
    45066: SendReason.THROTTLED,
    45002: SendReason.CONTENT,
    45008: SendReason.CONTENT,
    47001: SendReason.CONTENT,
    47003: SendReason.CONTENT,
    40037: SendReason.CONTENT,
    40007: SendReason.CONTENT,
    41030: SendReason.CONTENT,
    45015: SendReason.WINDOW,
    45047: SendReason.WINDOW,
    45080: SendReason.WINDOW,
    48001: SendReason.FORBIDDEN,
    48004: SendReason.FORBIDDEN,
    50002: SendReason.FORBIDDEN,
    40200: SendReason.FORBIDDEN,
    60020: SendReason.CREDENTIALS,
    95001: SendReason.WINDOW,
    95002: SendReason.WINDOW,
    95018: SendReason.WINDOW,
}
_MINUTE = 60.0
_TRACE = re.compile(r"rid: ?[0-9A-Za-z-]+")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def error_of(answer: Mapping[str, Any]) -> SendError | None:
    """Return the error an answer tells of, None when it is well; unknown codes are faults of the content."""
    code = answer.get("errcode", 0)
    if code == 0 or code in ALREADY_TAKEN:
        return None
    reason = _REASONS.get(code, SendReason.CONTENT) if isinstance(code, int) else SendReason.CONTENT
    message = str(answer.get("errmsg", ""))
    # Only the trace and our own address are kept of the words: they may quote what the citizen was told.
    kept = [found.group() for pattern in (_TRACE, _ADDRESS) if (found := pattern.search(message))]
    detail = " ".join([f"errcode {code}", *kept])
    return SendError(reason, detail, retry_after=_MINUTE if reason is SendReason.THROTTLED else None)
