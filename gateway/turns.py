"""One message's turn: what was read and what the bot says become rows of the batch.

The bot returns effects; here they are carried out under the rules of ``cases.service``. What the bot must know
(own cases, a number) it asks for, and the pipeline asks for all turns of a batch together. No I/O happens here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import to_json

from bots import state as states
from bots.contract import Act, Alert, Facts, Handoff, OptOut, Owner, Submit, Turn
from bots.router import turn
from channels.splitting import split
from gateway.cases import service
from gateway.runtime import millis
from gateway.store.rows import AlertRow, CaseRow, ConversationRow, OutgoingRow, Rows
from normalizer.draft import draft
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bots.contract import Ask, Effect, Moment
    from channels.contract import Channel
    from gateway.calendar import Calendar
    from gateway.cases.book import CaseBook
    from gateway.profile import Profiles
    from gateway.store.seal import Sealer
    from normalizer.draft import CaseDraft
    from normalizer.message import InboundMessage

REPLY = "reply"
PASSIVE_LEASE_MS = 20_000
"""How long a passive reply may be on its way: longer than WeChat's three tries of 5 s (wechat.md 2.2)."""

BOT_HOLDS = frozenset({Owner.BOT.value, Owner.QUEUED.value, Owner.CLOSED.value})


@dataclass(slots=True)
class Talk:
    """One message of the batch with its conversation, and what the bot has been told so far."""

    message: InboundMessage
    row_id: bytes
    conversation: bytes
    before: ConversationRow | None
    channel: Channel
    passive: bool
    now: datetime
    reading: CaseDraft
    state: states.State
    facts: Facts
    waited: bool = False
    cases: dict[str, CaseRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What a turn leads to.

    ``reply`` is the outgoing row that answers, ``text`` its words when they ride passively, ``case_no`` the case
    it opened or moved.
    """

    reply: bytes | None = None
    text: str | None = None
    case_no: str = ""


class Turns:
    """Lets the bot answer and carries out what it decided."""

    def __init__(
        self,
        *,
        sealer: Sealer,
        ids: Callable[[], bytes],
        book: CaseBook,
        channels: Mapping[str, Channel],
        profiles: Profiles,
        calendar: Calendar,
    ) -> None:
        self._sealer = sealer
        self._ids = ids
        self._book = book
        self._channels = channels
        self._profiles = profiles
        self._calendar = calendar
        self._new_state = sealer.seal(states.dump(states.State()).encode())

    def begin(
        self,
        message: InboundMessage,
        row_id: bytes,
        conversation: bytes,
        before: ConversationRow | None,
        now: datetime,
        *,
        passive: bool,
        waited: bool,
    ) -> Talk:
        """Read a message and the conversation's state."""
        return Talk(
            message=message,
            row_id=row_id,
            conversation=conversation,
            before=before,
            channel=self._channels[message.account],
            passive=passive,
            waited=waited,
            now=now,
            reading=draft(message),
            state=states.load(self._sealer.open(before.state).decode()) if before else states.State(),
            facts=Facts(owner=Owner(before.owner) if before else Owner.BOT, source=message.source.value),
        )

    def speak(self, talk: Talk, moment: Moment) -> Turn | Ask:
        """Let the bot answer, or say what it must know first."""
        return turn(talk.state, talk.reading, talk.facts, moment)

    def finish(self, talk: Talk, done: Turn, rows: Rows) -> Said:
        """Write a turn into the batch."""
        row = self.moved_on(talk.message, talk.conversation, talk.before, talk.channel)
        row = row._replace(
            state=self._sealer.seal(states.dump(done.state).encode()),
            waiting=row.waiting - talk.waited,
        )
        case_no = ""
        for effect in done.effects:
            row, touched = self._carry_out(effect, talk, row, rows)
            case_no = touched or case_no
        rows_of_conversation(rows, talk.before).append(row)
        return self._say(talk, done.replies, row.epoch, case_no, rows)

    def apologise(
        self,
        message: InboundMessage,
        conversation: bytes,
        before: ConversationRow | None,
        rows: Rows,
        text: str,
        *,
        passive: bool,
        waited: bool,
    ) -> Said:
        """Answer a message whose turn failed: it is kept, and a person will look."""
        self.keep(message, conversation, before, rows, waiting=-int(waited))
        now = millis(message.received_at)
        made = self._outgoing(text, message, conversation, epoch=before.epoch if before else 0, now=now)
        if passive:
            made = _passive(made, now)
        rows.outgoing.append(made)
        return Said(made.id, text if passive else None)

    def keep(
        self,
        message: InboundMessage,
        conversation: bytes,
        before: ConversationRow | None,
        rows: Rows,
        *,
        waiting: int,
    ) -> None:
        """Note a message that is not turned now: only the conversation's own row moves."""
        row = self.moved_on(message, conversation, before, self._channels[message.account])
        rows_of_conversation(rows, before).append(row._replace(waiting=row.waiting + waiting))

    def moved_on(
        self,
        message: InboundMessage,
        conversation: bytes,
        before: ConversationRow | None,
        channel: Channel,
    ) -> ConversationRow:
        """Return the conversation's row with this message noted: its time, and the leave to write it gives."""
        grant = channel.grant(message)
        at = millis(message.received_at)
        if before is None:
            before = self._first(message, conversation, at)
        if grant is None:
            return before._replace(version=before.version + 1, last_in_at=at)
        return before._replace(
            version=before.version + 1,
            last_in_at=at,
            window_until=millis(grant.until),
            window_left=grant.count,
        )

    def _first(self, message: InboundMessage, conversation: bytes, at: int) -> ConversationRow:
        return ConversationRow(
            id=conversation,
            account=message.account,
            address=self._sealer.seal(message.sender.encode()),
            state=self._new_state,
            owner=Owner.BOT.value,
            epoch=0,
            version=0,
            waiting=0,
            window_until=0,
            window_left=0,
            opted_out=False,
            last_in_at=at,
            enqueued_at=None,
            skill="",
            urgent=False,
            note=None,
        )

    def _carry_out(
        self,
        effect: Effect,
        talk: Talk,
        row: ConversationRow,
        rows: Rows,
    ) -> tuple[ConversationRow, str]:
        match effect:
            case Submit():
                return row, self._submit(effect, talk, rows)
            case Act():
                return row, self._act(effect, talk, rows)
            case Handoff():
                return self._hand_off(effect, talk, row), ""
            case Alert(emergency):
                rows.alerts.append(
                    AlertRow(
                        self._ids(),
                        millis(talk.now),
                        talk.conversation,
                        emergency.kind.value,
                        emergency.word,
                        None,
                    )
                )
                return row, ""
            case OptOut(out):
                return row._replace(opted_out=out), ""
            case _:
                return row._replace(
                    owner=Owner.BOT.value, epoch=row.epoch + 1, enqueued_at=None, note=None
                ), ""

    def _submit(self, effect: Submit, talk: Talk, rows: Rows) -> str:
        moved = service.submit(
            effect,
            source=talk.message.source.value,
            message_id=talk.row_id.hex(),
            profile=self._profiles.current,
            calendar=self._calendar,
            now=talk.now,
        )
        self._book.opened(moved, talk.conversation, effect.number.query_code, rows)
        self._promise(moved, talk, rows)
        return moved.case.case_no

    def _act(self, effect: Act, talk: Talk, rows: Rows) -> str:
        before = talk.cases[effect.case_no]
        case = self._book.read(before)
        profile = self._profiles.at(case.profile_version)
        moved = service.act(case, effect.command, profile, self._calendar, talk.now)
        self._book.moved(moved, before, rows)
        self._promise(moved, talk, rows)
        return effect.case_no

    def _promise(self, moved: service.Moved, talk: Talk, rows: Rows) -> None:
        message = talk.message
        rows.outgoing += self._book.notices(
            moved.notices, talk.conversation, message.account, talk.now, source=message.source.value
        )

    def _hand_off(self, effect: Handoff, talk: Talk, row: ConversationRow) -> ConversationRow:
        note = self._sealer.seal(to_json({"reason": effect.reason, "phone": effect.phone}))
        if row.owner == Owner.QUEUED.value:
            # The place in the queue is kept for ever; only what is asked for may change.
            return row._replace(urgent=row.urgent or effect.urgent, note=note)
        return row._replace(
            owner=Owner.QUEUED.value,
            epoch=row.epoch + 1,
            enqueued_at=millis(talk.now),
            skill=effect.skill,
            urgent=effect.urgent,
            note=note,
        )

    def _say(self, talk: Talk, replies: tuple[str, ...], epoch: int, case_no: str, rows: Rows) -> Said:
        if not replies:
            return Said(case_no=case_no)
        # One text where it fits: the passive reply carries one and costs none of the five.
        parts = split("\n\n".join(replies), talk.channel.capabilities.max_bytes)
        now = millis(talk.now)
        made = [
            self._outgoing(part, talk.message, talk.conversation, epoch=epoch, now=now, case_no=case_no)
            for part in parts
        ]
        if talk.passive:
            made[0] = _passive(made[0], now)
        rows.outgoing += made
        return Said(made[0].id, parts[0] if talk.passive else None, case_no)

    def _outgoing(
        self,
        text: str,
        message: InboundMessage,
        conversation: bytes,
        *,
        epoch: int,
        now: int,
        case_no: str = "",
    ) -> OutgoingRow:
        return OutgoingRow(
            id=self._ids(),
            conversation=conversation,
            account=message.account,
            case_no=case_no,
            notice=REPLY,
            notice_key=None,
            epoch=epoch,
            state=OutState.QUEUED.value,
            route="",
            body=self._sealer.seal(text.encode()),
            attempts=0,
            next_at=now,
            lease_until=0,
            created_at=now,
            sent_at=None,
            outcome="",
        )


def _passive(row: OutgoingRow, now: int) -> OutgoingRow:
    return row._replace(state=OutState.PASSIVE.value, route="passive", lease_until=now + PASSIVE_LEASE_MS)


def rows_of_conversation(rows: Rows, before: ConversationRow | None) -> list[ConversationRow]:
    """Return the list a conversation's new row belongs to."""
    return rows.new_conversations if before is None else rows.conversations
