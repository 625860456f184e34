"""Who may do what at the desk: one table (domain.md 1.10, roles; 等保2.0 level 3: administration and audit apart)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What somebody of the staff is."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    UNIT = "unit"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Right(StrEnum):
    """One thing that can be done."""

    READ_TALKS = "read_talks"
    REPLY = "reply"
    NOTE = "note"
    TRANSFER = "transfer"
    TAKE_OVER = "take_over"
    WHISPER = "whisper"
    REVEAL = "reveal"
    ACT_ON_CASES = "act_on_cases"
    MARK_ABUSE = "mark_abuse"
    APPROVE_ABUSE = "approve_abuse"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"
    SEE_WALL = "see_wall"
    MANAGE_ACCOUNTS = "manage_accounts"
    READ_AUDIT = "read_audit"


_AGENT = frozenset(
    {
        Right.READ_TALKS,
        Right.REPLY,
        Right.NOTE,
        Right.TRANSFER,
        Right.REVEAL,
        Right.ACT_ON_CASES,
        Right.MARK_ABUSE,
        Right.ACKNOWLEDGE_ALERT,
    }
)
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _AGENT | {Right.TAKE_OVER, Right.WHISPER, Right.APPROVE_ABUSE, Right.SEE_WALL},
    Role.UNIT: frozenset(),
    Role.ADMIN: frozenset({Right.MANAGE_ACCOUNTS}),
    Role.AUDITOR: frozenset({Right.READ_AUDIT}),
}
"""A unit's officer has no part in talks; whoever makes accounts reads no talks, and whoever reads the audit changes
nothing."""
SERVES = tuple(role.value for role, rights in RIGHTS.items() if Right.REPLY in rights)
"""The roles that conversations may be given to."""


def may(role: str, right: Right) -> bool:
    """Return whether a role has a right; an unknown role has none."""
    return role in RIGHTS and right in RIGHTS[Role(role)]
