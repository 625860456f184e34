"""One message's turn: what was read and what the bot says become rows of the batch.

The bot returns effects; here they are carried out under the rules of ``cases.service``. What the bot must know
(own cases, a number) it asks for, and the pipeline asks for all turns of a batch together. No I/O happens here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from bots import state as states
from bots.contract import (
    Act,
    Alert,
    Appeal,
    Bind,
    Facts,
    Gap,
    Handoff,
    Link,
    OptOut,
    Owner,
    RateService,
    Submit,
    Turn,
    Vote,
    Wished,
)
from bots.router import turn
from bots.words import say
from channels.contract import WANTED
from channels.splitting import split
from gateway.cases import service
from gateway.cases.book import ANY_OWNER
from gateway.desk import routing
from gateway.runtime import millis
from gateway.store import requests
from gateway.store.bodies import seal_part
from gateway.store.media import talk_owner
from gateway.store.recent import Recent
from gateway.store.rows import (
    AlertRow,
    BindingRow,
    CaseRow,
    ConversationRow,
    DeskEventRow,
    FiledRow,
    GapRow,
    HeardRow,
    NameRow,
    OutgoingRow,
    RatedRow,
    ReplyRow,
    Rows,
    TalkRow,
    VoteRow,
    WaitRow,
    WantedRow,
    WishRow,
    new_conversation,
)
from normalizer.draft import CaseDraft, draft
from normalizer.evolve import evolve
from normalizer.message import DOUBTED, SourceChannel
from normalizer.text import for_matching
from outbox.render import wording
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
    from normalizer.case import Attachment
    from normalizer.emergency import Emergency
    from normalizer.message import InboundMessage

REPLY = "reply"
PASSIVE_LEASE_MS = 20_000
"""How long a passive reply may be on its way: longer than WeChat's three tries of 5 s (wechat.md 2.2)."""

BOT_HOLDS = frozenset({Owner.BOT.value, Owner.QUEUED.value, Owner.CLOSED.value})


_WITH_SENDER = frozenset({SourceChannel.SMS, SourceChannel.EMAIL})
"""Channels whose addresses the bot may know: a telephone to call, a mail address to answer."""


@dataclass(frozen=True, slots=True)
class There:
    """The conversation that a code was given to, its account, and the hash under which the code is kept."""

    conversation: bytes
    account: str
    code: bytes


_RULES = routing.Rules()
_ORDINARY = frozenset(TalkRow._fields)
"""What nearly every turn changes of a conversation, and nothing else."""
_WAITS = (Owner.QUEUED.value, Owner.OFFERED.value)
_UNREAD, _NEW, _NOTHING = CaseDraft(), states.State(), Facts()


@dataclass(slots=True)
class Talk:
    """One message of the batch with its conversation, and what the bot has been told so far."""

    message: InboundMessage
    row_id: bytes
    conversation: bytes
    before: ConversationRow | None
    channel: Channel
    passive: bool
    waited: bool
    now: datetime
    reading: CaseDraft = _UNREAD
    state: states.State = _NEW
    facts: Facts = _NOTHING
    cases: dict[str, CaseRow] = field(default_factory=dict)
    there: There | None = None


