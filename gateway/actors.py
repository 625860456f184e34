"""Who did it, as the record of the staff's acts (``access``) names him: one form, ``agent:li`` or ``shell:root``.

The record is only ever added to. Rows of earlier versions hold a bare name; they are shown in the same form.
"""

from __future__ import annotations

SYSTEM = "system"
"""The gateway itself."""
NOBODY = "agent:?"
"""Who tried to log in and has no account; what he typed may be a password."""
_BY_AGENTS = frozenset({"login", "agent own password", "agent link", "desk form", "desk case"})
"""The acts under which earlier versions wrote an agent's bare login; under any other it was the shell's user."""


def agent(login: str) -> str:
    """Return the name of somebody at the desk."""
    return f"agent:{login}"


def shell(user: str) -> str:
    """Return the name of who typed a command, by his account of the operating system."""
    return f"shell:{user}"


def shown(actor: str, act: str) -> str:
    """Return who a row names, in today's form whenever it was written."""
    if ":" in actor or actor == SYSTEM:
        return actor
    return agent(actor) if act in _BY_AGENTS else shell(actor)
