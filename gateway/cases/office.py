"""The one door by which anything but the pipeline opens or moves a case: pages, agents, units, the clock, the shell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bots.contract import NewNumber
from bots.state import State, dump
from gateway.cases import restraint, service
from gateway.cases.book import FINISHED
from gateway.cases.restraint import Restraint
from gateway.runtime import Ids, millis
from gateway.store import cases, conversations, desk, follows, kept, submissions
from gateway.store.rows import AlertRow, BindingRow, Conflict, DeskEventRow, Rows, new_conversation
from normalizer import case_no
from normalizer.case import ENDED, Stage, Verb
from normalizer.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from bots.contract import Submit
    from gateway.calendar import Calendar
    from gateway.cases.book import CaseBook
    from gateway.cases.detour import Detour
    from gateway.profile import Profiles
    from gateway.store.rows import CaseRow, OutgoingRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.case import Actor, Case, Command
    from normalizer.emergency import Emergency
    from normalizer.message import Address, SourceChannel
    from outbox.render import Wording

_SETTLED = FINISHED | ENDED
OPENED = "opened"
"""What the number of a case that somebody else opened for a citizen is told as."""
FOLLOWERS = 100
"""How many are told in one commit."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a page or a neighbouring system brings to be opened as a case.

    ``key`` makes it itself: brought twice within ``within`` (a day at most), it is one case. ``fill`` makes the order once its number is
    known. ``reach`` is where the citizen is told of it and whose own case it is; ``phone`` is his telephone where
    ``reach`` is that telephone. ``danger`` is what the words were seen to say of it; ``by`` is who brings it, and
    ``words`` what the citizen is told of it in the same commit.
    """

    key: str
    source: SourceChannel
    reach: Address
    fill: Callable[[NewNumber], Submit]
    phone: str = ""
    danger: Emergency | None = None
    within: timedelta = timedelta(days=1)
    by: Actor = service.CITIZEN
    words: Callable[[Opened], str] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The case of a matter; ``repeat`` when it was opened before."""

    case_no: str
    query_code: str
    accepted: bool
    repeat: bool = False


