"""Photos of a service request: fetched by ``media_url`` under the guard, or sent along in the form.

What is fetched is waited for a short while only; where it cannot be had, the case keeps the link.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from aiohttp import BodyPartReader

from gateway.media import words
from gateway.media.intake import Claim
from gateway.media.uploads import LIVES
from gateway.web.open311.faults import BAD, LARGE, faulty
from normalizer.case import Attachment
from normalizer.errors import InvalidInput, NotFound
from normalizer.media import NotAccepted
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from aiohttp import MultipartReader

    from channels.fetch import Fetcher
    from gateway.media.intake import Intake, Taken
    from gateway.media.uploads import Uploads

log = structlog.get_logger()

FETCHED_IN = 8.0
"""Seconds that a client waits at most for its photo to be fetched."""
SILENCE, PIECE = 15.0, 64 * 1024


@dataclass(slots=True)
class Sent:
    """A form with files: its fields, the files taken in, and under which name they wait to be a case's."""

    owner: str = field(default_factory=lambda: f"open311-{secrets.token_hex(12)}")
    pairs: list[tuple[str, str]] = field(default_factory=list)
    files: list[Taken] = field(default_factory=list)


class Photos:
    """Takes photos in."""

    def __init__(self, *, intake: Intake, uploads: Uploads, fetcher: Fetcher) -> None:
        self._intake = intake
        self._uploads = uploads
        self._fetcher = fetcher

    async def read(self, parts: MultipartReader, known: Callable[[str], bool], largest: int) -> Sent:
        """Read a form with files; ``known`` says whether a key is right, which must come before any file.

        ``largest`` is the most that the fields may have, in bytes. Raises Faulty.
        """
        sent, left = Sent(), largest
        try:
            while (part := await asyncio.wait_for(parts.next(), SILENCE)) is not None:
                if not isinstance(part, BodyPartReader):
                    raise faulty(BAD, "请求体里不能再套一层 multipart")
                if part.filename:
                    await self._take(sent, part, known)
                else:
                    left -= await _field(sent, part, left)
        except (ValueError, UnicodeDecodeError) as error:
            raise faulty(BAD, "请求体不是正确的 multipart/form-data，或不是 UTF-8") from error
        return sent

    async def fetched(self, sent: Sent, url: str) -> tuple[Attachment, ...]:
        """Return the files of a form as they stand in a case, with what ``url`` names, or the link itself."""
        taken = await self._fetch(url, sent.owner) if url else None
        return (*linked(sent, ""), _attachment(taken)) if taken else linked(sent, url)

    async def give(self, sent: Sent, number: str, attachments: Sequence[Attachment]) -> None:
        """Make the files a case's."""
        keys = [each.blob for each in attachments if each.blob]
        if keys:
            await self._uploads.attach(sent.owner, number, keys)

    async def _fetch(self, url: str, owner: str) -> Taken | None:
        try:
            async with (
                asyncio.timeout(FETCHED_IN),
                self._fetcher.open(url, self._intake.limits.largest) as content,
            ):
                return await self._intake.take(content, Claim(owner, lives=LIVES))
        except (InvalidInput, NotFound, NotAccepted, TimeoutError) as error:
            # The address is the citizen's own words as much as the rest; only what was wrong with it is noted.
            log.info("open311.photo_not_fetched", error=type(error).__name__)
            return None

    async def _take(self, sent: Sent, part: BodyPartReader, known: Callable[[str], bool]) -> None:
        if not known(dict(sent.pairs).get("api_key", "")):
            raise faulty(BAD, "文件须放在 api_key 等各项之后，且 api_key 须正确")
        if len(sent.files) >= self._intake.limits.count:
            raise faulty(BAD, f"文件最多 {self._intake.limits.count} 个")
        try:
            claim = Claim(sent.owner, name=part.filename or "", lives=LIVES)
            sent.files.append(await self._intake.take(_chunks(part), claim))
        except NotAccepted as error:
            raise faulty(BAD, words.refusal(error.breach, "zh")) from error


def linked(sent: Sent, url: str) -> tuple[Attachment, ...]:
    """Return the files of a form as they stand in a case, and ``url`` as a link that nobody has followed."""
    files = tuple(_attachment(each) for each in sent.files)
    return (*files, Attachment(PartKind.IMAGE.value, "", url=url)) if url else files


async def _field(sent: Sent, part: BodyPartReader, left: int) -> int:
    """Read a field of at most ``left`` bytes and return how many it had."""
    held = bytearray()
    async for piece in _chunks(part):
        held += piece
        if len(held) > left:
            raise faulty(LARGE, "各项内容太多")
    sent.pairs.append((part.name or "", held.decode()))
    return len(held)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await asyncio.wait_for(part.read_chunk(PIECE), SILENCE):
        yield piece


def _attachment(taken: Taken) -> Attachment:
    return Attachment(taken.kind.value, "", name=taken.name, mime=taken.mime, size=taken.size, blob=taken.key)
