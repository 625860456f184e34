"""Has what was spoken in recordings written down by a service of the city's own, one after the other, beside the work.

Nothing waits for it: a recording is there and can be heard, its words come later, or never.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import structlog

from gateway.media.links import Variant
from gateway.runtime import Ids
from gateway.store import media as rows
from normalizer.errors import NotFound
from normalizer.media import NotAccepted
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from channels.contract import KeyValue
    from gateway.media.room import Room
    from gateway.settings import Speech
    from gateway.store.media import MediaRow

log = structlog.get_logger()

TRIES = 3
"""How often the service is asked for one recording by this process before it counts as heard, without words."""
AT_ONCE = 16
LONGEST = 20_000
"""Characters that are kept of one recording."""
LARGEST = 256 * 1024
_LOCK_SECONDS = 60.0
_REFUSED = range(400, 500)
_COME_AGAIN = frozenset({408, 425, 429})


class Away(Exception):
    """The service gave no answer that can be used; it may be asked again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How many recordings were settled, and whether the service is to be left alone for a while."""

    count: int
    away: bool


class Hearing:
    """Asks for the words of recordings that nobody has written down yet."""

    def __init__(self, settings: Speech, room: Room, http: ClientSession, keys: KeyValue) -> None:
        self._settings = settings
        self._room = room
        self._http = http
        self._keys = keys
        self._tries: dict[str, int] = {}
        self._ids = Ids()

    async def hear_some(self) -> Heard:
        """Ask for the words of some recordings, oldest first; one that fails lets the others pass."""
        find = partial(rows.unread, kind=PartKind.VOICE.value, limit=AT_ONCE)
        settled, away = 0, False
        for row in await self._room.store.read(find):
            lock = self._keys.lock(f"hearing:{row.key}", _LOCK_SECONDS + self._settings.seconds, 0.0)
            async with lock as ours:
                if not ours:
                    continue
                try:
                    words = await self._words(row)
                except Away as error:
                    away = True
                    log.warning("media.not_heard", reason=str(error))
                    if not self._given_up(row.key):
                        continue
                    words = ""
                await self._note(row, words)
                settled += 1
        return Heard(settled, away)

    async def _words(self, row: MediaRow) -> str:
        """Return what was spoken in a recording, nothing where it cannot be heard or is refused; raises Away."""
        try:
            copy = await self._room.derive.copy(row, Variant.PLAY)
            content = await self._room.blobs.get(copy.key)
        except (NotAccepted, NotFound) as error:
            log.warning("media.not_heard", reason=type(error).__name__)
            return ""
        return await self._asked(content, copy.mime)

    async def _asked(self, content: bytes, mime: str) -> str:
        timeout = aiohttp.ClientTimeout(total=self._settings.seconds)
        try:
            async with self._http.post(
                self._settings.url, data=content, headers=self._headers(mime), timeout=timeout,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                if answer.status in _REFUSED and answer.status not in _COME_AGAIN:
                    log.warning("media.not_heard", reason=f"HTTP {answer.status}")
                    return ""
                if answer.status != 200:
                    raise Away(f"HTTP {answer.status}")
                return _text(await _whole(answer))
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Away(type(error).__name__) from error

    def _headers(self, mime: str) -> Mapping[str, str]:
        secret = self._settings.secret
        proof = {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret is not None else {}
        return {"Content-Type": mime, "Accept": "application/json, text/plain", **proof}

    def _given_up(self, key: str) -> bool:
        self._tries[key] = self._tries.get(key, 0) + 1
        return self._tries[key] >= TRIES

    async def _note(self, row: MediaRow, words: str) -> None:
        self._tries.pop(row.key, None)
        sealed = self._room.sealer.seal(words.encode())
        note = partial(rows.note_words, owner=row.owner, key=row.key, words=sealed, noted=self._ids())
        await self._room.store.write(note)


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > LARGEST:
            raise Away("an answer that is too long")
    return bytes(raw)


def _text(raw: bytes) -> str:
    """Return the words of an answer: of JSON the member ``text``, else the text itself; raises Away."""
    text = raw.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except ValueError:
        return _clean(text)
    if isinstance(said, dict):
        if not isinstance(said.get("text"), str):
            raise Away("an answer without words")
        return _clean(said["text"])
    return _clean(said if isinstance(said, str) else text)


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", " ").encode("utf-8", "ignore").decode().split())[:LONGEST]
