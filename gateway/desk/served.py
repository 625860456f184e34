"""Who is asked to rate the service that a person gave him, and that he is asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.state import Quiet
from gateway.runtime import millis
from gateway.store import desk as sql
from gateway.store import restrictions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bots.state import State
    from gateway.store.desk import Talk

REFUSED = "refused"
"""A step of the ladder that a supervisor did not grant."""


def asks(connection: Connection, talk: Talk, state: State, now: int) -> bool:
    """Note that the citizen of a locked talk is asked, and return whether he is.

    He is not when nobody served him, when he was asked for this service before, and when he is restricted or was put
    onto the ladder against abuse while it lasted (T30, T31).
    """
    if talk.agent is None or talk.enqueued_at is None or _held_off(state, now):
        return False
    steps = restrictions.of(connection, talk.conversation)
    if any(step.at >= talk.enqueued_at and step.state != REFUSED for step in steps):
        return False
    return sql.ask(connection, talk, now)


def _held_off(state: State, now: int) -> bool:
    return state.quiet is not Quiet.NO and state.quiet_until is not None and millis(state.quiet_until) > now
