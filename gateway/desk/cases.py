"""Cases at the desk: filled in beside a talk or during a call, put right, and moved by the verbs of the hotline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bots import state as states
from bots.words import say
from gateway.cases.office import Matter
from gateway.desk import form as forms
from gateway.desk.form import BY_PHONE, Form
from gateway.desk.moves import Refused, Why
from gateway.desk.rights import Right, Role, may
from gateway.desk.said import with_said
from gateway.profile import city
from gateway.store import cases as rows
from gateway.store import desk as sql
from gateway.store import desk_reads, media
from gateway.store.bodies import open_message
from normalizer import case as cases
from normalizer.case import Actor, Command, Verb
from normalizer.emergency import detect
from normalizer.errors import InvalidInput, NotFound
from normalizer.message import Address, SourceChannel
from normalizer.moves import MOVES, needs
from normalizer.people import valid_mobile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.contract import NewNumber, Submit
    from bots.state import Order
    from channels.contract import Channel
    from gateway.cases.book import CaseBook
    from gateway.cases.office import Office, Opened
    from gateway.profile import Profiles
    from gateway.store.rows import CaseRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.case import Attachment, Case

TYPED_IN = "坐席代录"
"""The label of a case that an agent typed in during a call (渠道 电话, domain.md 2.2)."""
_OFFICE = "web"
"""The account of those whom no text message reaches: what they are owed stands there, and they are called."""
_ROLES = {Role.AGENT.value: cases.Role.AGENT, Role.SUPERVISOR.value: cases.Role.SUPERVISOR}
_SAID = 200
"""Messages to people that are read into a form."""
_NOT_HERE = frozenset({Verb.SUBMIT, Verb.AMEND, Verb.MERGE})
"""What has a door of its own: the form, and the merging."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Who acts at the desk."""

    id: bytes
    name: str
    role: str

    def actor(self) -> Actor:
        """Return this person as a case's log names him; raises Refused without the right."""
        if not may(self.role, Right.ACT_ON_CASES):
            raise Refused(Why.RIGHT)
        return Actor(_ROLES[self.role], self.id.hex())


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent wants done to a case: the verb with what it needs."""

    verb: Verb
    reason: str = ""
    code: str = ""
    unit: str = ""
    unit_name: str = ""
    text: str = ""
    days: int = 0
    score: int = 0
    flag: bool = False


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A form with what is known of a talk; ``said`` names the fields that the citizen told people, not the bot."""

    form: Form
    said: tuple[str, ...] = ()


