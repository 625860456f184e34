"""What a citizen is told when a case moves: one notice per case, event and round, never twice (domain.md 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NoticeKind(StrEnum):
    """The notices; their wording is data."""

    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    NEED_INFO = "need_info"
    EXTENDED = "extended"
    EXTENSION_REFUSED = "extension_refused"
    REPLIED = "replied"
    ANSWERED = "answered"
    RATE = "rate"
    REJECTED = "rejected"
    DIVERTED = "diverted"
    MERGED = "merged"
    SUSPENDED = "suspended"
    OVERDUE = "overdue"
    REWORK = "rework"
    TERMINATED = "terminated"
    FOLLOWED = "followed"
    FOLLOW_ENDED = "follow_ended"


ANSWERS = frozenset(
    {NoticeKind.REPLIED, NoticeKind.ANSWERED, NoticeKind.REJECTED}
    | {NoticeKind.DIVERTED, NoticeKind.TERMINATED}
)
"""These answer what was asked: they come as the citizen wished to be answered (答复方式)."""
OTP = "otp"
"""What a code to type in is sent as: about no case, told whenever it is asked for."""
AGENT, DESK = "agent", "desk"
"""What a person at the desk writes, and what the desk says of it: an answer to somebody who is there."""
HELD_AT_NIGHT = frozenset(
    {NoticeKind.NEED_INFO, NoticeKind.RATE, NoticeKind.OVERDUE}
    | {NoticeKind.FOLLOWED, NoticeKind.FOLLOW_ENDED}
)
"""These wait for the morning (quiet hours 21:00 to 08:00); the others are sent at any time."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: the case, what happened, which time it happened, and the values of its wording.

    ``secret`` says that the case is confidential: beside the talk it belongs to, nothing is told of it (domain.md 4.4).
    """

    case_no: str
    kind: NoticeKind
    round: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False

    @property
    def key(self) -> str:
        """What makes the notice itself: the same key is never sent twice."""
        return f"{self.case_no}:{self.kind}:{self.round}"
