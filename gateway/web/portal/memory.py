"""What the pages remember of a session: the form that is being filled in, and a telephone with its proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from gateway.web.portal.form import KEPT, Form, fresh
from normalizer.message import Address

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.web.session import Session, Sessions

SHOWN = 5
"""Cases that a session remembers to have opened by number and code."""


@dataclass(frozen=True)
class Code:
    """A code that was sent to a telephone, to be typed in before ``until`` (milliseconds, UTC)."""

    phone: str
    code: str
    until: int


@dataclass(frozen=True)
class Door:
    """Somebody was sent to a provider to be known: by which account, what he must bring back, and until when (ms)."""

    account: str
    state: str
    until: int


@dataclass(frozen=True)
class Done:
    """The last report that was submitted, so that its number and code can be shown once more."""

    case_no: str
    query_code: str
    accepted: bool


@dataclass(frozen=True)
class Memory:
    """A session's memory; ``phone`` is proved, ``code`` is on its way, ``shown`` are cases opened by number and code.

    ``ended`` once its person left it: whoever still has its token is nobody.
    ``person`` is who signed in with an account of a channel; ``door`` while he is away to do so.
    """

    form: Form | None = None
    phone: str = ""
    code: Code | None = None
    done: Done | None = None
    shown: tuple[str, ...] = ()
    ended: bool = False
    person: Address | None = None
    door: Door | None = None


_MEMORY = TypeAdapter(Memory)


async def recall(sessions: Sessions, session: Session, now: datetime) -> Memory:
    """Return what is remembered of a session; a form that was left too long, and what cannot be read, is no more."""
    body = None if session.new else await sessions.recall(session)
    if body is None:
        return Memory()
    try:
        memory = _MEMORY.validate_json(body)
    except ValidationError:
        return Memory()
    kept = memory.form is None or fresh(memory.form, now) is memory.form
    return memory if kept else replace(memory, form=None)


async def remember(sessions: Sessions, session: Session, memory: Memory) -> None:
    """Keep a session's memory: a form alone no longer than a form is kept, nothing not at all."""
    if memory == Memory():
        await sessions.clear(session)
        return
    form = memory.form
    alone = form is not None and memory == Memory(form=form)
    until = form.since + KEPT if form is not None and form.since is not None and alone else None
    await sessions.remember(session, _MEMORY.dump_json(memory, exclude_defaults=True), until)


async def end(sessions: Sessions, session: Session) -> None:
    """End a session for good: forget what was remembered and whose it was, and that its token ever opened anything."""
    await sessions.forget(session)
    await sessions.remember(session, _MEMORY.dump_json(Memory(ended=True), exclude_defaults=True))
