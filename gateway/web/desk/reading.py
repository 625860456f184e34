"""Rows and lines as the desk shows them: opened here, personal data masked until somebody asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bots import state as states
from gateway.desk.desk import DESPITE
from gateway.media.links import Variant
from gateway.runtime import instant, millis
from gateway.store import cases as case_rows
from gateway.store import desk_reads as sql
from gateway.store.bodies import open_case, open_message
from gateway.store.media import talk_owner
from gateway.web.desk import models as m
from normalizer.codes import SATISFACTION_LABELS
from normalizer.message import MEDIA_KINDS, PartKind
from normalizer.people import mask, mask_name, mask_phone
from outbox import enclosed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from channels.contract import Channel
    from gateway.desk.routing import Rules
    from gateway.media.links import Links
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import Part

ZONE = ZoneInfo("Asia/Shanghai")
SHOWN, PAGE = 60, 100
SHORT = 60
"""Characters of the last message that the list shows."""
UNREAD = 99
BACK = 60_000
"""Milliseconds around its time of arrival in which the id of a message lies."""
DAY = 24 * 3_600_000
SOON_MS = 30_000
_NOW = b"\xff" * 16
_STATES = {
    "passive": "sending",
    "undelivered": "failed",
    "dead": "failed",
    "stale": "failed",
    "moved": "sent",
    "told": "sent",
}
_WORDS = {
    "queued": "请求人工服务",
    "left": "离开排队",
    "offered": "已分配给{to}，等待接受",
    "assigned": "已分配给{to}",
    "taken": "{by}接入",
    "accepted": "{by}接受",
    "declined": "{by}不接，回到排队",
    "lapsed": "超时未接受，回到排队",
    "lost": "座席离线或超时，回到排队",
    "transferred": "{by}转派",
    "taken_over": "{by}接管",
    "handed": "{by}指派给{to}",
    "returned": "{by}交回智能客服",
    "wrapped_up": "{by}结束交谈，整理中",
    "closed": "服务结束",
    "held": "{by}暂挂",
    "unheld": "{by}取消暂挂",
    "silent": "座席超时未答复，已提醒市民稍候",
    "idle": "市民长时间未回复，已提醒",
    "silent_untold": "座席超时未答复",
    "idle_untold": "市民长时间未回复",
    "alert": "发现危险词，已发警报",
    "rated": "市民评价这次服务：{score}",
    "acknowledged": "{by}已处理警报",
    "boosted": "{by}请求优先接待",
    "abuse": "{by}处理滥用标记",
    "appeal": "市民提出申诉",
    "merged": "{by}把另一个对话并到这里",
    "unmerged": "{by}撤销了合并",
}
_DESPITE = "{by}指派给{to}（当时{doubts}）"
_DOUBTS = {"full": "已满", "away": "离开", "skill": "缺少技能"}
_NOTES = frozenset({"note", "whisper"})


def local(ms: int) -> datetime:
    """Return an instant of milliseconds in the hotline's own time."""
    return instant(ms).astimezone(ZONE)


