"""What is forgotten of each table, when, and how: what age takes and what a wish to be deleted takes, by the same ways.

A talk goes after what was said in it. What the figures are made of stays, parted from its talk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, exists, literal_column, or_, select, true, tuple_, update

from gateway.store import holds, unindex
from gateway.store.desk_tables import DESK_MENTION
from gateway.store.media import talk_owner
from gateway.store.tables import (
    ACCESS,
    ALERT,
    ANONYMISED,
    BIND_CODE,
    BINDING,
    CASES,
    CONVERSATION,
    DATA_REQUEST,
    DESK_DRAFT,
    DESK_EVENT,
    DESK_MERGE,
    DESK_TALK,
    DESK_VIEWER,
    ERASED,
    FOLLOW,
    INBOX,
    KNOWLEDGE_GAP,
    MEDIA,
    OUTGOING,
    RESTRICTION,
    SAME_PERSON,
    SEARCH_DOC,
    SEARCH_GRAM,
    SENT_AS,
    SERVICE_RATING,
    WANTED,
)
from normalizer.case import Stage
from outbox import consents, queue
from outbox.tables import UNSETTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Column, Connection, Table

    from gateway.store.holds import Limits

    Key = tuple[Any, ...]
    Due = Callable[[Limits], ColumnElement[bool]]
    Forget = Callable[[Connection, Sequence[Key], Limits], None]

_NOBODY = bytes(8)
"""What the ids begin with that stand in a talk's place in what is kept for the figures: no keyed hash begins so."""
# Without a parameter: only so does the database know that the partial index will do.
_UNPROMPTED: ColumnElement[bool] = literal_column("notice <> 'reply'")
_TRACES: tuple[tuple[Table, Column[int]], ...] = (
    (DESK_EVENT, DESK_EVENT.c.at),
    (SERVICE_RATING, SERVICE_RATING.c.asked_at),
    (RESTRICTION, RESTRICTION.c.at),
)
"""What the figures are made of, each with an index by talk, and when it happened."""
_OF_TALKS = (BINDING, BIND_CODE, SAME_PERSON, FOLLOW, DESK_TALK, DESK_VIEWER, DESK_DRAFT, ERASED)
"""What hangs on a talk and goes with it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One table's way through: ``at`` is when a row came, where the keys ascend with it; ``forget`` lets rows go.

    ``most`` is how many go in one commit: so long, and no longer, a citizen's message waits for it; of small rows
    ``times`` as many are looked at in one go.
    """

    name: str
    key: tuple[Column[Any], ...]
    at: Column[int] | None
    due: Due
    forget: Forget
    most: int = 200
    times: int = 1


def walks(
    archive: Callable[[Connection, str], None], anonymise: Callable[[Connection, str], None]
) -> tuple[Walk, ...]:
    """Return all walks, in their order; ``archive`` moves one case, ``anonymise`` rewrites one."""

    def each(act: Callable[[Connection, str], None]) -> Forget:
        def forget(connection: Connection, keys: Sequence[Key], _: Limits) -> None:
            for (case_no,) in keys:
                act(connection, case_no)

        return forget

    talk, names = (CONVERSATION.c.id,), (SENT_AS.c.account, SENT_AS.c.name)
    return (
        Walk("inbox", (INBOX.c.id,), INBOX.c.received_at, _message_due, _forget_messages),
        Walk("outgoing", (OUTGOING.c.id,), OUTGOING.c.created_at, _outgoing_due, _forget_outgoing),
        Walk("wanted", (WANTED.c.ref,), None, _wanted_due, _deleted(WANTED)),
        Walk("names", names, None, _name_due, _deleted(SENT_AS)),
        Walk("mentions", (DESK_MENTION.c.id,), DESK_MENTION.c.at, _mention_due, _deleted(DESK_MENTION)),
        Walk("wishes", (DATA_REQUEST.c.id,), DATA_REQUEST.c.at, _wish_due, _deleted(DATA_REQUEST)),
        Walk("alerts", (ALERT.c.id,), ALERT.c.at, _alert_due, _part_alerts),
        Walk("traces", talk, None, _traces_due, _part_traces, most=10),
        Walk("accesses", (ACCESS.c.id,), ACCESS.c.at, _access_due, _deleted(ACCESS)),
        Walk("gaps", (KNOWLEDGE_GAP.c.question,), None, _gap_due, _deleted(KNOWLEDGE_GAP)),
        Walk("files", (MEDIA.c.owner, MEDIA.c.key), None, _file_due, _end_files),
        Walk("archived", (CASES.c.case_no,), None, _archive_due, each(archive), most=20),
        Walk("cases", (CASES.c.case_no,), None, _record_due, each(anonymise), most=3),
        Walk("talks", talk, None, _talk_due, _forget_talks, most=50),
        Walk("found", (SEARCH_DOC.c.id,), None, _found_due, _deleted(SEARCH_DOC)),
        # The last, for what all others leave. There are as many as characters: more go at a time.
        Walk(
            "grams", tuple(SEARCH_GRAM.primary_key.columns), None, _gram_due, _deleted(SEARCH_GRAM), 2_000, 10
        ),
    )


