"""What the command line shows of messages and cases: plain values, personal data masked unless asked for whole."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway import actors
from gateway.app import forgetting, open_books
from gateway.blobs import LocalBlobs
from gateway.cases.book import chain
from gateway.media import missing
from gateway.media.intake import from_row as media_file
from gateway.media.retention import Spans
from gateway.runtime import Ids, instant, millis, now
from gateway.store import anonymised, audit, flags, lists, requests, waiting, wanted
from gateway.store import cases as case_rows
from gateway.store import media as media_rows
from gateway.store.bodies import open_event, open_message
from normalizer.case import Complainant
from normalizer.codes import KIND_NAMES
from normalizer.errors import InvalidInput, NotFound
from normalizer.message import MEDIA_KINDS, PartKind, SourceChannel
from normalizer.people import mask, mask_name, mask_phone
from normalizer.text import for_matching
from outbox import calls as owed_calls
from outbox import queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cases.book import CaseBook
    from gateway.settings import Settings
    from gateway.store.rows import CaseRow, EventRow, WantedRow
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from normalizer.message import InboundMessage, Part

ZONE = ZoneInfo("Asia/Shanghai")


async def cases(settings: Settings, *, limit: int, stage: str, full: bool) -> list[dict[str, Any]]:
    """Return the newest cases."""
    async with open_books(settings) as books:
        store, sealer, book = books.store, books.sealer, books.cases
        rows = await store.read(partial(case_rows.newest, limit=limit, stage=stage))
        hide = await _hide(store, "case list", f"{len(rows)} cases", full=full)
        return [await _case(store, sealer, book, row, hide) for row in rows]


async def found(settings: Settings, words: str, *, limit: int, full: bool) -> list[dict[str, Any]]:
    """Return the newest cases in which all the words stand: in what was said, or in a photographed letter.

    What is sealed cannot be asked of the database, so cases are opened one after the other, newest first.
    """
    wanted = for_matching(words).split()
    async with open_books(settings) as books:
        store, sealer, book = books.store, books.sealer, books.cases
        hide = await _hide(store, "case find", "cases", full=full)
        rows: list[dict[str, Any]] = []
        before = ""
        while len(rows) < limit and (page := await store.read(partial(case_rows.page, before=before))):
            before = page[-1].case_no
            letters = await store.read(partial(media_rows.words_of, owners=[row.case_no for row in page]))
            for row in page:
                matter = book.read(row).matter
                read = [sealer.open(each).decode() for each in letters.get(row.case_no, ())]
                text = for_matching(
                    "\n".join(
                        (row.case_no, matter.title, matter.original, matter.content, matter.place_text, *read)
                    )
                )
                if all(word in text for word in wanted):
                    rows.append(await _case(store, sealer, book, row, hide))
        return rows[:limit]


async def case(settings: Settings, number: str, *, full: bool) -> dict[str, Any]:
    """Return one case; raises NotFound."""
    async with open_books(settings) as books:
        store, sealer, book = books.store, books.sealer, books.cases
        row = await store.read(partial(case_rows.get, case_no=number))
        if row is None:
            raise NotFound(f"没有单号为 {number} 的工单")
        hide = await _hide(store, "case show", number, full=full)
        return await _case(store, sealer, book, row, hide)


async def inbox(settings: Settings, *, limit: int, state: str, full: bool) -> list[dict[str, Any]]:
    """Return the newest received messages."""
    async with open_books(settings) as books:
        store, sealer = books.store, books.sealer
        rows = await store.read(partial(lists.inbox, limit=limit, state=state))
        hide = await _hide(store, "inbox list", f"{len(rows)} messages", full=full)
        return [_message(sealer, row, hide) for row in rows]


async def message(settings: Settings, row_id: str, *, full: bool) -> dict[str, Any]:
    """Return one received message with the provider's payload; raises NotFound."""
    async with open_books(settings) as books:
        store, sealer = books.store, books.sealer
        row = await store.read(partial(lists.message, row_id=_id(row_id)))
        if row is None:
            raise NotFound(f"没有编号为 {row_id} 的消息")
        hide = await _hide(store, "inbox show", row_id, full=full)
        shown = _message(sealer, row, hide)
        raw = await _raw(settings, sealer, open_message(sealer, row.body))
        return shown | {"raw": hide(raw.decode("utf-8", "replace"))}


async def _raw(settings: Settings, sealer: Sealer, message: InboundMessage) -> bytes:
    if not message.raw_blob:
        return message.raw
    return await LocalBlobs(settings.media_path, sealer).get(message.raw_blob)


async def replay(settings: Settings, row_id: str) -> None:
    """Let a failed message take its turn again; raises NotFound."""
    async with open_books(settings) as books:
        store = books.store
        if not await store.write(partial(waiting.again, message=_id(row_id))):
            raise NotFound(f"没有编号为 {row_id} 的失败消息")