class Faulty(InvalidInput):
    """A form that cannot be submitted so; ``faults`` says what is wrong, by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class _From:
    """Where a form comes from, and where its citizen is told of it."""

    key: str
    source: SourceChannel
    reach: Address
    files: tuple[Attachment, ...] = ()
    phone: str = ""


class CaseDesk:
    """Opens, puts right and moves cases for the staff."""

    def __init__(
        self,
        *,
        store: Store,
        sealer: Sealer,
        book: CaseBook,
        office: Office,
        profiles: Profiles,
        channels: Mapping[str, Channel],
        sms: str,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._book = book
        self._office = office
        self._profiles = profiles
        self._channels = channels
        self._sms = sms

    async def prefill(self, conversation: bytes) -> Prefilled:
        """Return the form with what the bot has of a talk and what people were told since; raises NotFound."""
        talk, address = await self._talk(conversation)
        state = states.load(self._sealer.open(talk.state))
        channel = self._channels.get(talk.account)
        phone = address if channel is not None and channel.capabilities.phones else state.phone
        order, said = await self._heard(talk, state.order)
        return Prefilled(forms.from_order(order, name=state.name, phone=phone, lang=state.lang), said)

    async def open_beside(self, by: Staff, conversation: bytes, form: Form, key: str) -> Opened:
        """Open a case beside a talk and tell the citizen its number; ``key`` brought twice is one case.

        Raises NotFound, Faulty, Refused.
        """
        talk, address = await self._talk(conversation)
        order, _ = await self._heard(talk, states.load(self._sealer.open(talk.state)).order)
        kept = tuple(each for each in order.attachments if each.blob and each.blob in form.files)
        channel = self._channels.get(talk.account)
        source = channel.capabilities.source if channel is not None else SourceChannel.AGENT
        reach = Address(talk.account, address)
        opened = await self._open(by, form, _From(f"desk {conversation.hex()} {key}", source, reach, kept))
        owner, blobs = media.talk_owner(conversation), [each.blob for each in kept]
        if blobs:
            await self._store.write(lambda c: media.file(c, opened.case_no, owner, blobs))
        return opened

    async def open_call(self, by: Staff, form: Form, key: str) -> Opened:
        """Open a case that somebody tells on the telephone (渠道 电话); raises Faulty, Refused.

        Whoever called from a mobile is sent the number by text message, where the hotline sends any; the others are
        told it by the agent and are called with the answer.
        """
        mobile = valid_mobile(form.phone)
        typed = replace(form, labels=tuple(dict.fromkeys((*form.labels, TYPED_IN))))
        if self._sms and mobile is not None:
            reach, phone = Address(self._sms, mobile), mobile
        else:
            reach, phone = Address(_OFFICE, f"call {by.id.hex()} {key}"), ""
            typed = replace(typed, reply_by=typed.reply_by or BY_PHONE)
        call = _From(f"call {by.id.hex()} {key}", SourceChannel.PHONE, reach, phone=phone)
        return await self._open(by, typed, call)

    async def amend(self, by: Staff, case_no: str, form: Form, rev: int) -> Case:
        """Put a case's form right; raises NotFound, Faulty, Refused, Conflict when it moved since ``rev``."""
        case = await self.case(case_no)
        self._prove(form)
        person, matter = forms.amended(form, case)
        command = Command(Verb.AMEND, by.actor(), complainant=person, matter=matter, flag=form.secret)
        return await self._office.act(case_no, command, rev)

    async def act(self, by: Staff, case_no: str, wish: Wish, rev: int) -> Case:
        """Move a case; raises NotFound, Refused, Conflict when it moved since ``rev``."""
        actor = by.actor()
        if wish.verb in _NOT_HERE:
            raise Refused(Why.STATE)
        command = Command(
            wish.verb,
            actor,
            reason=wish.reason,
            code=wish.code,
            unit=wish.unit,
            unit_name=wish.unit_name,
            text=wish.text,
            days=wish.days,
            score=wish.score,
            flag=wish.flag,
        )
        return await self._office.act(case_no, command, rev)

    async def case(self, case_no: str) -> Case:
        """Return a case, whole; raises NotFound."""
        row = await self._store.read(partial(rows.get, case_no=case_no))
        if row is None:
            raise NotFound(f"no case {case_no}")
        return self._book.read(row)

    def read(self, row: CaseRow) -> Case:
        """Return the case of a row."""
        return self._book.read(row)

    def possible(self, by: Staff, case: Case) -> dict[Verb, tuple[str, ...]]:
        """Return what somebody of the staff may try on a case as it stands, each with the fields it needs."""
        role = _ROLES.get(by.role)
        found = (
            move.verb
            for move in MOVES
            if case.stage in move.before and role in move.roles and move.verb not in _NOT_HERE
        )
        return {verb: needs(case.stage, verb, role) for verb in found} if role is not None else {}

    async def _open(self, by: Staff, form: Form, come: _From) -> Opened:
        self._prove(form)
        profile = self._profiles.current

        def fill(number: NewNumber) -> Submit:
            return forms.filled(form, number, city(profile), come.files)

        def words(opened: Opened) -> str:
            return say(form.lang, "desk_opened", case_no=opened.case_no, code=opened.query_code)

        matter = Matter(
            key=come.key,
            source=come.source,
            reach=come.reach,
            fill=fill,
            phone=come.phone,
            danger=detect(form.text),
            by=by.actor(),
            words=words if come.reach.account != _OFFICE else None,
        )
        return await self._office.open(matter)

    async def _talk(self, conversation: bytes) -> tuple[sql.Talk, str]:
        talk, person = await self._store.read(
            lambda c: (sql.seen(c, conversation), rows.person(c, conversation))
        )
        if talk is None:
            raise NotFound("no such conversation")
        return talk, self._sealer.open(person.address).decode()

    async def _heard(self, talk: sql.Talk, order: Order) -> tuple[Order, tuple[str, ...]]:
        """Return the order with what the citizen told people in this service, and the fields that it filled."""
        if talk.enqueued_at is None:
            return order, ()
        since = talk.enqueued_at.to_bytes(6) + bytes(10)
        bodies = await self._store.read(lambda c: desk_reads.to_people(c, talk.conversation, since, _SAID))
        return with_said(order, [open_message(self._sealer, body) for body in bodies])

    def _prove(self, form: Form) -> None:
        if found := forms.faults(form, city(self._profiles.current)):
            raise Faulty(found)