def among(key: tuple[Column[Any], ...], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that a row is one of some; a single column is named as it is, so that its index will do."""
    return key[0].in_([each[0] for each in keys]) if len(key) == 1 else tuple_(*key).in_(keys)


def _message_due(limits: Limits) -> ColumnElement[bool]:
    row = INBOX.c
    named = holds.by_number(row.case_no, limits)
    return and_(row.state != "waiting", ~named, _line_due(row.conversation, row.received_at, limits))


def _outgoing_due(limits: Limits) -> ColumnElement[bool]:
    row = OUTGOING.c
    named = holds.by_number(row.case_no, limits)
    return and_(row.state.not_in(UNSETTLED), ~named, _line_due(row.conversation, row.created_at, limits))


def _wanted_due(limits: Limits) -> ColumnElement[bool]:
    row = WANTED.c
    of_none = and_(row.case_no == "", _line_due(row.conversation, row.created_at, limits))
    return or_(of_none, _ended(row.case_no, limits))


def _mention_due(limits: Limits) -> ColumnElement[bool]:
    return _line_due(DESK_MENTION.c.conversation, DESK_MENTION.c.at, limits)


def _alert_due(limits: Limits) -> ColumnElement[bool]:
    row = ALERT.c
    named = row.conversation > _NOBODY + b"\xff" * 8
    return and_(row.acknowledged_at.is_not(None), named, _line_due(row.conversation, row.at, limits))


def _line_due(talk: Any, at: Any, limits: Limits) -> ColumnElement[bool]:
    return and_(holds.over(talk, at, limits), ~holds.by_case(talk, at, limits), ~holds.busy(talk, limits))


def _wish_due(limits: Limits) -> ColumnElement[bool]:
    return and_(DATA_REQUEST.c.state != "open", DATA_REQUEST.c.settled_at < limits.talks)


def _access_due(limits: Limits) -> ColumnElement[bool]:
    return ACCESS.c.at < limits.logs


def _gap_due(limits: Limits) -> ColumnElement[bool]:
    return KNOWLEDGE_GAP.c.last_at < limits.talks


def _file_due(limits: Limits) -> ColumnElement[bool]:
    return and_(MEDIA.c.expires_at.is_(None), _ended(MEDIA.c.owner, limits))


def _ended(case_no: Any, limits: Limits) -> ColumnElement[bool]:
    """Return the condition that the case that a row names ended so long ago that its files go."""
    return exists().where(CASES.c.case_no == case_no, holds.ended_before(limits.media))


def _archive_due(limits: Limits) -> ColumnElement[bool]:
    """Row 35 of the moves (domain.md 3.2): when its files go."""
    return and_(
        CASES.c.created_at < limits.media, CASES.c.stage == Stage.CLOSED, holds.ended_before(limits.media)
    )


def _found_due(limits: Limits) -> ColumnElement[bool]:
    """Return when what was said is found no more: not longer than the files of its talk's last case, nor than it is there."""
    row = SEARCH_DOC.c
    kept = exists().where(CASES.c.conversation == row.conversation, ~holds.ended_before(limits.media))
    return or_(
        and_(row.kind.in_(("inbox", "outgoing")), row.at < limits.talks, ~kept),
        and_(row.kind == "inbox", ~exists().where(INBOX.c.id == row.ref)),
        and_(row.kind == "outgoing", ~exists().where(OUTGOING.c.id == row.ref)),
    )


def _gram_due(_: Limits) -> ColumnElement[bool]:
    return ~exists().where(SEARCH_DOC.c.id == SEARCH_GRAM.c.doc)


def _name_due(limits: Limits) -> ColumnElement[bool]:
    """Names of what we sent go with it; here are those of what came, and of receipts for nothing that we know."""
    row = SENT_AS.c
    return and_(row.outgoing.is_(None), row.at < limits.talks, ~holds.by_number(row.case_no, limits))


def _record_due(limits: Limits) -> ColumnElement[bool]:
    done = exists().where(ANONYMISED.c.case_no == CASES.c.case_no)
    return and_(CASES.c.created_at < limits.records, holds.ended_before(limits.records), ~done)


def _traces_due(limits: Limits) -> ColumnElement[bool]:
    traces = (
        exists().where(table.c.conversation == CONVERSATION.c.id, _trace_due(table, at, limits))
        for table, at in _TRACES
    )
    return and_(~holds.busy(CONVERSATION.c.id, limits), or_(*traces))


def _trace_due(table: Table, at: Any, limits: Limits) -> ColumnElement[bool]:
    talk = table.c.conversation
    return and_(holds.over(talk, at, limits), ~holds.by_case(talk, at, limits))


def _talk_due(limits: Limits) -> ColumnElement[bool]:
    """Nothing more is said in the talk, nothing of its person's stands, and nothing relies on its row."""
    row = CONVERSATION.c
    proved = exists().where(
        BINDING.c.conversation == row.id, ~holds.over(BINDING.c.conversation, BINDING.c.at, limits)
    )
    relied_on = or_(
        row.opted_out,
        row.waiting > 0,
        proved,
        exists().where(FOLLOW.c.conversation == row.id, ~FOLLOW.c.told),
        exists().where(INBOX.c.conversation == row.id, INBOX.c.reply.is_(None)),
        exists().where(OUTGOING.c.conversation == row.id, _UNPROMPTED),
        exists().where(OUTGOING.c.conversation == row.id, OUTGOING.c.state.in_(UNSETTLED)),
        holds.by_any_case(row.id, limits),
        holds.busy(row.id, limits),
    )
    return and_(holds.over(row.id, row.last_in_at, limits), ~relied_on)


def _forget_messages(connection: Connection, keys: Sequence[Key], _: Limits) -> None:
    ids = [key[0] for key in keys]
    unindex.drop_said(connection, ids)
    connection.execute(delete(INBOX).where(INBOX.c.id.in_(ids)))


def _forget_outgoing(connection: Connection, keys: Sequence[Key], _: Limits) -> None:
    ids = [key[0] for key in keys]
    unindex.drop_said(connection, ids)
    queue.forget(connection, ids)


def _deleted(table: Table) -> Forget:
    def forget(connection: Connection, keys: Sequence[Key], _: Limits) -> None:
        connection.execute(delete(table).where(among(tuple(table.primary_key.columns), keys)))

    return forget


def _end_files(connection: Connection, keys: Sequence[Key], limits: Limits) -> None:
    """Let files end now: they go as those that nobody attached."""
    mine = among((MEDIA.c.owner, MEDIA.c.key), keys)
    connection.execute(update(MEDIA).where(mine).values(expires_at=limits.now))


def _part_alerts(connection: Connection, keys: Sequence[Key], _: Limits) -> None:
    for (alert,) in keys:
        connection.execute(update(ALERT).where(ALERT.c.id == alert).values(conversation=_somebody()))


def _part_traces(connection: Connection, keys: Sequence[Key], limits: Limits) -> None:
    _part(connection, [key[0] for key in keys], [_trace_due(table, at, limits) for table, at in _TRACES])


def _part(connection: Connection, talks: Sequence[bytes], due: Sequence[ColumnElement[bool]]) -> None:
    """Part what the figures are made of from its talk, and empty its notes; what belongs together still does."""
    strangers = {talk: _somebody() for talk in talks}
    for (table, _), over in zip(_TRACES, due, strict=True):
        emptied = {"note": None} if "note" in table.c else {}
        talk = table.c.conversation
        left = connection.execute(select(talk).where(talk.in_(talks), over).distinct()).scalars()
        for each in left.all():
            change = update(table).where(talk == each, over)
            connection.execute(change.values(conversation=strangers[each], **emptied))


def _somebody() -> bytes:
    return _NOBODY + os.urandom(8)


def _forget_talks(connection: Connection, keys: Sequence[Key], limits: Limits) -> None:
    ids = [key[0] for key in keys]
    _part(connection, ids, [true()] * len(_TRACES))
    for table in _OF_TALKS:
        connection.execute(delete(table).where(table.c.conversation.in_(ids)))
    names = [talk.hex() for talk in ids]
    joined = or_(DESK_MERGE.c.one.in_(names), DESK_MERGE.c.into.in_(names))
    connection.execute(delete(DESK_MERGE).where(joined, DESK_MERGE.c.kind == "talk"))
    owners = [talk_owner(talk) for talk in ids]
    connection.execute(update(MEDIA).where(MEDIA.c.owner.in_(owners)).values(expires_at=limits.now))
    consents.forget(connection, ids)
    connection.execute(delete(CONVERSATION).where(CONVERSATION.c.id.in_(ids)))
