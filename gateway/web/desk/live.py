"""The pages of the desk that stand open: one reader in a process follows the events, for all of them together.

An event is read once, made into rows and lines once, and written to every page that may see it. A page that comes
back names the last event it saw and is told all that came after (Server-Sent Events, HTML 9.2).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.desk.rights import Right, may
from gateway.runtime import millis
from gateway.store import desk as talks
from gateway.store import desk_reads as sql
from gateway.store import mentions
from gateway.web.desk.me import alert_of, mention_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from pydantic import BaseModel
    from sqlalchemy import Connection

    from gateway.desk.accounts import Account
    from gateway.store.desk import Event
    from gateway.store.store import Store
    from gateway.web.desk.reading import Reading

log = structlog.get_logger()

LOOK = 1.0
"""Seconds after which the reader looks though nobody woke it: another process may have written."""
REST = 0.02
"""Seconds between two looks, so that a crowd of events is one reading."""
READ = 500
REPLAYED = 5_000
"""A page that missed more begins anew."""
HELD = 2_000
"""Messages that may wait for one page; one that takes none of them is let go and comes back by itself."""
PER_PROCESS, PER_AGENT = 2_000, 12
WATCHED_MS = 10 * 60_000
"""Milliseconds for which it is told how a reply goes out."""
WATCHED = 2_000
_SETTLED = frozenset({"delivered", "failed", "undone"})


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


@dataclass(eq=False, slots=True)
class Stream:
    """One open page; ``closed`` says why it is to go."""

    account: Account
    waiting: asyncio.Queue[News] = field(default_factory=lambda: asyncio.Queue(HELD))
    closed: str = ""

    def tell(self, news: News) -> None:
        """Have the page told, if it may see it."""
        if not news.may_see(self.account) or self.closed:
            return
        try:
            self.waiting.put_nowait(news)
        except asyncio.QueueFull:
            self.close("slow")

    def close(self, why: str) -> None:
        """Have the page go; what waits for it is dropped, for it comes back and asks for it."""
        self.closed = why
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(News(None, "bye", "{}"))


class Hub:
    """The open pages of a process."""

    def __init__(
        self,
        *,
        store: Store,
        reading: Reading,
        now: Callable[[], datetime],
        woken: Callable[[float], Awaitable[None]],
    ) -> None:
        self._store = store
        self._reading = reading
        self._now = now
        self._woken = woken
        self._streams: set[Stream] = set()
        self._some = asyncio.Event()
        self._ending = False
        self._at = -1
        self._placed = asyncio.Event()
        self._watched: OrderedDict[bytes, tuple[str, int]] = OrderedDict()
        self._looked: set[bytes] = set()

    @contextlib.contextmanager
    def open(self, account: Account) -> Iterator[Stream | None]:
        """Open a stream inside the block, None where there are too many; an agent's oldest makes room."""
        if self._ending or len(self._streams) >= PER_PROCESS:
            yield None
            return
        own = [each for each in self._streams if each.account.id == account.id]
        for old in own[: max(0, len(own) - PER_AGENT + 1)]:
            old.close("moved")
        stream = Stream(account)
        self._streams.add(stream)
        self._some.set()
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def looked(self, conversation: bytes) -> None:
        """Have the pages told who looks at a talk now."""
        self._looked.add(conversation)

    def close(self) -> None:
        """Have all pages go, so that a stop waits for none of them."""
        self._ending = True
        for stream in tuple(self._streams):
            stream.close("ending")

    async def missed(self, account: Account, after: int, last: int) -> list[News] | None:
        """Return what somebody was not told of the events up to ``last``, None when that is too much."""
        if after > last or last - after > REPLAYED:
            return None
        told: list[News] = []
        while after < last:
            events = await self._store.read(partial(talks.events, after=after, limit=min(READ, last - after)))
            told += await self._store.read(partial(self._told, events=events))
            after = events[-1].id
        return [news for news in told if news.may_see(account)]

    async def last(self) -> int:
        """Return the number of the newest event; the reader tells an open page all that comes after it."""
        await self._placed.wait()
        return await self._store.read(talks.last_event)

    async def run(self) -> None:
        """Follow the events, while any page is open, until cancelled."""
        while True:
            if not self._streams:
                self._at = -1
                self._placed.clear()
                self._some.clear()
                await self._some.wait()
            try:
                await self._look()
            except Exception:
                log.exception("desk.look_failed")
            await asyncio.sleep(REST)
            await self._woken(LOOK)

    async def _look(self) -> None:
        if self._at < 0:
            # Pages read from their own cursor when they open; what comes after this is told by the reader.
            self._at = await self._store.read(talks.last_event)
            self._placed.set()
            return
        looked, self._looked = self._looked, set()
        while events := await self._store.read(partial(talks.events, after=self._at, limit=READ)):
            self._tell(await self._store.read(partial(self._told, events=events)))
            self._at = events[-1].id
        if looked:
            self._tell(await self._store.read(partial(self._viewing, conversations=tuple(looked))))
        if self._watched:
            self._tell(await self._store.read(self._sent))

    def _tell(self, told: Sequence[News]) -> None:
        for news in told:
            for stream in tuple(self._streams):
                stream.tell(news)

    def _told(self, connection: Connection, events: Sequence[Event]) -> list[News]:
        """Return what events mean to a page: the lines first, then each talk once as it stands."""
        told: list[News] = []
        last = {event.conversation: event for event in events if event.conversation}
        rows = {row.id: row for row in self._reading.rows(connection, list(last))}
        said = self._said(connection, events)
        for event in events:
            if event.conversation is None:
                told.append(self._presence(event))
                continue
            told += self._lines(connection, event, said)
            if last[event.conversation] is event and (row := rows.get(event.conversation.hex())):
                told.append(News(event.id, "talk", _data(row=row)))
        return told

    def _said(self, connection: Connection, events: Sequence[Event]) -> dict[bytes, sql.Said]:
        """Return the messages that events are about, by their ids."""
        heard = [bytes.fromhex(event.detail) for event in events if event.kind == "message"]
        wrote = [bytes.fromhex(event.detail) for event in events if event.kind == "reply"]
        return {each.id: each for _, each in sql.these(connection, heard, wrote)}

    def _lines(self, connection: Connection, event: Event, said: dict[bytes, sql.Said]) -> list[News]:
        assert event.conversation is not None
        talk = event.conversation.hex()
        if event.kind == "undone":
            gone = {"id": event.detail, "state": "undone", "gone": True}
            return [News(event.id, "line", json.dumps({"talk": talk, "line": gone}))]
        if event.kind in {"message", "reply"}:
            row = said.get(bytes.fromhex(event.detail))
            if row is None:
                return []
            if event.kind == "reply":
                self._watch(row.id)
            names = sql.names(connection, [event.actor]) if event.actor else {}
            line = self._reading.line(event.conversation, row, names)
            return [News(event.id, "line", _data(talk=talk, line=line))] if line else []
        if event.kind in {"alert", "acknowledged", "mention"}:
            return [self._alert(connection, event)]
        shown = sql.event(connection, event.id)
        whom = None
        if event.kind == "whisper":
            whom = frozenset(each for each in (event.agent, event.actor) if each)
        return [News(event.id, "line", _data(talk=talk, line=self._reading.event(shown)), whom)]

    def _alert(self, connection: Connection, event: Event) -> News:
        assert event.conversation is not None
        if event.kind == "mention":
            called = mentions.get(connection, bytes.fromhex(event.detail))
            return News(event.id, "alert", _data(alert=mention_of(called)), frozenset({called.agent}))
        row = sql.alert(connection, event.conversation, bytes.fromhex(event.detail) if event.detail else None)
        by = sql.names(connection, [event.actor]).get(event.actor, "") if event.actor else ""
        told = alert_of(row).model_copy(update={"by": by})
        return News(event.id, "alert", _data(alert=told), right=Right.ACKNOWLEDGE_ALERT)

    def _presence(self, event: Event) -> News:
        agent = event.agent.hex() if event.agent else ""
        return News(event.id, "presence", json.dumps({"agent": agent, "state": event.detail}))

    def _viewing(self, connection: Connection, conversations: Sequence[bytes]) -> list[News]:
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
        self._watched.setdefault(row, ("", millis(self._now()) + WATCHED_MS))
        while len(self._watched) > WATCHED:
            self._watched.popitem(last=False)

    def _sent(self, connection: Connection) -> list[News]:
        """Return the replies that are now in another state than was told."""
        told: list[News] = []
        now = millis(self._now())
        for conversation, said in sql.these(connection, (), tuple(self._watched)):
            before, until = self._watched[said.id]
            key = said.key or ""
            agent = bytes.fromhex(key.split(":", 2)[1]) if key.startswith("echo:") else b""
            line = self._reading.line(conversation, said, sql.names(connection, [agent]))
            state = line.state if line else "undone"
            if state != before and line is not None:
                told.append(News(None, "line", _data(talk=conversation.hex(), line=line)))
            self._watched[said.id] = (state, until)
            if state in _SETTLED or until <= now:
                del self._watched[said.id]
        return told


def _data(**values: BaseModel | str | None) -> str:
    """Return the data of an event as JSON on one line."""
    plain: dict[str, Any] = {
        name: value if isinstance(value, str) or value is None else value.model_dump(mode="json")
        for name, value in values.items()
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
