"""Brings our files to the platform, each once in three days, and knows beforehand what it takes (wechat.md 2.7)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from channels.contract import SendError, SendReason
from normalizer.errors import Busy, JiesuError, NotFound
from normalizer.message import PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Tools
    from channels.wechat.api import Api
    from normalizer.message import Part

LIFE = timedelta(days=3) - timedelta(hours=1)
"""How long a file is sent by the name that it got: the platform keeps it for three days."""
AT_ONCE = 2
"""Files of one account that are brought at once; each is held whole meanwhile."""
MEGABYTE = 1024 * 1024
SMALLEST = 6
_SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "audio/amr": "amr",
    "audio/mpeg": "mp3",
    "video/mp4": "mp4",
}


class NotCarriedError(JiesuError):
    """The platform does not take this file from us; the words say which of its rules stands against it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the platform takes of one kind: bytes, media types (none: any), and seconds."""

    size: int
    mimes: frozenset[str] = field(default_factory=frozenset)
    seconds: float | None = None


PUBLIC: Mapping[PartKind, Rule] = {
    PartKind.IMAGE: Rule(10 * MEGABYTE, frozenset({"image/jpeg", "image/png", "image/gif"})),
    PartKind.VOICE: Rule(2 * MEGABYTE, frozenset({"audio/amr", "audio/mpeg"}), 60.0),
    PartKind.VIDEO: Rule(10 * MEGABYTE, frozenset({"video/mp4"})),
}
MINIPROGRAM: Mapping[PartKind, Rule] = {PartKind.IMAGE: PUBLIC[PartKind.IMAGE]}
CUSTOMER_SERVICE: Mapping[PartKind, Rule] = {
    PartKind.IMAGE: Rule(10 * MEGABYTE, frozenset({"image/jpeg", "image/png"})),
    PartKind.VOICE: Rule(2 * MEGABYTE, frozenset({"audio/amr"}), 60.0),
    PartKind.VIDEO: Rule(10 * MEGABYTE, frozenset({"video/mp4"})),
    PartKind.FILE: Rule(20 * MEGABYTE),
}
"""What each app takes of us (the platform's pages on temporary media and on customer-service messages)."""


class Uploads:
    """The files of one account; ``rules`` says which kinds it takes."""

    def __init__(self, account: str, rules: Mapping[PartKind, Rule], api: Api, tools: Tools) -> None:
        self._account = account
        self._rules = rules
        self._api = api
        self._tools = tools
        self._places = asyncio.Semaphore(AT_ONCE)

    def kind(self, part: Part) -> PartKind:
        """Return as which kind a file is taken: its own, else as a document; raises NotCarriedError."""
        reasons = []
        for kind in (part.kind, PartKind.FILE):
            reason = self._against(kind, part)
            if not reason:
                return kind
            reasons.append(reason)
        raise NotCarriedError(reasons[0])

    async def name(self, part: Part) -> str:
        """Return the platform's name of a file, brought there now where it is not; raises NotCarriedError, SendError."""
        kind = self.kind(part)
        file = f"{kind.value} {part.blob}"
        try:
            if known := await self._tools.uploaded.get(self._account, file):
                return known
            async with self._places:
                made = await self._brought(kind, part)
            await self._tools.uploaded.put(self._account, file, made, self._tools.now() + LIFE)
        except Busy as error:
            raise SendError(SendReason.BUSY, "our own store is busy") from error
        return made

    async def forget(self, part: Part) -> None:
        """Note that the platform has lost a file; raises SendError."""
        file = f"{self.kind(part).value} {part.blob}"
        try:
            await self._tools.uploaded.put(self._account, file, "", self._tools.now())
        except Busy as error:
            raise SendError(SendReason.BUSY, "our own store is busy") from error

    async def _brought(self, kind: PartKind, part: Part) -> str:
        try:
            content = await self._tools.blobs.get(part.blob)
        except NotFound as error:
            raise NotCarriedError("the file is not here any more") from error
        name = part.name if kind is PartKind.FILE else f"{kind.value}.{_SUFFIX[part.mime]}"
        try:
            answer = await self._api.upload(kind.value, name.replace('"', "_"), part.mime, content)
        except SendError as error:
            if error.reason is not SendReason.CONTENT:
                raise
            raise NotCarriedError(f"the platform refused the file: {error.detail}") from error
        made = answer.get("media_id")
        if not isinstance(made, str) or not made:
            raise SendError(SendReason.BUSY, "an answer without a name for the file")
        return made

    def _against(self, kind: PartKind, part: Part) -> str:
        """Return the rule that stands against a file as a kind, nothing where none does."""
        rule = self._rules.get(kind)
        if rule is None:
            return f"takes no {kind.value}"
        if rule.mimes and part.mime not in rule.mimes:
            return f"takes no {part.mime or 'unknown type'} as {kind.value}"
        if not SMALLEST <= (part.size or 0) <= rule.size:
            return f"{kind.value} of {part.size or 0} bytes, takes {SMALLEST} to {rule.size}"
        if rule.seconds is not None and (part.seconds or 0.0) > rule.seconds:
            return f"{kind.value} of {part.seconds:g} s, takes {rule.seconds:g}"
        return ""
