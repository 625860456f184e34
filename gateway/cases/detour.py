"""Another address of a citizen than the talk he wrote in: because he wished it, or because that does not reach him.

In turn text message, mail, and a person who calls. Only notices go this way, worded anew for the channel they take. No
address is guessed: a telephone that he proved to have, else the one he left with the case; of mail addresses the one he
left with the case (domain.md 4.4).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.state import State, dump
from gateway.store import cases, conversations
from gateway.store.rows import Rows, new_conversation
from normalizer.message import Address, SourceChannel
from normalizer.people import valid_mobile
from outbox.notices import ANSWERS, Notice, NoticeKind
from outbox.render import DISCREET, discreet, render
from outbox.route import ASKED, CALL_HIM
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.carriers import Carriers
    from gateway.cases.book import CaseBook
    from gateway.store.rows import OutgoingRow
    from gateway.store.seal import Sealer
    from normalizer.case import Case
    from outbox.queue import Claimed

BY_SMS, BY_PHONE = "sms", "phone"
"""Wishes of how to be answered (答复方式), as an order keeps them; any other is the talk itself."""


@dataclass(frozen=True, slots=True)
class Detour:
    """Finds the other address and promises the notice there.

    ``accounts`` are the accounts that the settings name for text messages and mail; ``words`` are those of the notices.
    """

    carriers: Carriers
    accounts: Mapping[SourceChannel, str]
    book: CaseBook
    sealer: Sealer
    words: Mapping[str, Mapping[str, str]]
    now: Callable[[], datetime]

    def take(self, connection: Connection, row: Claimed) -> str:
        """Promise a notice at the next address and return its account, nothing when there is none."""
        if row.fields is None or row.notice not in set(NoticeKind):
            return ""
        found = cases.get(connection, row.case_no)
        if found is None:
            return ""
        case = self.book.read(found)
        fields = json.loads(self.sealer.open(row.fields))
        secret = case.secret or fields.pop(DISCREET, None) is not None
        notice = Notice(row.case_no, NoticeKind(row.notice), fields=fields, secret=secret)
        for reach in self._next(connection, row, case):
            made = self._promise(connection, notice, f"{row.notice_key}:{reach.account}", reach)
            cases.save(connection, Rows(outgoing=[made]))
            return reach.account
        return ""

    def wished(
        self, connection: Connection, case: Case, notice: Notice, conversation: bytes, account: str
    ) -> OutgoingRow | None:
        """Return the row by which a citizen gets an answer as he wished it; None when that is the talk itself.

        Who wishes to be called stands on the list of calls, and is told by nothing else.
        """
        wish = case.complainant.channel_pref
        if notice.kind not in ANSWERS or wish not in {BY_SMS, BY_PHONE}:
            return None
        if wish == BY_PHONE:
            (row,) = self.book.notices(
                [notice], conversation, account, self.now(), self.carriers.wording(account)
            )
            return row._replace(state=OutState.DEAD.value, outcome=f"{ASKED}; {CALL_HIM}")
        sms = self.account(SourceChannel.SMS)
        phone = self._phone(connection, case, conversation, sms) if sms and sms != account else ""
        return self._promise(connection, notice, notice.key, Address(sms, phone)) if phone else None

    def _next(self, connection: Connection, row: Claimed, case: Case) -> Iterator[Address]:
        person = case.complainant
        order = [SourceChannel.SMS, SourceChannel.EMAIL]
        here = self.carriers.source(row.account)
        if person.channel_pref == BY_PHONE and row.notice in ANSWERS:
            return
        # Onward only, so that a message never goes round in a circle.
        for source in order[order.index(here) + 1 :] if here in order else order:
            account = self.account(source)
            if not account:
                continue
            if source is SourceChannel.SMS:
                if phone := self._phone(connection, case, row.conversation, account):
                    yield Address(account, phone)
            elif person.email and not person.anonymous:
                yield Address(account, person.email)

    def _phone(self, connection: Connection, case: Case, conversation: bytes, account: str) -> str:
        """Return the telephone that he proved to have, else the one he left with the case; empty when neither."""
        person = case.complainant
        if person.anonymous:
            return ""
        bound = conversations.bound(connection, conversation, account)
        return self.sealer.open(bound).decode() if bound else valid_mobile(person.phone) or ""

    def account(self, source: SourceChannel) -> str:
        """Return the account that carries a kind of message: as set, else the first there is."""
        first = (name for name, each in self.carriers.channels.items() if each.capabilities.source is source)
        return self.accounts.get(source) or next(first, "")

    def _promise(self, connection: Connection, notice: Notice, key: str, reach: Address) -> OutgoingRow:
        conversation = self.sealer.conversation(reach.account, reach.user)
        address, state = self.sealer.seal(reach.user.encode()), self.sealer.seal(dump(State()))
        conversations.begin(connection, new_conversation(conversation, reach.account, address, state))
        way = self.carriers.wording(reach.account)
        told = discreet(notice.case_no, self.words, way) if notice.secret else None
        made = self.book.promise(
            conversation,
            reach.account,
            notice.kind.value,
            told or render(notice, self.words, way),
            self.now(),
            case_no=notice.case_no,
            key=key,
        )
        return made._replace(fields=self.book.sealed_fields(notice))
