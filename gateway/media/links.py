"""Short-lived links to files and short-lived leave to upload, both signed; nothing of them is kept.

A signature covers what it is for, whom or what it is about, and until when (Unix seconds); it is checked in constant
time. Nobody without this installation's key can make one.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from normalizer.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

LIVES = timedelta(minutes=30)
_SIGNATURE = 32
_SHORT, _SPLIT = 12, "."
"""Characters of a short link's signature (72 bits), and what stands before it."""


class Variant(StrEnum):
    """Which copy a link opens. ``ORIGINAL`` is for agents only: it carries place, time and whatever else is in it."""

    THUMB = "thumb"
    PREVIEW = "preview"
    PLAY = "play"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to upload for an owner: ``size`` bytes in all, ``count`` files in all, until ``until`` (Unix seconds)."""

    owner: str
    size: int
    count: int
    until: int


class Links:
    """Signs and checks; ``sign`` is ``Sealer.hash``, ``now`` the clock."""

    def __init__(self, sign: Callable[[str], bytes], now: Callable[[], datetime]) -> None:
        self._sign = sign
        self._now = now

    def sign(self, owner: str, key: str, variant: Variant, lives: timedelta = LIVES) -> str:
        """Return the address of a copy of an owner's file, good for a while."""
        until = int((self._now() + lives).timestamp())
        mark = self._mark("file", owner, key, variant, until)
        return f"/files/{key}?o={_pack(owner.encode())}&v={variant}&e={until}&s={mark}"

    def check(self, key: str, query: Mapping[str, str]) -> tuple[str, Variant]:
        """Return owner and copy of a link that is genuine and in time; raises NotFound for any other."""
        try:
            owner = _unpack(query["o"]).decode()
            variant, until = Variant(query["v"]), int(query["e"])
            given = query["s"]
        except (KeyError, ValueError) as error:
            raise NotFound("no such link") from error
        self._prove(self._mark("file", owner, key, variant, until), given, until)
        return owner, variant

    def short(self, number: int) -> str:
        """Return the address that leads to the target of a number, short enough for a text message."""
        return f"/f/{number}{_SPLIT}{self._short(number)}"

    def number_of(self, word: str) -> int:
        """Return the number of a short link that is genuine; raises NotFound for any other."""
        number, _, given = word.partition(_SPLIT)
        if not re.fullmatch("[0-9]{1,15}", number):
            raise NotFound("no such link")
        if not hmac.compare_digest(self._short(int(number)).encode(), given.encode()):
            raise NotFound("no such link")
        return int(number)

    def grant(self, grant: Grant) -> str:
        """Return a token of leave to upload."""
        body = _pack(json.dumps([grant.owner, grant.size, grant.count, grant.until]).encode())
        return f"{body}.{self._mark('upload', body)}"

    def granted(self, token: str) -> Grant:
        """Return what a token gives leave to; raises NotFound when it is not genuine or too late."""
        body, _, given = token.partition(".")
        expected = self._mark("upload", body)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise NotFound("no such grant")
        grant = Grant(*json.loads(_unpack(body)))
        self._prove(expected, given, grant.until)
        return grant

    def _prove(self, expected: str, given: str, until: int) -> None:
        genuine = hmac.compare_digest(expected.encode(), given.encode())
        if not genuine or until < self._now().timestamp():
            raise NotFound("no such link")

    def _short(self, number: int) -> str:
        return self._mark("short", number)[:_SHORT]

    def _mark(self, *parts: object) -> str:
        return _pack(self._sign("\0".join(("media", *map(str, parts))))[:_SIGNATURE])


def _pack(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