class Office:
    """Carries out commands on cases, each in a commit of its own with the notices it owes."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        book: CaseBook,
        profiles: Profiles,
        calendar: Calendar,
        now: Callable[[], datetime],
        queued: Callable[[], None],
        moved: Callable[[str], None],
        zone: ZoneInfo,
        random_int: Callable[[int], int],
        wording: Callable[[str], Wording],
        detour: Detour,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._book = book
        self._profiles = profiles
        self._calendar = calendar
        self._now = now
        self._queued = queued
        self._moved = moved
        self._zone = zone
        self._random_int = random_int
        self._wording = wording
        self._detour = detour
        self._ids = Ids()
        self.restraint = Restraint(store, sealer, now)

    async def open(self, matter: Matter) -> Opened:
        """Open a case, or tell of the one that was opened from the same matter before; raises Refused."""
        try:
            opened = await self._store.write(partial(self._open, matter=matter))
        except Conflict:
            # The same matter was opened in this moment by another process, whose answer is there now.
            opened = await self._store.write(partial(self._open, matter=matter))
        if not opened.repeat:
            self._moved(Verb.SUBMIT.value)
            self._queued()
        return opened

    async def act(self, case_no: str, command: Command, seen: int | None = None) -> Case:
        """Carry out one command; raises NotFound, Refused, or Conflict when somebody else was faster.

        ``seen`` is the revision that whoever commands has before his eyes, None where he looks at none.
        """
        case = await self._store.write(partial(self._act, case_no=case_no, command=command, seen=seen))
        self._moved(command.verb.value)
        if case.stage in _SETTLED:
            await self.tell_followers(FOLLOWERS)
        self._queued()
        return case

    async def alarm(self, reach: Address, danger: Emergency) -> None:
        """Tell the people on duty that somebody may be in danger (domain.md 4.3)."""
        await self._store.write(partial(self._alarm, reach=reach, danger=danger))

    async def tell(self, reach: Address, notice: str, text: str) -> None:
        """Promise somebody a message that is about no case, such as a code to type in."""
        await self._store.write(partial(self._tell, reach=reach, notice=notice, text=text))
        self._queued()

    async def bind(self, reach: Address, phone: str) -> None:
        """Make a conversation a telephone's that its person proved to have."""
        await self._store.write(partial(self._bind, reach=reach, phone=phone))

    async def follow(self, reach: Address, case_no: str) -> None:
        """Let somebody follow a case that is another's."""
        await self._store.write(partial(self._follow, reach=reach, case_no=case_no))

    async def tell_followers(self, limit: int) -> int:
        """Promise followers the news that a case is settled, whoever settled it, and return how many were told."""
        told = await self._store.write(partial(self._tell_followers, limit=limit))
        if told:
            self._queued()
        return told

    async def hand_over(self, before: Address, reach: Address, phone: str) -> tuple[str, ...]:
        """Make the cases of a conversation that were reported with a telephone that telephone's; return the others."""
        return await self._store.write(partial(self._hand_over, before=before, reach=reach, phone=phone))

    async def supervise(self, limit: int) -> int:
        """Let the clock act on the cases that are due and return how many were looked at (domain.md 3.2)."""
        rows = await self._store.read(partial(cases.due, now=millis(self._now()), limit=limit))
        for row in rows:
            await self._store.write(partial(self._look_at, row=row))
        if rows:
            self._queued()
        return len(rows)

    def _open(self, connection: Connection, matter: Matter) -> Opened:
        key, now = self._sealer.hash(f"submission {matter.key}"), self._now()
        since = millis(now - matter.within)
        if (known := submissions.find(connection, key, since)) is not None:
            return Opened(**json.loads(self._sealer.open(known)), repeat=True)
        number = self._number(connection, now)
        order, rows = matter.fill(number), Rows()
        moved = service.submit(
            order,
            source=matter.source.value,
            message_id=key.hex(),
            profile=self._profiles.current,
            calendar=self._calendar,
            now=now,
            by=matter.by,
        )
        conversation = self._reach(connection, matter)
        self._book.opened(moved, conversation, number.query_code, rows)
        if matter.danger is not None:
            rows.alerts.append(self._alert(conversation, matter.danger, now))
        opened = Opened(number.case_no, number.query_code, accepted=moved.case.stage is Stage.ACCEPTED)
        if matter.words is not None:
            text, account = matter.words(opened), matter.reach.account
            made = self._book.promise(conversation, account, OPENED, text, now, case_no=opened.case_no)
            rows.outgoing.append(made._replace(notice_key=f"{opened.case_no}:{OPENED}"))
        cases.save(connection, rows)
        told = {name: getattr(opened, name) for name in ("case_no", "query_code", "accepted")}
        submissions.keep(connection, key, self._sealer.seal(json.dumps(told).encode()), millis(now), since)
        _tell_desk(connection, rows.alerts)
        return opened

    def _alarm(self, connection: Connection, reach: Address, danger: Emergency) -> None:
        now = self._now()
        conversation = self._conversation(connection, reach)
        alerts = [self._alert(conversation, danger, now)]
        cases.save(connection, Rows(alerts=alerts))
        _tell_desk(connection, alerts)

    def _tell(self, connection: Connection, reach: Address, notice: str, text: str) -> None:
        conversation = self._conversation(connection, reach)
        row = self._book.promise(conversation, reach.account, notice, text, self._now())
        cases.save(connection, Rows(outgoing=[row]))

    def _bind(self, connection: Connection, reach: Address, phone: str) -> None:
        conversation = self._conversation(connection, reach)
        person = self._sealer.person(phone)
        now = millis(self._now())
        conversations.bind(connection, BindingRow(conversation, person, now))
        restraint.join(connection, self._sealer, conversation, now)

    def _hand_over(
        self, connection: Connection, before: Address, reach: Address, phone: str
    ) -> tuple[str, ...]:
        here, there = (self._sealer.conversation(each.account, each.user) for each in (before, reach))
        left = []
        self._bind(connection, reach, phone)
        for row in cases.of_conversation(connection, here):
            if self._book.read(row).complainant.phone == phone:
                cases.belong(connection, row.case_no, there)
            else:
                left.append(row.case_no)
        follows.move(connection, here, there)
        return tuple(left)

    def _follow(self, connection: Connection, reach: Address, case_no: str) -> None:
        follows.add(connection, case_no, self._conversation(connection, reach), millis(self._now()))

    def _tell_followers(self, connection: Connection, limit: int) -> int:
        rows, now = Rows(), self._now()
        for each in follows.untold(connection, _SETTLED, limit):
            if follows.told(connection, each.case.case_no, each.conversation):
                rows.outgoing.append(self._book.followed(each, now, self._wording(each.account)))
        cases.save(connection, rows)
        return len(rows.outgoing)

    def _alert(self, conversation: bytes, danger: Emergency, now: datetime) -> AlertRow:
        return AlertRow(self._ids(), millis(now), conversation, danger.kind.value, danger.word, None)

    def _number(self, connection: Connection, now: datetime) -> NewNumber:
        local = now.astimezone(self._zone).date()
        count = kept.add(connection, f"case {local:%y%m%d}", 1)
        number = case_no.make(self._profiles.current.region, local, count)
        return NewNumber(number, case_no.make_code(self._random_int))

    def _reach(self, connection: Connection, matter: Matter) -> bytes:
        if matter.phone:
            self._bind(connection, matter.reach, matter.phone)
        return self._conversation(connection, matter.reach)

    def _conversation(self, connection: Connection, reach: Address) -> bytes:
        conversation = self._sealer.conversation(reach.account, reach.user)
        address, state = self._sealer.seal(reach.user.encode()), self._sealer.seal(dump(State()))
        conversations.begin(connection, new_conversation(conversation, reach.account, address, state))
        return conversation

    def _act(self, connection: Connection, case_no: str, command: Command, seen: int | None) -> Case:
        before = cases.get(connection, case_no)
        if before is None:
            raise NotFound(f"no case {case_no}")
        if seen is not None and before.rev != seen:
            raise Conflict(case_no)
        return self._move(connection, before, command)

    def _look_at(self, connection: Connection, row: CaseRow) -> None:
        now = self._now()
        case = self._book.read(row)
        profile = self._profiles.at(case.profile_version)
        moves = service.due_moves(case, profile, self._calendar, now)
        if not moves:
            at = service.check_at(case, profile, self._calendar, now)
            cases.check_again(connection, row.case_no, millis(at) if at else None)
            return
        for command in moves:
            before = cases.get(connection, row.case_no)
            assert before is not None
            self._move(connection, before, command)

    def _move(self, connection: Connection, before: CaseRow, command: Command) -> Case:
        case, now = self._book.read(before), self._now()
        profile = self._profiles.at(case.profile_version)
        moved = service.act(case, command, profile, self._calendar, now)
        rows = Rows()
        self._book.moved(moved, before, rows)
        person = cases.person(connection, before.conversation) if before.conversation else None
        if person is not None and before.conversation is not None:
            rows.outgoing += self._owed(connection, moved, before.conversation, person.account, now)
        cases.save(connection, rows)
        return moved.case

    def _owed(
        self, connection: Connection, moved: service.Moved, conversation: bytes, account: str, now: datetime
    ) -> list[OutgoingRow]:
        """Return what a move owes its citizen: answers as he wished them, all else in his talk."""
        owed = []
        for notice in moved.notices:
            wished = self._detour.wished(connection, moved.case, notice, conversation, account)
            own = (
                [wished]
                if wished is not None
                else self._book.notices([notice], conversation, account, now, self._wording(account))
            )
            owed += own
        return owed


def _tell_desk(connection: Connection, alerts: Sequence[AlertRow]) -> None:
    """Tell the desk of alerts, last of all in a transaction."""
    for alert in alerts:
        talk = desk.seen(connection, alert.conversation)
        owner, epoch = (talk.owner, talk.epoch) if talk else ("", 0)
        event = DeskEventRow(alert.at, alert.conversation, "alert", owner, epoch, detail=alert.id.hex())
        desk.append(connection, [event])
