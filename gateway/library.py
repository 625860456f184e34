"""``jiesu knowledge``: entries from a file into the database, out of it, and listed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway import app as gateway
from gateway import bus as buses
from gateway.knowledge import exchange, shelf
from gateway.knowledge.book import TOPIC
from gateway.knowledge.entry import ZONE
from gateway.runtime import instant, now
from gateway.store import knowledge as rows
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.knowledge.entry import Entry
    from gateway.knowledge.shelf import Brought
    from gateway.settings import Settings
    from gateway.store.rows import VoteRow

LARGEST = 20 * 1024 * 1024
"""Bytes of a file of entries."""
IMPORTER = "jiesu knowledge import"


@dataclass(frozen=True, slots=True)
class _Format:
    """How a kind of file is read and written."""

    read: Any
    write: Any


_FORMATS = {
    ".csv": _Format(exchange.read_csv, exchange.write_csv),
    ".json": _Format(exchange.read_json, exchange.write_json),
}


async def bring_in(settings: Settings, path: Path) -> Brought:
    """Import a CSV or JSON file, all of it or nothing; raises InvalidInput naming every bad row."""
    entries = await asyncio.to_thread(lambda: _format(path).read(_text(path)))
    async with gateway.open_books(settings) as books:
        brought = await shelf.put(books.store, entries, now(), IMPORTER)
    await _tell(settings)
    return brought


async def take_out(settings: Settings, path: Path) -> int:
    """Export all entries to a CSV or JSON file, and return how many there are."""
    write = _format(path).write
    async with gateway.open_books(settings) as books:
        entries = await shelf.entries(books.store)
    await asyncio.to_thread(_write, path, write(entries))
    return len(entries)


async def listing(settings: Settings, status: str, limit: int) -> list[dict[str, Any]]:
    """Return the entries as rows, with what citizens thought of them."""
    async with gateway.open_books(settings) as books:
        entries = await shelf.entries(books.store, status)
        votes = await books.store.read(rows.votes)
    return [_shown(entry, votes.get(entry.id)) for entry in entries[:limit]]


async def gaps(settings: Settings, limit: int) -> list[dict[str, Any]]:
    """Return the questions that found no answer."""
    async with gateway.open_books(settings) as books:
        found = await books.store.read(partial(rows.gaps, limit=limit))
    return [
        {
            "question": books.sealer.open(gap.body).decode(),
            "asked": gap.asked,
            "first_at": _local(gap.first_at),
            "last_at": _local(gap.last_at),
        }
        for gap in found
    ]


def _format(path: Path) -> _Format:
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise InvalidInput(f"{path.name}：文件名应以 .csv 或 .json 结尾")
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{path.name}：文件超过 20 MB，请分成几个文件")
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}：不是 UTF-8 编码；请在表格软件中另存为“CSV UTF-8”") from error
    except OSError as error:
        raise InvalidInput(f"{path.name}：打不开（{error.strerror}）") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{path.name}：写不了（{error.strerror}）") from error


async def _tell(settings: Settings) -> None:
    """Wake the processes that run; without Redis they look by themselves after a few seconds."""
    if settings.redis is None:
        return
    bus = await buses.open_bus(settings.redis)
    bus.wake(TOPIC)
    await bus.close()


def _shown(entry: Entry, votes: VoteRow | None) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "category": entry.category,
        "region": entry.region,
        "status": entry.status.value,
        "security": entry.security.value,
        "source_unit": entry.source_unit,
        "version": entry.version,
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
        "review_due": entry.review_due.isoformat() if entry.review_due else None,
        "updated_at": entry.updated_at.isoformat() if entry.updated_at else None,
        "helpful": votes.helpful if votes else 0,
        "unhelpful": votes.unhelpful if votes else 0,
    }


def _local(ms: int) -> str:
    return instant(ms).astimezone(ZONE).isoformat(timespec="seconds")