@dataclass(frozen=True, slots=True)
class Reading:
    """Opens what the desk shows."""

    store: Store
    sealer: Sealer
    channels: Mapping[str, Channel]
    links: Links
    rules: Rules
    now: Callable[[], datetime]

    def rows(self, connection: Connection, conversations: Sequence[bytes]) -> list[m.Row]:
        """Return the rows of some conversations."""
        return self._rows(connection, sql.rows(connection, conversations, self._ms()))

    def page(
        self,
        connection: Connection,
        where: Sequence[ColumnElement[bool]],
        *,
        placed: bool,
        words: str,
        skip: int,
    ) -> tuple[list[m.Row], bool]:
        """Return a page of a view, and whether there are more; ``words`` keeps the rows in which they stand."""
        found = sql.page(connection, where, placed=placed, skip=skip, limit=PAGE + 1, now=self._ms())
        rows = self._rows(connection, found[:PAGE])
        return [row for row in rows if not words or _named(row, words)], len(found) > PAGE

    def lines(
        self, connection: Connection, conversation: bytes, before: int | None
    ) -> tuple[list[m.Line], bool]:
        """Return the newest lines of a talk before an instant (milliseconds), and whether there are older ones."""
        found = sql.rows(connection, [conversation], self._ms())
        edge = _floor(before) if before is not None else _NOW
        said = sql.by_person(connection, conversation, edge, SHOWN)
        came = found[0].enqueued_at if found else None
        until = min(edge, _floor((came or self._ms()) + 10 * BACK))
        known = {each.id for each in said}
        bot = sql.with_bot(connection, conversation, _floor((came or self._ms()) - DAY), until)
        said += [each for each in bot if each.id not in known]
        wanted = [key.agent for each in said if (key := _key(each)) is not None]
        names = sql.names(connection, list(set(wanted)))
        lines = [line for each in said if (line := self.line(conversation, each, names)) is not None]
        instant_before = before if before is not None else self._ms() + BACK
        happened = sql.told(connection, conversation, instant_before, SHOWN)
        lines += [line for row in happened if (line := self.event(row)) is not None]
        lines.sort(key=lambda line: (line.at, line.id))
        return lines[-SHOWN:], len(lines) > SHOWN

    def older(self, connection: Connection, conversation: bytes, line: str) -> m.Lines:
        """Return what was said before a line."""
        if line.startswith("e"):
            before = sql.event_at(connection, int(line[1:]))
        else:
            before = int.from_bytes(bytes.fromhex(line)[:6])
        lines, more = self.lines(connection, conversation, before or 0)
        return m.Lines(lines=tuple(lines), more=more)

    def line(self, conversation: bytes, said: sql.Said, names: Mapping[bytes, str]) -> m.Line | None:
        """Return a message as a line; None for one that was taken back."""
        if said.mine:
            parts = self._parts(conversation, said.body)
            return m.Line(id=said.id.hex(), at=local(said.at), who="citizen", parts=parts)
        if said.state == "buried":
            return None
        key = _key(said)
        undo = said.state == "queued" and said.attempts == 0 and said.next_at > self._ms()
        state = "undo" if undo and key else "sending" if said.state == "queued" else said.state
        return m.Line(
            id=said.id.hex(),
            at=local(said.at),
            who="agent" if key else "system" if said.notice == "desk" else "bot",
            agent=m.Person(id=key.agent.hex(), name=names.get(key.agent, "")) if key else None,
            parts=self._wrote(conversation, said),
            state=_STATES.get(state, state),
            echo=key.echo if key else None,
            undo_until=local(said.next_at) if state == "undo" else None,
        )

    def event(self, row: Any) -> m.Line | None:
        """Return an event as a line: a note, or a word about what happened; None for what another line says."""
        if row.kind not in _WORDS and row.kind not in _NOTES:
            return None
        written = self.sealer.open(row.note).decode() if row.note else ""
        by = m.Person(id=row.actor.hex(), name=row.by or "") if row.actor else None
        if row.kind in _NOTES:
            parts: tuple[m.Piece, ...] = (m.Piece(kind="text", text=written),)
        else:
            score = SATISFACTION_LABELS.get(int(row.detail), "") if row.kind == "rated" else ""
            fields = {"by": row.by or "系统", "to": row.to or "座席", "score": score}
            doubts = _doubts(row)
            words = _WORDS[row.kind] if not doubts else _DESPITE
            parts = (_happened(words, fields | {"doubts": doubts}, written),)
        return m.Line(
            id=f"e{row.id}",
            at=local(row.at),
            who="note" if row.kind in _NOTES else "system",
            agent=by,
            parts=parts,
            whisper=row.kind == "whisper",
        )

    def reach(self, row: Any) -> m.Reach:
        """Return how the citizen of a row of the store can be answered."""
        channel = self.channels.get(row.account)
        windowed = channel is not None and channel.capabilities.windowed
        return m.Reach(
            channel=self._channel(row.account),
            window_until=local(row.window_until) if windowed and row.window_until else None,
            left=row.window_left if windowed else None,
            max_bytes=channel.capabilities.max_bytes if channel else 0,
            sms_parts=channel is not None and channel.capabilities.phones,
        )

    def talk(self, connection: Connection, conversation: bytes) -> m.Talk | None:
        """Return a conversation opened, None when there is none."""
        found = sql.rows(connection, [conversation], self._ms())
        if not found:
            return None
        state = states.load(self.sealer.open(found[0].state))
        lines, more = self.lines(connection, conversation, None)
        return m.Talk(
            row=self._rows(connection, found)[0],
            lines=tuple(lines),
            more=more,
            reach=self.reach(found[0]),
            order=_order(state.order),
            phone=_masked(self._phone(connection, found[0], state)),
            draft=m.Draft(),
        )

    def revealed(self, connection: Connection, conversation: bytes) -> m.Revealed | None:
        """Return what is known of the citizen of a talk, in full."""
        found = sql.rows(connection, [conversation], self._ms())
        if not found:
            return None
        state = states.load(self.sealer.open(found[0].state))
        sender = self._sender(found[0])
        return m.Revealed(
            name=state.order.name or state.name,
            phone=self._phone(connection, found[0], state),
            address=sender if "@" in sender else "",
        )

    def _phone(self, connection: Connection, row: Any, state: states.State) -> str:
        """Return the telephone of a talk's citizen: told in the talk, his sender's, or that of his newest case."""
        asked = json.loads(self.sealer.open(row.note)).get("phone", "") if row.note else ""
        channel = self.channels.get(row.account)
        own = self._sender(row) if channel is not None and channel.capabilities.phones else ""
        return state.order.phone or state.phone or asked or own or self._case_phone(connection, row)

    def _case_phone(self, connection: Connection, row: Any) -> str:
        found = case_rows.get(connection, row.case_no) if row.case_no else None
        return open_case(self.sealer, found.body).complainant.phone if found else ""

    def _sender(self, row: Any) -> str:
        return self.sealer.open(row.address).decode() if row.address else ""

    def _rows(self, connection: Connection, found: Sequence[Any]) -> list[m.Row]:
        now = self._ms()
        seen = [(row, row.heard or self._last_in(connection, row)) for row in found]
        heard = sql.last_heard(connection, [last for _, last in seen if last])
        wrote = sql.last_written(connection, [row.wrote for row in found if row.wrote])
        looking = sql.viewers(connection, [row.id for row in found], now)
        rows = []
        for row, last in seen:
            here = tuple(
                m.Viewer(id=each.id.hex(), name=each.name, typing=each.typing)
                for each in looking
                if each.conversation == row.id
            )
            unread = sql.unheard(connection, row.id, row.wrote or b"", UNREAD) if row.waiting_since else 0
            rows.append(self._row(row, self._last(row, last, heard, wrote), here, unread))
        return rows

    def _row(self, row: Any, last: m.Last | None, here: tuple[m.Viewer, ...], unread: int) -> m.Row:
        state = states.load(self.sealer.open(row.state))
        return m.Row(
            id=row.id.hex(),
            channel=self._channel(row.account),
            name=mask_name(state.name) if state.name else f"市民{row.id.hex()[:4]}",
            urgent=row.urgent,
            elderly=state.elderly,
            skill=row.skill,
            state=row.owner,
            held=bool(row.held),
            agent=m.Person(id=row.agent.hex(), name=row.agent_name or "") if row.agent else None,
            since=local(row.enqueued_at) if row.enqueued_at else None,
            waiting_since=local(row.waiting_since) if row.waiting_since else None,
            offer_until=local(row.due_at) if row.clock == "offer" and row.due_at else None,
            last=last,
            unread=unread,
            case_no=row.case_no,
            repeat=row.cases,
            draft=False,
            viewers=here,
            sla=self._sla(row.waiting_since),
            epoch=row.epoch,
            version=row.version,
        )

    def _sla(self, waiting_since: int | None) -> m.Sla | None:
        if not waiting_since:
            return None
        due, now = self.rules.after(waiting_since, self.rules.silent_ms), self._ms()
        return m.Sla(due=local(due), state="late" if now >= due else "soon" if now >= due - SOON_MS else "ok")

    def _last(
        self,
        row: Any,
        heard_id: bytes | None,
        heard: Mapping[bytes, bytes],
        wrote: Mapping[bytes, tuple[bytes, int]],
    ) -> m.Last | None:
        if row.wrote in wrote and (heard_id is None or row.wrote > heard_id):
            body, at = wrote[row.wrote]
            return m.Last(who="agent", text=_short(self.sealer.open(body).decode()), at=local(at))
        if heard_id is None or heard_id not in heard:
            return None
        message = open_message(self.sealer, heard[heard_id])
        kinds = "".join(f"[{_KINDS[part.kind]}]" for part in message.parts if part.kind in _KINDS)
        return m.Last(
            who="citizen", text=_short(kinds + message.text), at=message.received_at.astimezone(ZONE)
        )

    def _last_in(self, connection: Connection, row: Any) -> bytes | None:
        return sql.newest_between(
            connection, row.id, _floor(row.last_in_at - BACK), _floor(row.last_in_at + BACK)
        )

    def _parts(self, conversation: bytes, body: bytes) -> tuple[m.Piece, ...]:
        return self._pieces(conversation, open_message(self.sealer, body).parts)

    def _wrote(self, conversation: bytes, said: sql.Said) -> tuple[m.Piece, ...]:
        """Return what we wrote: its words, or the file that went with them."""
        brought = enclosed.load(json.loads(self.sealer.open(said.fields))).part if said.fields else None
        if brought is not None:
            return self._pieces(conversation, (brought,))
        return (m.Piece(kind="text", text=self.sealer.open(said.body).decode()),)

    def _pieces(self, conversation: bytes, parts: Sequence[Part]) -> tuple[m.Piece, ...]:
        owner, pieces = talk_owner(conversation), []
        for part in parts:
            piece = m.Piece(
                kind=part.kind.value, text=part.text, name=part.name or None, mime=part.mime or None
            )
            if part.kind in MEDIA_KINDS and part.blob:
                piece = piece.model_copy(update=self._links(owner, part.blob, part.kind))
            if part.kind is PartKind.PLACE:
                piece = piece.model_copy(update={"lon": part.lon, "lat": part.lat})
            if part.kind is PartKind.LINK:
                piece = piece.model_copy(update={"url": part.url})
            pieces.append(piece)
        return tuple(pieces)

    def _links(self, owner: str, key: str, kind: PartKind) -> dict[str, str]:
        made = {"url": self.links.sign(owner, key, Variant.ORIGINAL)}
        if kind in {PartKind.IMAGE, PartKind.VIDEO}:
            made["preview"] = self.links.sign(owner, key, Variant.PREVIEW)
        if kind in {PartKind.VOICE, PartKind.VIDEO}:
            made["play"] = self.links.sign(owner, key, Variant.PLAY)
        return made

    def _channel(self, account: str) -> str:
        channel = self.channels.get(account)
        return channel.capabilities.source.name.lower() if channel else account

    def _ms(self) -> int:
        return millis(self.now())


