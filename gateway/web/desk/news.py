"""What happened at the desk, made into what an open page is told: for many events at once, by few questions."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.desk.rights import Right, may
from gateway.runtime import millis
from gateway.store import desk_reads as sql
from gateway.store import mentions
from gateway.web.desk.me import alert_of, mention_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from pydantic import BaseModel
    from sqlalchemy import Connection, Row

    from gateway.desk.accounts import Account
    from gateway.store.desk import Event
    from gateway.web.desk.reading import Reading

WATCHED_MS = 10 * 60_000
"""Milliseconds for which it is told how a reply goes out."""
WATCHED = 2_000
_SETTLED = frozenset({"delivered", "failed", "undone"})
_SPOKEN = frozenset({"message", "reply"})
_ALERTS = frozenset({"alert", "acknowledged"})
MENTION = "mention"


@dataclass(frozen=True, slots=True)
class News:
    """What a page is told: the event's number (None for what is not kept), its kind, its data, and whom it is for."""

    id: int | None
    kind: str
    data: str
    whom: frozenset[bytes] | None = None
    right: Right = Right.READ_TALKS

    def may_see(self, account: Account) -> bool:
        """Return whether somebody is told: those named, else those with the right."""
        return account.id in self.whom if self.whom is not None else may(account.role, self.right)

    @property
    def text(self) -> str:
        """As it is written to a page."""
        number = f"id: {self.id}\n" if self.id is not None else ""
        return f"{number}event: {self.kind}\ndata: {self.data}\n\n"


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is to be known for some events, by id: what was said, by whom, what else happened, which alerts and calls."""

    said: Mapping[bytes, sql.Said]
    names: Mapping[bytes, str]
    happened: Mapping[int, Row[Any]]
    alerts: Mapping[bytes, Row[Any]]
    calls: Mapping[bytes, Row[Any]]


class Reporter:
    """Makes events into news; ``watched`` are the replies of which it is still told how they go out."""

    def __init__(self, reading: Reading, now: Callable[[], datetime]) -> None:
        self._reading = reading
        self._now = now
        self.watched: OrderedDict[bytes, tuple[str, int]] = OrderedDict()

    def told(self, connection: Connection, events: Sequence[Event]) -> list[News]:
        """Return what events mean to a page: the lines first, then each talk once as it stands."""
        told: list[News] = []
        last = {event.conversation: event for event in events if event.conversation}
        rows = {row.id: row for row in self._reading.rows(connection, list(last))}
        known = _known(connection, events)
        for event in events:
            if event.conversation is None:
                told.append(_presence(event))
                continue
            if (line := self._line(event, event.conversation, known)) is not None:
                told.append(line)
            if last[event.conversation] is event and (row := rows.get(event.conversation.hex())):
                told.append(News(event.id, "talk", _data(row=row)))
        return told

    def _line(self, event: Event, talk: bytes, known: _Known) -> News | None:
        """Return an event as a line or an alert; None for what is there no more."""
        if event.kind == "undone":
            gone = {"id": event.detail, "state": "undone", "gone": True}
            return News(event.id, "line", json.dumps({"talk": talk.hex(), "line": gone}))
        if event.kind in _SPOKEN:
            return self._spoken(event, talk, known)
        if event.kind in _ALERTS:
            return self._alert(event, known)
        if event.kind == MENTION:
            called = known.calls[_about(event)]
            return News(event.id, "alert", _data(alert=mention_of(called)), frozenset({called.agent}))
        whom = None
        if event.kind == "whisper":
            whom = frozenset(each for each in (event.agent, event.actor) if each)
        line = self._reading.event(known.happened[event.id])
        return News(event.id, "line", _data(talk=talk.hex(), line=line), whom) if line else None

    def _alert(self, event: Event, known: _Known) -> News | None:
        if (alert := known.alerts.get(_about(event))) is None:
            return None
        told = alert_of(alert).model_copy(update={"by": known.names.get(event.actor or b"", "")})
        return News(event.id, "alert", _data(alert=told), right=Right.ACKNOWLEDGE_ALERT)

    def _spoken(self, event: Event, talk: bytes, known: _Known) -> News | None:
        if (said := known.said.get(_about(event))) is None:
            return None
        if event.kind == "reply":
            self._watch(said.id)
        line = self._reading.line(talk, said, known.names)
        return News(event.id, "line", _data(talk=talk.hex(), line=line)) if line else None

    def viewing(self, connection: Connection, conversations: Sequence[bytes]) -> list[News]:
        """Return who looks at some talks; it is not kept, for it is soon over."""
        here = sql.viewers(connection, conversations, millis(self._now()))
        return [
            News(
                None,
                "presence",
                json.dumps(
                    {
                        "talk": each.hex(),
                        "viewers": [
                            {"id": row.id.hex(), "name": row.name, "typing": bool(row.typing)}
                            for row in here
                            if row.conversation == each
                        ],
                    },
                    ensure_ascii=False,
                ),
            )
            for each in conversations
        ]

    def _watch(self, row: bytes) -> None:
        self.watched.setdefault(row, ("", millis(self._now()) + WATCHED_MS))
        while len(self.watched) > WATCHED:
            self.watched.popitem(last=False)

    def sent(self, connection: Connection) -> list[News]:
        """Return the replies that are now in another state than was told."""
        told: list[News] = []
        now = millis(self._now())
        for conversation, said in sql.these(connection, (), tuple(self.watched)):
            before, until = self.watched[said.id]
            key = said.key or ""
            agent = bytes.fromhex(key.split(":", 2)[1]) if key.startswith("echo:") else b""
            line = self._reading.line(conversation, said, sql.names(connection, [agent]))
            state = line.state if line else "undone"
            if state != before and line is not None:
                told.append(News(None, "line", _data(talk=conversation.hex(), line=line)))
            self.watched[said.id] = (state, until)
            if state in _SETTLED or until <= now:
                del self.watched[said.id]
        return told


def _known(connection: Connection, events: Sequence[Event]) -> _Known:
    """Ask for all that events are about, each kind by one question."""
    of = {kind: [_about(event) for event in events if event.kind == kind] for kind in _SPOKEN | _ALERTS}
    said = sql.these(connection, of["message"], of["reply"])
    writers = {event.actor for event in events if event.kind in _SPOKEN | _ALERTS and event.actor}
    elsewhere = _SPOKEN | _ALERTS | {"undone", MENTION}
    other = [event.id for event in events if event.conversation and event.kind not in elsewhere]
    return _Known(
        {each.id: each for _, each in said},
        sql.names(connection, list(writers)),
        sql.happened(connection, other),
        sql.alerts_of(connection, [*of["alert"], *of["acknowledged"]]),
        {_about(event): mentions.get(connection, _about(event)) for event in events if event.kind == MENTION},
    )


def _about(event: Event) -> bytes:
    """Return the id that an event names."""
    return bytes.fromhex(event.detail)


def _presence(event: Event) -> News:
    agent = event.agent.hex() if event.agent else ""
    return News(event.id, "presence", json.dumps({"agent": agent, "state": event.detail}))


def _data(**values: BaseModel | str | None) -> str:
    """Return the data of an event as JSON on one line."""
    plain: dict[str, Any] = {
        name: value if isinstance(value, str) or value is None else value.model_dump(mode="json")
        for name, value in values.items()
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