async def outbox(settings: Settings, *, limit: int, state: str, full: bool) -> list[dict[str, Any]]:
    """Return the newest outgoing messages."""
    async with open_books(settings) as books:
        store, sealer = books.store, books.sealer
        rows = await store.read(partial(lists.outgoing, limit=limit, state=state))
        hide = await _hide(store, "outbox list", f"{len(rows)} messages", full=full)
        return [_outgoing(settings, sealer, row, hide) for row in rows]


async def revive(settings: Settings, row_id: str) -> None:
    """Put a dead, unknown or buried message back in the queue; raises NotFound."""
    async with open_books(settings) as books:
        store = books.store
        if not await store.write(partial(queue.revive, row=_id(row_id), now_ms=millis(now()))):
            raise NotFound(f"没有编号为 {row_id} 的未送达消息")


async def bury(settings: Settings, row_id: str) -> None:
    """Give an unsent message up; raises NotFound."""
    async with open_books(settings) as books:
        store = books.store
        if not await store.write(partial(queue.bury, row=_id(row_id))):
            raise NotFound(f"没有编号为 {row_id} 的未送达消息")


async def calls(settings: Settings, *, limit: int, full: bool) -> list[dict[str, Any]]:
    """Return whom to call, a line for each case, those who wait longest first; ``limit`` counts notices."""
    async with open_books(settings) as books:
        store, sealer, book = books.store, books.sealer, books.cases
        rows = await store.read(partial(owed_calls.owed, limit=limit))
        hide = await _hide(store, "outbox calls", f"{len(rows)} calls", full=full)
        told: dict[str, list[Any]] = {}
        for row in rows:
            told.setdefault(row.case_no, []).append(row)
        shown = []
        for number, each in told.items():
            found = await store.read(partial(case_rows.get, case_no=number))
            person = book.read(found).complainant if found is not None else Complainant()
            shown.append(
                {
                    "case_no": number,
                    "name": person.name if full else mask_name(person.name),
                    "phone": person.phone if full else mask_phone(person.phone),
                    "since": _local(each[0].created_at),
                    "reason": each[-1].outcome,
                    "texts": [hide(sealer.open(row.body).decode()) for row in each],
                }
            )
        return shown


async def called(settings: Settings, number: str) -> None:
    """Note that a citizen was told by telephone; raises NotFound when no call was owed."""
    async with open_books(settings) as books:
        outcome = f"told by {getpass.getuser()} on the telephone"
        if not await books.store.write(partial(owed_calls.told, case_no=number, outcome=outcome)):
            raise NotFound(f"单号为 {number} 的工单没有要打的电话")


async def wishes(settings: Settings, *, limit: int, state: str, full: bool) -> list[dict[str, Any]]:
    """Return what people want done with their data, newest first."""
    async with open_books(settings) as books:
        store, sealer = books.store, books.sealer
        rows = await store.read(partial(requests.newest, limit=limit, state=state))
        hide = await _hide(store, "requests list", f"{len(rows)} requests", full=full)
        return [_wish(sealer, row, hide) for row in rows]


async def settle(settings: Settings, row_id: str, state: str) -> None:
    """Note how a wish was settled, done or refused; raises NotFound, InvalidInput."""
    if state not in {requests.DONE, requests.REFUSED}:
        raise InvalidInput(f"写 {requests.DONE} 或 {requests.REFUSED}")
    async with open_books(settings) as books:
        note = partial(requests.settle, row_id=_id(row_id), state=state, at=millis(now()))
        if not await books.store.write(note):
            raise NotFound(f"没有编号为 {row_id} 的待处理要求")
        gone = forgetting(books, Spans(), now=now, forgot=lambda _table, _count: None)
        await gone.only("grams")


async def verify(settings: Settings) -> dict[str, Any]:
    """Follow every chain of events and return what does not fit."""
    async with open_books(settings) as books:
        store = books.store
        found = await store.read(lambda connection: list(audit.breaches(connection, chain)))
        number, events = await store.read(audit.counts)
        return {
            "cases": number,
            "events": events,
            "anonymised": await store.read(anonymised.count),
            "breaches": [asdict(breach) for breach in found],
        }


async def acts(settings: Settings, *, limit: int) -> list[dict[str, Any]]:
    """Return the newest acts of the staff that are on record, who logged in and who saw personal data whole."""
    async with open_books(settings) as books:
        rows = await books.store.read(partial(lists.acts, limit=limit))
    return [
        {
            "at": _local(row.at),
            "actor": actors.shown(row.actor, row.act),
            "act": row.act,
            "subject": row.subject,
        }
        for row in rows
    ]


