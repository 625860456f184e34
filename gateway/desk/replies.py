"""Replies at hand: found by words or initials, filled with what is known, and, as macros, followed by acts.

The starter set is data of the package; what a hotline imports stands in its place or beside it.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.runtime import millis
from gateway.store import canned as sql
from normalizer.errors import InvalidInput
from normalizer.pinyin import initials
from normalizer.text import for_matching

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.store.store import Store

VARIABLES = frozenset({"称呼", "单号", "热线", "城市", "座席", "今天"})
_VARIABLE = re.compile(r"\{([^{}]+)\}")
_CALLED = re.compile(r"(?:尊敬的)?\{称呼\}(?:您好|你好)?")
GREETING = {"zh": "您好", "en": "Hello"}
"""What stands for the name of somebody who has told none, by the language of the reply."""
_ID = re.compile(r"[a-z0-9_]{1,40}")
_ACT = re.compile(r"wrap_up|close|hold|back|note:.{1,200}|transfer:.{0,40}")


@dataclass(frozen=True, slots=True)
class Canned:
    """One reply at hand; ``acts`` are done after it was sent (``close``, ``wrap_up``, ``note:…``, ``transfer:skill``)."""

    id: str
    title: str
    text: str
    acts: tuple[str, ...] = ()
    lang: str = "zh"


@dataclass(frozen=True, slots=True)
class Preview:
    """A reply as it would be sent; ``missing`` are the variables that nothing is known for."""

    text: str
    missing: tuple[str, ...]
    acts: tuple[str, ...]


class _Entry(BaseModel):
    """An entry of a file of replies; an empty ``text`` takes a reply of the starter set away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=40)]
    text: Annotated[str, Field(max_length=1000)]
    acts: tuple[Annotated[str, Field(pattern=rf"^(?:{_ACT.pattern})$")], ...] = ()
    lang: Annotated[str, Field(max_length=8)] = "zh"


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies of a hotline."""

    store: Store
    now: Callable[[], datetime]

    async def all(self) -> tuple[Canned, ...]:
        """Return every reply, the starter set's first."""
        own = await self.store.read(sql.everything)
        merged = dict(_starters()) | {key: _canned(key, json.loads(body)) for key, body in own.items()}
        return tuple(reply for reply in merged.values() if reply.text)

    async def find(self, words: str, limit: int = 20) -> tuple[Canned, ...]:
        """Return the replies for words, part of a title, or the initials of one (``ysl`` finds 已受理)."""
        wanted = for_matching(words).strip()
        found = [(place, reply) for reply in await self.all() if (place := _place(reply, wanted)) is not None]
        return tuple(reply for _, reply in sorted(found, key=lambda each: each[0])[:limit])

    async def read(self, text: str) -> int:
        """Import a file of replies (TOML) and return how many it has; raises InvalidInput, and then nothing is kept."""
        entries = parse(text)
        bodies = {key: json.dumps(asdict(each), ensure_ascii=False) for key, each in entries.items()}
        await self.store.write(lambda c: sql.put(c, bodies, millis(self.now())))
        return len(entries)


def parse(text: str) -> dict[str, Canned]:
    """Return the replies of a file by id; raises InvalidInput with what is wrong and where."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not valid TOML: {error}") from error
    found = {}
    for key, value in raw.items():
        if not _ID.fullmatch(key):
            raise InvalidInput(f"{key}: an id has small letters, digits and underscores")
        found[key] = _canned(key, value)
        if unknown := set(_VARIABLE.findall(found[key].text)) - VARIABLES:
            raise InvalidInput(f"{key}: no such variable: {', '.join(sorted(unknown))}")
    return found


def write(replies: tuple[Canned, ...]) -> str:
    """Return replies as a file that ``parse`` reads."""
    return "\n".join(map(_written, replies))


def preview(reply: Canned, values: Mapping[str, str]) -> Preview:
    """Return a reply filled with what is known; who has told no name is greeted, other gaps stay between their braces."""
    text = reply.text
    if not values.get("称呼"):
        text = _CALLED.sub(GREETING.get(reply.lang, GREETING["zh"]), text)
    missing = unfilled(text, values)
    text = _VARIABLE.sub(lambda found: values.get(found[1]) or found[0], text)
    return Preview(text, tuple(dict.fromkeys(missing)), reply.acts)


def unfilled(text: str, values: Mapping[str, str] = {}) -> list[str]:
    """Return the variables of a text for which there is no value, each as often as it stands there."""
    return [name for name in _VARIABLE.findall(text) if name in VARIABLES and not values.get(name)]


@cache
def _starters() -> Mapping[str, Canned]:
    return parse(resources.files("gateway").joinpath("templates/replies.toml").read_text("utf-8"))


def _canned(key: str, value: object) -> Canned:
    known = {k: v for k, v in value.items() if k != "id"} if isinstance(value, dict) else value
    try:
        entry = _Entry.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(f"{key}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return Canned(key, entry.title, entry.text, entry.acts, entry.lang)


def _place(reply: Canned, wanted: str) -> int | None:
    """Return how well a reply answers: 0 by its title, 1 by initials, 2 by its words; None when not at all."""
    if wanted in for_matching(reply.title) or wanted == reply.id:
        return 0
    if wanted.isascii() and wanted.replace(" ", "") in initials(reply.title):
        return 1
    return 2 if wanted in for_matching(reply.text) else None


def _written(reply: Canned) -> str:
    def quoted(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    acts = f"acts = {quoted(reply.acts)}\n" if reply.acts else ""
    lang = f"lang = {quoted(reply.lang)}\n" if reply.lang != "zh" else ""
    return f"[{reply.id}]\ntitle = {quoted(reply.title)}\ntext = {quoted(reply.text)}\n{acts}{lang}"
