"""The ladder against abuse: notice, the bot alone, restriction, evidence (GB/T 44189 8.1.4, domain.md 1.11).

A person decides each step and none is skipped; whatever holds anybody off has an end, is told to him with the way to
appeal, and lets words of danger pass to a person. It holds for the person, in all talks that are proved to be his. Who
urges a case that is overdue is never held off for urging.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from bots import state as states
from bots.words import say
from gateway.cases.restraint import hold
from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Right, may
from gateway.runtime import millis
from gateway.store import cases as case_rows
from gateway.store import desk as sql
from gateway.store import restrictions as rows
from gateway.store.restrictions import Row
from gateway.store.rows import DeskEventRow, Rows
from normalizer.case import OPEN
from normalizer.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.cases.book import CaseBook
    from gateway.desk.cases import Staff
    from gateway.store.seal import Sealer
    from gateway.store.store import Store

_HOUR = 3_600_000
REMEMBERED_MS = 90 * 24 * _HOUR
"""How long a step counts towards the next one."""
REVIEWED = 200


class Level(IntEnum):
    """The steps of the ladder."""

    NOTICE = 1
    BOT_ONLY = 2
    RESTRICT = 3
    EVIDENCE = 4


class Ground(StrEnum):
    """Why somebody is put onto the ladder."""

    INSULT = "insult"
    THREAT = "threat"
    FLOOD = "flood"
    REPEAT = "repeat"
    ADVERT = "advert"
    FALSE = "false"
    JOKE = "joke"


LONGEST_HOURS = {Level.NOTICE: 0, Level.BOT_ONLY: 24, Level.RESTRICT: 7 * 24, Level.EVIDENCE: 0}
USUAL_HOURS = {Level.NOTICE: 0, Level.BOT_ONLY: 2, Level.RESTRICT: 24, Level.EVIDENCE: 0}


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as the desk shows it; instants in milliseconds; ``appealed`` while an appeal waits for an answer."""

    id: bytes
    conversation: bytes
    level: Level
    why: Ground
    state: str
    agent: bytes
    approver: bytes | None
    at: int
    until: int | None
    note: str
    appealed: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """Takes the steps, each in one commit with its event; ``told`` is called after each."""

    store: Store
    sealer: Sealer
    book: CaseBook
    ids: Callable[[], bytes]
    now: Callable[[], datetime]
    told: Callable[[], None]

    async def mark(
        self, by: Staff, conversation: bytes, level: Level, why: Ground, *, hours: int = 0, note: str = ""
    ) -> Step:
        """Take a step; a restriction only proposes and waits for a supervisor. Raises Refused, InvalidInput, NotFound."""
        _prove(by, Right.MARK_ABUSE)
        if bool(hours) != bool(LONGEST_HOURS[level]) or not 0 <= hours <= LONGEST_HOURS[level]:
            raise InvalidInput(f"at most {LONGEST_HOURS[level]} hours")
        now = millis(self.now())
        state = {Level.BOT_ONLY: "active", Level.RESTRICT: "proposed"}.get(level, "noted")
        sealed = self.sealer.seal(note.encode()) if note else None
        row = Row(self.ids(), conversation, level, why, state, by.id, None, now, hours, None, sealed)

        def work(connection: Connection) -> Row:
            talk = self._talk(connection, conversation)
            self._next(connection, row, now)
            made = row._replace(until=now + hours * _HOUR) if state == "active" else row
            rows.add(connection, made)
            if made.until is not None:
                rows.supersede(connection, made)
                self._hold_off(connection, made.conversation, made)
            self._event(connection, talk, made, by, now)
            return made

        step = self._step(await self.store.write(work))
        self.told()
        return step

    async def next(self, conversation: bytes) -> Level:
        """Return the step that comes next for a talk; the last one comes again."""
        found = await self.store.read(lambda c: rows.of(c, conversation))
        return Level(min(_reached(found, millis(self.now())) + 1, Level.EVIDENCE))

    async def decide(self, by: Staff, restriction: bytes, *, granted: bool, reason: str = "") -> Step:
        """Decide a proposal, with the reason on record; never one's own. Raises Refused, NotFound."""
        _prove(by, Right.APPROVE_ABUSE)
        now = millis(self.now())

        def work(connection: Connection) -> Row:
            talk, row = self._locked(connection, restriction)
            if row.state != "proposed":
                raise Refused(Why.STATE)
            if row.agent == by.id:
                raise Refused(Why.RIGHT)
            until = now + row.hours * _HOUR if granted else None
            made = row._replace(state="active" if granted else "refused", approver=by.id, until=until)
            rows.keep(connection, made)
            if until is not None:
                rows.supersede(connection, made)
                self._hold_off(connection, made.conversation, made)
            self._event(connection, talk, made, by, now, reason=reason)
            return made

        step = self._step(await self.store.write(work))
        self.told()
        return step

    async def uphold(self, by: Staff, restriction: bytes, *, reason: str = "") -> Step:
        """Answer an appeal by leaving what is active as it is until its end; never one's own. Raises Refused, NotFound."""
        _prove(by, Right.APPROVE_ABUSE)
        at = self.now()

        def work(connection: Connection) -> Row:
            talk, row = self._locked(connection, restriction)
            if row.state != "active" or not rows.appealed(connection, row):
                raise Refused(Why.STATE)
            if by.id in (row.agent, row.approver):
                raise Refused(Why.RIGHT)
            self._tell(connection, row, talk, "quiet_upheld", at)
            self._event(connection, talk, row, by, millis(at), reason=reason, act=rows.UPHELD)
            return row

        step = self._step(await self.store.write(work))
        self.told()
        return step

    async def lift(self, by: Staff, restriction: bytes, *, reason: str = "") -> Step:
        """Lift what is active, as after an appeal, and tell the citizen. Raises Refused, NotFound."""
        _prove(by, Right.APPROVE_ABUSE)
        at = self.now()

        def work(connection: Connection) -> Row:
            talk, row = self._locked(connection, restriction)
            if row.state != "active":
                raise Refused(Why.STATE)
            made = row._replace(state="lifted", approver=by.id, until=millis(at))
            rows.keep(connection, made)
            self._hold_off(connection, made.conversation, None)
            self._tell(connection, row, talk, "quiet_lifted", at)
            self._event(connection, talk, made, by, millis(at), reason=reason)
            return made

        step = self._step(await self.store.write(work))
        self.told()
        return step

    async def of(self, conversation: bytes) -> tuple[Step, ...]:
        """Return the steps taken against a talk's person, newest first, those that have ended too."""
        found = await self.store.read(lambda c: rows.of(c, conversation))
        return tuple(map(self._step, found))

    async def to_review(self) -> tuple[Step, ...]:
        """Return what a supervisor must look at: proposals and appeals, oldest first."""
        return tuple(step for step in await self.open() if step.appealed or step.state == "proposed")

    async def open(self) -> tuple[Step, ...]:
        """Return proposals, and whatever holds somebody off now with those appealed against first, oldest first."""
        now = millis(self.now())
        found = await self.store.read(lambda c: rows.open_steps(c, now, REVIEWED))
        return tuple(self._step(row, appealed=appealed) for row, appealed in found)

    def _next(self, connection: Connection, row: Row, now: int) -> None:
        """Raise Refused when a step would be skipped, or when urging would be held against somebody."""
        if row.level > _reached(rows.of(connection, row.conversation), now) + 1:
            raise Refused(Why.STATE)
        stages = [stage.value for stage in OPEN]
        urging = row.why in {Ground.FLOOD.value, Ground.REPEAT.value}
        if row.level > Level.NOTICE and urging and rows.overdue(connection, row.conversation, stages, now):
            raise Refused(Why.STATE)

    def _hold_off(self, connection: Connection, conversation: bytes, row: Row | None) -> None:
        """Write into all talks of a person, which are locked, what holds him off."""
        for each in rows.talks(connection, conversation):
            hold(connection, self.sealer, each, row)

    def _tell(self, connection: Connection, row: Row, talk: sql.Talk, key: str, at: datetime) -> None:
        """Tell a citizen where he appealed, else in the talk of the step."""
        there = rows.appeal(connection, row)
        heard = (sql.seen(connection, there) if there else None) or talk
        words = say(states.load(self.sealer.open(heard.state)).lang, key)
        told = self.book.promise(heard.conversation, heard.account, "quiet", words, at)
        case_rows.save(connection, Rows(outgoing=[told]))

    def _talk(self, connection: Connection, conversation: bytes) -> sql.Talk:
        """Lock a talk and all others of its person, in the order that the pipeline locks them in."""
        rows.lock_talks(connection, rows.talks(connection, conversation))
        talk = sql.lock(connection, conversation)
        if talk is None:
            raise NotFound("no such conversation")
        return talk

    def _locked(self, connection: Connection, restriction: bytes) -> tuple[sql.Talk, Row]:
        """Lock the talks first, as a new step does, so that two who decide at once never wait for each other."""
        conversation = rows.talk_of(connection, restriction)
        if conversation is None:
            raise NotFound("no such restriction")
        talk = self._talk(connection, conversation)
        return talk, rows.lock(connection, restriction)

    def _event(
        self,
        connection: Connection,
        talk: sql.Talk,
        row: Row,
        by: Staff,
        now: int,
        *,
        reason: str = "",
        act: str = "",
    ) -> None:
        detail = f"{row.level} {act or row.state}"
        event = DeskEventRow(
            now, talk.conversation, "abuse", talk.owner, talk.epoch, talk.agent, by.id, detail
        )
        note = self.sealer.seal(reason.encode()) if reason else row.note
        sql.append(connection, [event._replace(note=note)])

    def _step(self, row: Row, *, appealed: bool = False) -> Step:
        note = self.sealer.open(row.note).decode() if row.note else ""
        return Step(
            row.id,
            row.conversation,
            Level(row.level),
            Ground(row.why),
            row.state,
            row.agent,
            row.approver,
            row.at,
            row.until,
            note,
            appealed,
        )


def _prove(by: Staff, right: Right) -> None:
    if not may(by.role, right):
        raise Refused(Why.RIGHT)


def _reached(steps: list[Row], now: int) -> int:
    """Return the highest step that counts, 0 for none."""
    return max(
        (each.level for each in steps if each.state != "refused" and each.at > now - REMEMBERED_MS), default=0
    )