@dataclass(frozen=True, slots=True)
class _Key:
    agent: bytes
    echo: str


def _doubts(row: Any) -> str:
    """Return why the router would not have given what a supervisor gave; empty where it would."""
    first, *doubts = row.detail.split() or [""]
    return "、".join(_DOUBTS[each] for each in doubts) if first == DESPITE else ""


def _key(said: sql.Said) -> _Key | None:
    """Return who wrote a message, and under which echo; None for what no person wrote."""
    if said.notice != "agent" or not said.key:
        return None
    _, agent, echo = said.key.split(":", 2)
    return _Key(bytes.fromhex(agent), echo)


_KINDS = {
    PartKind.IMAGE: "图片",
    PartKind.VIDEO: "视频",
    PartKind.VOICE: "语音",
    PartKind.FILE: "文件",
    PartKind.PLACE: "位置",
    PartKind.LINK: "链接",
}


def _happened(words: str, fields: dict[str, str], note: str) -> m.Piece:
    used = {name: value for name, value in fields.items() if f"{{{name}}}" in words}
    text = words.format(**used)
    if not note:
        return m.Piece(kind="text", text=text, words=words, fields=used)
    return m.Piece(kind="text", text=f"{text}：{note}", words=words, fields=used | {"note": note})


def _short(text: str) -> str:
    plain = mask(" ".join(text.split()))
    return plain if len(plain) <= SHORT else plain[: SHORT - 1] + "…"


def _named(row: m.Row, words: str) -> bool:
    return any(words in text for text in (row.name, row.case_no or "", row.last.text if row.last else ""))


def _floor(ms: int) -> bytes:
    return max(ms, 0).to_bytes(6) + bytes(10)


def _order(order: states.Order) -> m.Order:
    return m.Order(
        text=mask(order.text),
        place=order.place,
        lon=order.lon,
        lat=order.lat,
        when=order.when,
        demand=mask(order.demand),
        kind=order.kind.value if order.kind else "",
        category=order.category,
        name=mask_name(order.name) if order.name else "",
        phone=mask(order.phone),
        anonymous=order.anonymous,
        secret=bool(order.secret),
    )


def _masked(phone: str) -> str:
    return mask_phone(phone) if phone else ""
