"""The next address of a citizen whom his own account does not reach: text message, then mail, then a person who calls.

Only notices go this way, worded anew for the channel they take. No address is guessed: a telephone that he proved to
have, else the one he left with the case; of mail addresses the one he left with the case (domain.md 4.4).
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
from outbox.notices import Notice, NoticeKind
from outbox.render import render, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from channels.contract import Channel
    from gateway.cases.book import CaseBook
    from gateway.store.seal import Sealer
    from normalizer.case import Case
    from outbox.queue import Claimed


@dataclass(frozen=True, slots=True)
class Detour:
    """Finds the next address and promises the notice there; ``words`` are those of the notices."""

    channels: Mapping[str, Channel]
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
        for reach in self._next(connection, row, case):
            self._promise(connection, row, reach)
            return reach.account
        return ""

    def _next(self, connection: Connection, row: Claimed, case: Case) -> Iterator[Address]:
        person = case.complainant
        order = [SourceChannel.SMS, SourceChannel.EMAIL]
        here = self.channels[row.account].capabilities.source if row.account in self.channels else None
        # Onward only, so that a message never goes round in a circle.
        for source in order[order.index(here) + 1 :] if here in order else order:
            account = self._account(source)
            if not account:
                continue
            if source is SourceChannel.SMS:
                bound = conversations.bound(connection, row.conversation, account)
                phone = self.sealer.open(bound).decode() if bound else valid_mobile(person.phone) or ""
                if phone and not person.anonymous:
                    yield Address(account, phone)
            elif person.email and not person.anonymous:
                yield Address(account, person.email)

    def _account(self, source: SourceChannel) -> str:
        return next((name for name, each in self.channels.items() if each.capabilities.source is source), "")

    def _promise(self, connection: Connection, row: Claimed, reach: Address) -> None:
        conversation = self.sealer.conversation(reach.account, reach.user)
        address, state = self.sealer.seal(reach.user.encode()), self.sealer.seal(dump(State()))
        conversations.begin(connection, new_conversation(conversation, reach.account, address, state))
        assert row.fields is not None
        fields = json.loads(self.sealer.open(row.fields))
        notice = Notice(row.case_no, NoticeKind(row.notice), fields=fields)
        way = wording(self.channels[reach.account].capabilities)
        made = self.book.promise(
            conversation,
            reach.account,
            row.notice,
            render(notice, self.words, way),
            self.now(),
            case_no=row.case_no,
            key=f"{row.notice_key}:{reach.account}",
        )
        cases.save(connection, Rows(outgoing=[made._replace(fields=row.fields)]))
