"""Who is logged in, who else works at the desk, and the alerts of the people on duty."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.desk.presence import State
from gateway.desk.rights import RIGHTS, Right
from gateway.desk.routing import CHAT
from gateway.runtime import millis
from gateway.store import desk as talks
from gateway.store import desk_reads, mentions
from gateway.web.desk import models as m
from gateway.web.desk.operations import Call, Operation, Reply
from gateway.web.desk.problems import unknown
from gateway.web.desk.reading import local

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from gateway.desk.desk import Desk
    from gateway.store.store import Store
    from gateway.web.desk.session import Sessions

ALERTS = 100


class Me:
    """The operations about people."""

    def __init__(
        self,
        *,
        desk: Desk,
        store: Store,
        sessions: Sessions,
        now: Callable[[], datetime],
    ) -> None:
        self._desk = desk
        self._store = store
        self._sessions = sessions
        self._now = now

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        return (
            Operation("GET", "/me", self.show, newcomer=True),
            Operation("POST", "/me/state", self.choose, Right.REPLY, body=m.State),
            Operation("POST", "/me/beat", self.beat, body=m.Beat, idle=True),
            Operation("GET", "/colleagues", self.colleagues, Right.READ_TALKS),
            Operation("GET", "/alerts", self.alerts, Right.ACKNOWLEDGE_ALERT),
            Operation("POST", "/alerts/{id}/ack", self.acknowledge, Right.ACKNOWLEDGE_ALERT),
        )

    async def show(self, call: Call) -> Reply:
        """Show who is logged in."""
        agent, rules = call.agent, self._desk.rules
        state, load = await self._desk.standing(agent.id)
        cursor = await self._store.read(talks.last_event)
        me = m.Colleague(
            id=agent.id.hex(),
            name=agent.name,
            role=agent.role,
            skills=tuple(sorted(agent.skills)),
            state=state,
            load=load / CHAT,
            capacity=agent.capacity,
        )
        return Reply(
            m.Me(
                agent=me,
                rights=tuple(sorted(RIGHTS[agent.role])),
                csrf=self._sessions.csrf(call.session.id),
                one_time=agent.one_time,
                totp=agent.has_totp,
                settings={
                    "undo_seconds": rules.undo_ms // 1000,
                    "offer_seconds": rules.offer_ms // 1000,
                    "answer_seconds": rules.silent_ms // 1000,
                    "files": m.MANY,
                    "beat_seconds": rules.lease_ms // 2000,
                },
                cursor=str(cursor),
            )
        )

    async def choose(self, call: Call, given: m.State) -> Reply:
        """Set what an agent wants to be."""
        await self._desk.choose(call.agent.id, State(given.state))
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def beat(self, call: Call, given: m.Beat) -> Reply:
        """Keep a tab alive, or end it; a tab in which something was done keeps the session too."""
        if given.closed:
            await self._desk.leave(call.agent.id, given.tab)
        else:
            await self._desk.beat(call.agent.id, given.tab)
        if given.active:
            await self._sessions.used(call.session)
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def colleagues(self, call: Call) -> Reply:
        """Show who works at the desk."""
        now, grace = millis(self._now()), self._desk.rules.grace_ms
        found = await self._store.read(partial(desk_reads.staff, now=now, grace=grace))
        able = [row for row in found if row.role in RIGHTS and Right.REPLY in RIGHTS[row.role]]
        return Reply(m.Colleagues(items=tuple(_colleague(row) for row in able)))

    async def alerts(self, call: Call) -> Reply:
        """Show the alerts that nobody has acknowledged, and where the caller was called and has not looked."""
        me = call.agent.id
        open_, called = await self._store.read(
            lambda c: (desk_reads.alerts(c, ALERTS), mentions.unseen(c, me, ALERTS))
        )
        return Reply(m.Alerts(items=(*map(alert_of, open_), *map(mention_of, called))))

    async def acknowledge(self, call: Call) -> Reply:
        """Note that somebody looks after an alert."""
        try:
            alert = bytes.fromhex(call.named("id"))
        except ValueError:
            raise unknown() from None
        await self._desk.acknowledge(call.agent.id, alert)
        return Reply(status=HTTPStatus.NO_CONTENT)


def alert_of(row: Any) -> m.Alert:
    """Return an alert as it is shown."""
    return m.Alert(
        id=row.id.hex(),
        at=local(row.at),
        talk=row.conversation.hex(),
        kind=row.kind,
        word=row.word,
        acknowledged=row.acknowledged_at is not None,
    )


def mention_of(row: Any) -> m.Alert:
    """Return a call by a colleague as an alert."""
    return m.Alert(
        id=row.id.hex(),
        at=local(row.at),
        talk=row.conversation.hex(),
        kind="mention",
        word="",
        by=row.by,
        acknowledged=row.seen_at is not None,
    )


def _colleague(row: Any) -> m.Colleague:
    return m.Colleague(
        id=row.id.hex(),
        name=row.name,
        role=row.role,
        skills=tuple(sorted(row.skills.split())),
        state=row.state,
        load=row.load / CHAT,
        capacity=row.capacity,
    )