async def _hide(store: Store, act: str, subject: str, *, full: bool) -> Callable[[str], str]:
    if not full:
        return mask
    note = partial(
        lists.looked,
        row_id=Ids()(),
        at=millis(now()),
        actor=actors.shell(getpass.getuser()),
        act=act,
        subject=subject,
    )
    await store.write(note)
    return str


async def _case(
    store: Store,
    sealer: Sealer,
    book: CaseBook,
    row: CaseRow,
    hide: Callable[[str], str],
) -> dict[str, Any]:
    found = book.read(row)
    log = await store.read(partial(case_rows.events, case_no=row.case_no))
    kept = await store.read(partial(media_rows.of, owner=row.case_no))
    files = [media_file(each, sealer) for each in kept]
    not_here = await store.read(partial(wanted.missing, case_no=row.case_no))
    matter = found.matter
    return {
        "case_no": found.case_no,
        "stage": found.stage.value,
        "kind": KIND_NAMES[matter.kind],
        "title": hide(matter.title),
        "content": hide(matter.content),
        "field": matter.field,
        "category": matter.category,
        "unit": row.unit,
        "source_channel": found.source_channel,
        "region": found.region,
        "created_at": _local(row.created_at),
        "deadline_at": _local(row.deadline_at),
        "attachments": [asdict(attachment) for attachment in matter.attachments],
        "recordings": [
            {"name": each.name, "words": hide(each.words)} for each in files if each.kind is PartKind.VOICE
        ],
        "missing": [_missing(sealer, each) for each in not_here],
        "flags": await store.read(partial(flags.of, case_no=row.case_no)),
        "events": [_event(sealer, event, hide) for event in log],
    }


def _event(sealer: Sealer, row: EventRow, hide: Callable[[str], str]) -> dict[str, Any]:
    event = open_event(sealer, row.body)
    return {
        "seq": row.seq,
        "at": _local(row.at),
        "verb": row.verb,
        "actor": event.actor.role.value,
        "before": row.before,
        "after": row.after,
        "reason": hide(event.command.reason),
    }


def _message(sealer: Sealer, row: Any, hide: Callable[[str], str]) -> dict[str, Any]:
    came = open_message(sealer, row.body)
    return {
        "id": row.id.hex(),
        "account": row.account,
        "channel": SourceChannel(row.source).name.lower(),
        "external_id": row.external_id,
        "kind": came.parts[0].kind.value if came.parts else "",
        "sender": hide(came.sender),
        "received_at": _local(row.received_at),
        "subject": hide(came.subject),
        "text": hide(came.text),
        "full_text": hide(came.full_text or came.text),
        "attachments": [_attachment(part) for part in came.parts if part.kind in MEDIA_KINDS],
        "automatic": came.automatic,
        "damaged": came.damaged,
        "notes": dict(came.notes),
        "state": row.state,
        "error": row.error,
        "case_no": row.case_no,
    }


def _missing(sealer: Sealer, row: WantedRow) -> dict[str, Any]:
    found = missing.from_row(row, sealer)
    return {
        "kind": found.kind.value,
        "state": row.state,
        "reason": found.reason,
        "tries": row.tries,
        "sent_at": _local(row.created_at),
    }


def _attachment(part: Part) -> dict[str, Any]:
    return {
        "kind": part.kind.value,
        "name": part.name,
        "mime": part.mime,
        "size": part.size,
        "media_id": part.media_id,
        "blob": part.blob,
    }


def _outgoing(settings: Settings, sealer: Sealer, row: Any, hide: Callable[[str], str]) -> dict[str, Any]:
    return {
        "id": row.id.hex(),
        "case_no": row.case_no,
        "account": row.account,
        "channel": str(settings.channels.get(row.account, {}).get("kind", "")),
        "address": hide(sealer.open(row.address).decode()) if row.address else "",
        "notice": row.notice,
        "text": hide(sealer.open(row.body).decode()),
        "state": row.state,
        "attempts": row.attempts,
        "outcome": row.outcome,
        "sent_at": _local(row.sent_at),
    }


def _wish(sealer: Sealer, row: Any, hide: Callable[[str], str]) -> dict[str, Any]:
    wish = json.loads(sealer.open(row.body))
    return {
        "id": row.id.hex(),
        "at": _local(row.at),
        "kind": row.kind,
        "state": row.state,
        "settled_at": _local(row.settled_at),
        "phone": hide(wish["phone"]),
        "cases": wish["cases"],
        "text": hide(wish["text"]),
    }


def _local(ms: int | None) -> str | None:
    return instant(ms).astimezone(ZONE).isoformat(timespec="seconds") if ms is not None else None


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InvalidInput(f"{text} 不是编号；用 list 查看") from error
