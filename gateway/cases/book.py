"""How a decided move becomes rows: the case sealed, its log chained, its notices promised.

Each event's hash covers the hash before it, its own columns and its sealed body, so that no line can be changed,
dropped or moved without ``jiesu audit verify`` saying so, and without the key being needed to see it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store.bodies import open_case, seal_case, seal_event
from gateway.store.rows import CaseChange, CaseRow, EventRow, OutgoingRow, Rows
from normalizer.case import Stage
from normalizer.codes import CATEGORY_LABELS
from outbox.notices import Notice, NoticeKind
from outbox.render import DISCREET, Wording, discreet, render
from outbox.tables import OutState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from gateway.cases.service import Moved
    from gateway.store.follows import Follower
    from gateway.store.seal import Sealer
    from normalizer.case import Case, CaseEvent

FINISHED = frozenset({Stage.CLOSED_PENDING, Stage.VISITED, Stage.CLOSED, Stage.ARCHIVED, Stage.ANSWERED})
"""A follower is told that the matter was settled."""
ANY_OWNER = -1
"""The epoch of a row that is owed whoever holds the conversation."""


def chain(head: bytes, event: EventRow) -> bytes:
    """Return the hash of an event that follows ``head``."""
    columns = f"{event.case_no}|{event.seq}|{event.at}|{event.verb}|{event.before}|{event.after}|"
    return hashlib.sha256(head + columns.encode() + event.body).digest()


class CaseBook:
    """Writes cases into rows and reads them back."""

    def __init__(
        self, sealer: Sealer, ids: Callable[[], bytes], words: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._sealer = sealer
        self._ids = ids
        self._words = words

    def code_hash(self, case_no: str, query_code: str) -> bytes:
        """Return the keyed hash under which a case's query code is kept."""
        return self._sealer.hash(f"{case_no}:{query_code}")

    def read(self, row: CaseRow) -> Case:
        """Return the case of a row."""
        return open_case(self._sealer, row.body)

    def opened(self, moved: Moved, conversation: bytes, query_code: str, rows: Rows) -> None:
        """Write a new case into the batch."""
        events, head = self._events(moved.events, b"")
        code = self.code_hash(moved.case.case_no, query_code)
        rows.cases.append(self._row(moved.case, conversation, code, head, moved.check_at))
        rows.events.extend(events)

    def moved(self, moved: Moved, before: CaseRow, rows: Rows) -> None:
        """Write a case that moved into the batch."""
        events, head = self._events(moved.events, before.head)
        row = self._row(moved.case, before.conversation, before.query_code, head, moved.check_at)
        rows.changes.append(CaseChange(before.rev, row))
        rows.events.extend(events)

    def notices(
        self,
        notices: Iterable[Notice],
        conversation: bytes,
        account: str,
        now: datetime,
        wording: Wording,
    ) -> list[OutgoingRow]:
        """Return the outgoing rows of what a citizen is to be told, in the wording of the channel it goes by."""
        return [
            self.promise(
                conversation,
                account,
                notice.kind.value,
                render(notice, self._words, wording),
                now,
                case_no=notice.case_no,
                key=notice.key,
            )._replace(fields=self.sealed_fields(notice))
            for notice in notices
        ]

    def sealed_fields(self, notice: Notice) -> bytes:
        """Return what a notice was made of, sealed, to be worded anew for another way."""
        fields = dict(notice.fields)
        if notice.secret:
            fields[DISCREET] = discreet(notice.case_no, self._words, Wording.SHORT)
        return self._sealer.seal(json.dumps(fields, ensure_ascii=False).encode())

    def followed(self, follower: Follower, now: datetime, wording: Wording) -> OutgoingRow:
        """Return the outgoing row by which a follower of a case learns how it ended: never anybody's words."""
        case = self.read(follower.case)
        kind = NoticeKind.FOLLOWED if case.stage in FINISHED else NoticeKind.FOLLOW_ENDED
        matter = CATEGORY_LABELS.get(case.matter.category, "诉求")
        notice = Notice(case.case_no, kind, fields={"matter": matter})
        return self.promise(
            follower.conversation,
            follower.account,
            kind.value,
            render(notice, self._words, wording),
            now,
            key=f"{notice.key}:{follower.conversation.hex()}",
        )

    def promise(
        self,
        conversation: bytes,
        account: str,
        notice: str,
        text: str,
        now: datetime,
        *,
        case_no: str = "",
        key: str | None = None,
    ) -> OutgoingRow:
        """Return the outgoing row of a text that is owed whoever holds the conversation; ``key`` makes it come once."""
        at = millis(now)
        return OutgoingRow(
            id=self._ids(),
            conversation=conversation,
            account=account,
            case_no=case_no,
            notice=notice,
            notice_key=key,
            epoch=ANY_OWNER,
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

    def _events(self, events: Iterable[CaseEvent], head: bytes) -> tuple[list[EventRow], bytes]:
        rows = []
        for event in events:
            body = seal_event(self._sealer, event)
            row = EventRow(
                case_no=event.case_no,
                seq=event.seq,
                id=self._ids(),
                at=millis(event.at),
                verb=event.verb.value,
                before=event.before.value,
                after=event.after.value,
                body=body,
                hash=b"",
            )
            head = chain(head, row)
            rows.append(row._replace(hash=head))
        return rows, head

    def _row(
        self,
        case: Case,
        conversation: bytes | None,
        query_code: bytes,
        head: bytes,
        check_at: datetime | None,
    ) -> CaseRow:
        main = case.main
        phone = case.complainant.phone
        return CaseRow(
            case_no=case.case_no,
            conversation=conversation,
            query_code=query_code,
            phone_hash=self._sealer.hash(phone) if phone else None,
            stage=case.stage.value,
            kind=case.matter.kind.value,
            category=case.matter.category,
            unit=main.unit if main else "",
            source=case.source_channel,
            region=case.region,
            created_at=millis(case.created_at),
            deadline_at=millis(case.deadline_at) if case.deadline_at else None,
            check_at=millis(check_at) if check_at else None,
            profile_version=case.profile_version,
            rev=case.rev,
            head=head,
            body=seal_case(self._sealer, case),
        )
