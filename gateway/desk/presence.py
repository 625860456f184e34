"""Who is at the desk: tabs that are alive, and what their person wants to be."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.desk.moves import Refused, Why
from gateway.runtime import millis
from gateway.store import desk as sql
from gateway.store.rows import DeskEventRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.desk.hands import Write
    from gateway.desk.routing import Rules
    from gateway.store.store import Store


class State(StrEnum):
    """How an agent stands; the first three are chosen, the others follow from the tabs."""

    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    RECONNECTING = "reconnecting"
    OFFLINE = "offline"


class Presence:
    """Keeps and tells who is there; ``came`` is called when somebody comes, for he has room."""

    def __init__(
        self,
        *,
        store: Store,
        write: Write,
        now: Callable[[], datetime],
        came: Callable[[], None],
        rules: Rules,
    ) -> None:
        self._store = store
        self._write = write
        self._clock = now
        self._came = came
        self.rules = rules

    async def beat(self, agent: bytes, tab: str) -> None:
        """Keep one tab of an agent alive for a minute; beat every 30 s. Several tabs count as one presence."""
        now = millis(self._clock())

        def work(connection: Connection) -> bool:
            came = not sql.present(connection, agent, now)
            sql.beat(connection, agent, tab, now + self.rules.lease_ms)
            return came

        if await self._store.write(work):
            # Who comes has room: the router looks at once.
            self._came()

    async def leave(self, agent: bytes, tab: str) -> None:
        """End the lease of a tab; nothing is taken from the agent before the grace is over."""
        now = millis(self._clock())
        await self._store.write(lambda c: sql.leave(c, agent, tab, now))

    async def choose(self, agent: bytes, state: State) -> None:
        """Set what an agent wants to be: online gets new talks, busy keeps his and may take, away gets none."""

        def work(connection: Connection, now: int) -> None:
            if sql.lock_agent(connection, agent) is None:
                raise Refused(Why.UNKNOWN)
            sql.choose(connection, agent, state.value)
            event = DeskEventRow(now, None, "presence", "", 0, agent, agent, state.value)
            sql.append(connection, [event])

        await self._write(work)

    async def standing(self, agent: bytes) -> tuple[State, int]:
        """Return how an agent stands now, and what he holds in fifths of a chat."""
        now = millis(self._clock())
        row, until, load = await self._store.read(
            lambda c: (sql.agent(c, agent), sql.last_seen(c, agent), sql.load(c, agent))
        )
        if row is None or until + self.rules.grace_ms <= now:
            return State.OFFLINE, load
        return State(row["state"]) if until > now else State.RECONNECTING, load