class Said(NamedTuple):
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
        rules: routing.Rules = _RULES,
    ) -> None:
        self._sealer = sealer
        self._rules = rules
        self._ids = ids
        self._book = book
        self._channels = channels
        self._profiles = profiles
        self._calendar = calendar
        self._new_state = sealer.seal(states.dump(states.State()))
        self._recent = Recent[states.State]()

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
        """Return the talk about a message; nothing of it is read yet."""
        channel = self._channels[message.account]
        return Talk(message, row_id, conversation, before, channel, passive, waited, now)

    def read(self, talk: Talk) -> None:
        """Read the message."""
        talk.reading = draft(talk.message)

    def recall(self, talk: Talk) -> None:
        """Read the conversation's state."""
        before = talk.before
        talk.facts = _facts(before.owner if before else Owner.BOT.value, talk.message.source)
        if before is not None:
            talk.state = self._recent.get(before.state) or states.load(self._sealer.open(before.state))
        if talk.message.source in _WITH_SENDER:
            doubted = DOUBTED in talk.message.notes
            talk.facts = evolve(talk.facts, sender=talk.message.sender, doubted=doubted)

    def speak(self, talk: Talk, moment: Moment) -> Turn | Ask:
        """Let the bot answer, or say what it must know first."""
        return turn(talk.state, talk.reading, talk.facts, moment)

    def finish(self, talk: Talk, done: Turn, rows: Rows) -> Said:
        """Write a turn into the batch."""
        before = talk.before or self._first(talk.message, talk.conversation, rows)
        change = self._noted(talk.message, before, talk.channel)
        sealed = change["state"] = self._sealer.seal(states.dump(done.state))
        self._recent.keep(sealed, done.state)
        change["waiting"] = before.waiting - talk.waited
        case_no = ""
        for effect in _with_one_handoff(done.effects):
            case_no = self._carry_out(effect, talk, before, change, rows) or case_no
        if before.owner in _WAITS and change.get("owner", before.owner) in _WAITS:
            self._tell_waiting(talk, before, rows)
        self._moved(talk, before, change, rows)
        if case_no and talk.message.name:
            rows.names.append(NameRow(talk.message.account, talk.message.name, case_no, millis(talk.now)))
        return self._say(talk, done.replies, change.get("epoch", before.epoch), case_no, rows)

    def _moved(self, talk: Talk, before: ConversationRow, change: dict[str, Any], rows: Rows) -> None:
        if talk.before is None or not change.keys() <= _ORDINARY:
            rows_of_conversation(rows, talk.before).append(before._replace(**change))
            return
        window = (
            change.get("window_until", before.window_until),
            change.get("window_left", before.window_left),
        )
        row = (
            before.id,
            change["version"],
            change["state"],
            change["waiting"],
            *window,
            change["last_in_at"],
        )
        rows.talks.append(TalkRow._make(row))

    def apologise(self, talk: Talk, rows: Rows, text: str) -> Said:
        """Answer a message whose turn failed: it is kept, and a person will look."""
        message, conversation, before = talk.message, talk.conversation, talk.before
        self.keep(message, conversation, before, rows, waiting=-int(talk.waited))
        if message.automatic:
            return Said()
        if message.source is SourceChannel.SMS:
            text = say("zh", "failed_sms")
        epoch = before.epoch if before else 0
        made = self._reply(text, talk, epoch, rows, passive=talk.passive)
        return Said(made, text if talk.passive else None)

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
        row = before or self._first(message, conversation, rows)
        change = self._noted(message, row, self._channels[message.account])
        change["waiting"] = row.waiting + waiting
        rows_of_conversation(rows, before).append(row._replace(**change))

    def wanted(self, message: InboundMessage, conversation: bytes, rows: Rows) -> list[WantedRow]:
        """Return the rows of a message's files that are still to be fetched; those filed in this turn are a case's."""
        filed = {row.blob: row.case_no for row in rows.filed}
        at = millis(message.received_at)
        return [
            WantedRow(
                part.blob,
                message.account,
                conversation,
                filed.get(part.blob, ""),
                "wanted",
                "",
                "",
                0,
                at,
                at,
                seal_part(self._sealer, part),
            )
            for part in message.parts
            if part.blob.startswith(WANTED)
        ]

    def _noted(self, message: InboundMessage, before: ConversationRow, channel: Channel) -> dict[str, Any]:
        """Return what a message changes of its conversation's row: its time, and the leave to write it gives."""
        change: dict[str, Any] = {"version": before.version + 1, "last_in_at": millis(message.received_at)}
        if (grant := channel.grant(message)) is not None:
            change["window_until"], change["window_left"] = millis(grant.until), grant.count
        if message.thread:
            change["thread"] = self._sealer.seal(message.thread.encode())
        return change

    def _first(self, message: InboundMessage, conversation: bytes, rows: Rows) -> ConversationRow:
        if self._channels[message.account].capabilities.phones:
            at = millis(message.received_at)
            rows.bindings.append(BindingRow(conversation, self._sealer.person(message.sender), at))
        address = self._sealer.seal(message.sender.encode())
        return new_conversation(conversation, message.account, address, self._new_state)

    def _carry_out(
        self, effect: Effect, talk: Talk, before: ConversationRow, change: dict[str, Any], rows: Rows
    ) -> str:
        """Carry out one effect and return the case it touched; what it does to the conversation goes into ``change``."""
        match effect:
            case Submit():
                return self._submit(effect, talk, rows)
            case Act():
                return self._act(effect, talk, rows)
            case Handoff():
                self._hand_off(effect, talk, before, change, rows)
            case OptOut(out):
                change["opted_out"] = out
            case Link(case_no):
                return case_no
            case Bind(words):
                self._bind(words, talk, rows)
            case Alert() | Vote() | Gap() | RateService() | Appeal() | Wished():
                self._note_down(effect, talk, before, rows)
            case _:
                change |= {
                    "owner": Owner.BOT.value,
                    "epoch": before.epoch + 1,
                    "enqueued_at": None,
                    "note": None,
                }
                self._leave(talk, before, rows)
        return ""

    def _note_down(
        self,
        effect: Alert | Vote | Gap | RateService | Appeal | Wished,
        talk: Talk,
        before: ConversationRow,
        rows: Rows,
    ) -> None:
        """Write what changes neither case nor conversation."""
        at = millis(talk.now)
        match effect:
            case Alert(emergency):
                self._alert(emergency, at, before, rows)
            case Vote(entry, helpful):
                rows.votes.append(VoteRow(entry, int(helpful), int(not helpful)))
            case Gap(question):
                rows.gaps.append(self._gap(question, at))
            case RateService(began, score):
                rows.rated.append(RatedRow(score, at, talk.conversation, began))
                said = DeskEventRow(at, talk.conversation, "rated", before.owner, before.epoch)
                rows.desk.append(said._replace(detail=str(score)))
            case Wished():
                rows.wishes.append(self._wish(effect, talk, at))
            case Appeal():
                rows.desk.append(DeskEventRow(at, talk.conversation, "appeal", before.owner, before.epoch))

    def _wish(self, wish: Wished, talk: Talk, at: int) -> WishRow:
        # As the pages write it (``gateway/web/portal/own.py``): one list for whoever settles it.
        phone = talk.message.sender if talk.message.source is SourceChannel.SMS else ""
        told = {"text": wish.text, "cases": wish.cases, "phone": phone}
        body = self._sealer.seal(json.dumps(told, ensure_ascii=False).encode())
        return WishRow(self._ids(), at, talk.conversation, wish.kind.value, requests.OPEN, None, body)

    def _gap(self, question: str, at: int) -> GapRow:
        # Signs and blanks make no other question.
        words = "".join(filter(str.isalnum, for_matching(question)))
        asked = self._sealer.hash(f"gap {words}")[:16]
        return GapRow(asked, 1, at, at, self._sealer.seal(question.encode()))

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
        self._file(moved.case.case_no, effect.matter.attachments, talk, rows)
        self._promise(moved, talk, rows)
        return moved.case.case_no

    def _act(self, effect: Act, talk: Talk, rows: Rows) -> str:
        # Two conversations of one person may move one case in one batch.
        before = rows.changed(effect.case_no) or talk.cases[effect.case_no]
        case = self._book.read(before)
        profile = self._profiles.at(case.profile_version)
        moved = service.act(case, effect.command, profile, self._calendar, talk.now)
        self._book.moved(moved, before, rows)
        self._file(effect.case_no, effect.command.attachments, talk, rows)
        self._promise(moved, talk, rows)
        return effect.case_no

    def _file(self, case_no: str, files: tuple[Attachment, ...], talk: Talk, rows: Rows) -> None:
        """Make files of the talk a case's own."""
        owner = talk_owner(talk.conversation)
        rows.filed += [FiledRow(case_no, owner, each.blob) for each in files if each.blob]

    def _bind(self, words: str, talk: Talk, rows: Rows) -> None:
        """Make both conversations the telephone's, spend the code, and tell the one that asked for it."""
        there = talk.there
        assert there is not None
        person, at = self._sealer.person(talk.message.sender), millis(talk.now)
        rows.bindings += [BindingRow(c, person, at) for c in (talk.conversation, there.conversation)]
        rows.spent.append(there.code)
        rows.outgoing.append(
            self._queued(words, there.conversation, there.account, ANY_OWNER, at=millis(talk.now))
        )

    def _promise(self, moved: service.Moved, talk: Talk, rows: Rows) -> None:
        account = talk.message.account
        rows.outgoing += self._book.notices(
            moved.notices,
            talk.conversation,
            account,
            talk.now,
            wording(talk.channel.capabilities),
        )

    def heard(
        self, message: InboundMessage, row_id: bytes, before: ConversationRow, rows: Rows
    ) -> ConversationRow:
        """Tell whoever has the conversation of a message, and the people on duty of danger; the bot says nothing.

        Who writes while his talk is being wrapped up has it open again (T23); what a machine wrote is shown and does
        nothing more, for it answers to all that is said (T32), and so is what was only tapped (a menu, a link, a code).
        Returns the conversation's row for the batch to go on with.
        """
        at = millis(message.received_at)
        if not message.automatic and message.event is None:
            if before.owner == Owner.WRAP_UP.value:
                before = before._replace(owner=Owner.AGENT.value, epoch=before.epoch + 1)
            rows.heard.append(HeardRow(before.id, at, self._rules.after(at, self._rules.silent_ms)))
            if (emergency := draft(message).emergency) is not None:
                self._alert(emergency, at, before, rows)
        rows.desk.append(
            DeskEventRow(at, before.id, "message", before.owner, before.epoch, detail=row_id.hex())
        )
        return before

    def _tell_waiting(self, talk: Talk, before: ConversationRow, rows: Rows) -> None:
        """Tell the desk what somebody says whom the bot still answers while he waits for a person."""
        at = millis(talk.now)
        rows.desk.append(
            DeskEventRow(at, before.id, "message", before.owner, before.epoch, detail=talk.row_id.hex())
        )

    def _alert(self, emergency: Emergency, at: int, before: ConversationRow, rows: Rows) -> None:
        """Alarm the people on duty; the event's detail is the alert's id, which somebody must acknowledge."""
        alert = AlertRow(self._ids(), at, before.id, emergency.kind.value, emergency.word, None)
        rows.alerts.append(alert)
        rows.desk.append(
            DeskEventRow(at, before.id, "alert", before.owner, before.epoch, detail=alert.id.hex())
        )

    def _leave(self, talk: Talk, before: ConversationRow, rows: Rows) -> None:
        at = millis(talk.now)
        rows.waits.append(WaitRow(talk.conversation, None, routing.CHAT, at))
        rows.desk.append(DeskEventRow(at, talk.conversation, "left", Owner.BOT.value, before.epoch + 1))

    def _wait(self, effect: Handoff, talk: Talk, change: dict[str, Any], rows: Rows) -> None:
        """Give the conversation its place in the queue; it moves up in it only when it becomes urgent."""
        rank = routing.rank(
            change["enqueued_at"], self._rules, urgent=change["urgent"], elderly=talk.state.elderly
        )
        weight = routing.MAIL if talk.message.source is SourceChannel.EMAIL else routing.CHAT
        rows.waits.append(WaitRow(talk.conversation, rank, weight, millis(talk.now)))
        rows.desk.append(
            DeskEventRow(
                millis(talk.now),
                talk.conversation,
                "queued",
                Owner.QUEUED.value,
                change["epoch"],
                detail=effect.reason,
            )
        )

    def _hand_off(
        self, effect: Handoff, talk: Talk, before: ConversationRow, change: dict[str, Any], rows: Rows
    ) -> None:
        change["note"] = self._sealer.seal(to_json({"reason": effect.reason, "phone": effect.phone}))
        change["urgent"] = change.get("urgent", before.urgent) or effect.urgent
        if change.get("owner", before.owner) == Owner.QUEUED.value:
            # The place in the queue is kept for ever; only what is asked for may change.
            place = {"enqueued_at": before.enqueued_at or millis(talk.now), "epoch": before.epoch}
            self._wait(effect, talk, change | place, rows)
            return
        change |= {
            "owner": Owner.QUEUED.value,
            "epoch": before.epoch + 1,
            "enqueued_at": millis(talk.now),
            "skill": effect.skill,
            "urgent": effect.urgent,
        }
        self._wait(effect, talk, change, rows)

    def _say(self, talk: Talk, replies: tuple[str, ...], epoch: int, case_no: str, rows: Rows) -> Said:
        if not replies:
            return Said(case_no=case_no)
        # One text where it fits: the passive reply carries one and costs none of the five.
        first, *more = split("\n\n".join(replies), talk.channel.capabilities.max_bytes)
        made = self._reply(first, talk, epoch, rows, passive=talk.passive, case_no=case_no)
        for part in more:
            self._reply(part, talk, epoch, rows, passive=False, case_no=case_no)
        return Said(made, first if talk.passive else None, case_no)

    def _reply(
        self, text: str, talk: Talk, epoch: int, rows: Rows, *, passive: bool, case_no: str = ""
    ) -> bytes:
        """Write a reply and return its id."""
        at, account = millis(talk.now), talk.message.account
        if not passive:
            rows.outgoing.append(
                self._queued(text, talk.conversation, account, epoch, at=at, case_no=case_no)
            )
            return rows.outgoing[-1].id
        made, sealed = self._ids(), self._sealer.seal(text.encode())
        rows.replies.append(ReplyRow(made, talk.conversation, account, case_no, epoch, sealed, at))
        return made

    def _queued(
        self, text: str, conversation: bytes, account: str, epoch: int, *, at: int, case_no: str = ""
    ) -> OutgoingRow:
        return OutgoingRow(
            id=self._ids(),
            conversation=conversation,
            account=account,
            case_no=case_no,
            notice=REPLY,
            notice_key=None,
            epoch=epoch,
            state=OutState.QUEUED.value,
            route="",
            body=self._sealer.seal(text.encode()),
            attempts=0,
            next_at=at,
            lease_until=0,
            created_at=at,
            sent_at=None,
            outcome="",
        )


def _with_one_handoff(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Return the effects with one handoff in place of several: one message is queued once, for all its reasons (T17)."""
    wishes = [each for each in effects if isinstance(each, Handoff)]
    if len(wishes) < 2:
        return effects
    phone = next((each.phone for each in wishes if each.phone), "")
    skill = next((each.skill for each in wishes if each.skill), "")
    one = replace(wishes[0], phone=phone, skill=skill, urgent=any(each.urgent for each in wishes))
    return (*(each for each in effects if not isinstance(each, Handoff)), one)


@cache
def _facts(owner: str, source: SourceChannel) -> Facts:
    """Return what is known before anything was asked: made once for each kind of conversation."""
    return Facts(owner=Owner(owner), source=source.value)


def rows_of_conversation(rows: Rows, before: ConversationRow | None) -> list[ConversationRow]:
    """Return the list a conversation's new row belongs to."""
    return rows.new_conversations if before is None else rows.conversations
