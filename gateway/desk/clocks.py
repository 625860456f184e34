"""Clocks that run on when the desk's hours, its spans or the calendar were changed: each is set anew from its beginning.

When a clock began stands in the log, not beside it: a clock is set by an event or by what the citizen said. So nothing is
closed, and nobody's talk is taken from him, at an hour that was the desk's under the settings of yesterday.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateway.store import desk as sql
from gateway.store import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from gateway.desk.routing import Rules
    from gateway.store.desk import Talk
    from gateway.store.store import Store

MARK = "desk clocks"
AT_ONCE = 200
_GIVEN = ("assigned", "taken", "accepted", "taken_over", "handed", "undone")
_STRUCK = ("silent", "silent_untold")
_BY_HOURS = frozenset({"silent", "overdue", "idle", "closing"})
"""The clocks that run while people are at the desk; of the closing one only here, where its hour may have become night."""
_BEGINS: Mapping[str, tuple[str, ...]] = {
    "offer": ("offered",),
    "silent": _GIVEN,
    "overdue": _STRUCK,
    "idle": ("reply", "unheld"),
    "closing": ("idle", "idle_untold"),
    "wrap_up": ("wrapped_up",),
    "again": ("declined", "lapsed", "lost", "transferred"),
}
"""The events that set each clock; the silent one is set by what a citizen says too."""


async def reset(store: Store, rules: Rules, mark: str, now: int) -> int:
    """Set the running clocks anew if they ran under another mark; return how many strike at another time now.

    ``mark`` stands for all that the rules are made of. A clock that should have struck meanwhile strikes after the grace,
    not in the instant of the start: nobody could act on it.
    """
    if await store.read(lambda c: kept.value(c, MARK)) == mark:
        return 0
    moved, after = 0, b""
    while talks := await store.read(partial(sql.clocked, after=after, limit=AT_ONCE)):
        for talk in talks:
            moved += await store.write(partial(_reset, conversation=talk, rules=rules, now=now))
        after = talks[-1]
    await store.write(lambda c: kept.put(c, MARK, mark))
    return moved


def _reset(connection: Connection, conversation: bytes, rules: Rules, now: int) -> bool:
    talk = sql.lock(connection, conversation)
    if talk is None or talk.due_at is None or talk.clock not in _BEGINS:
        return False
    began = _began(connection, talk)
    due = _due(talk.clock, began, rules) if began is not None else talk.due_at
    if due == talk.due_at:
        return False
    sql.keep(connection, talk._replace(due_at=max(due, now + rules.grace_ms)))
    return True


def _began(connection: Connection, talk: Talk) -> int | None:
    """Return when the clock of a locked talk was set, None where the log does not say."""
    latest = partial(sql.latest, connection, talk.conversation)
    set_at = latest(_BEGINS[talk.clock])
    if talk.clock != "silent":
        return set_at
    if (ended := latest((*_STRUCK, "wrapped_up"))) is not None and ended > (set_at or 0):
        # It had ended and runs again: for what was said since.
        return sql.first(connection, talk.conversation, "message", ended) or ended
    return max(set_at or 0, talk.waiting_since or 0) or None


def _due(clock: str, began: int, rules: Rules) -> int:
    spans = {
        "silent": rules.silent_ms,
        "overdue": 3 * rules.silent_ms,
        "idle": rules.idle_ms,
        "offer": rules.offer_ms,
        "closing": rules.closing_ms,
        "wrap_up": rules.wrap_up_ms,
        "again": rules.decline_ms,
    }
    return rules.after(began, spans[clock]) if clock in _BY_HOURS else began + spans[clock]
