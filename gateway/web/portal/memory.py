"""What the pages remember of a session: the form that is being filled in, and a telephone with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from gateway.web.portal.form import Form

if TYPE_CHECKING:
    from gateway.web.session import Session, Sessions


@dataclass(frozen=True)
class Code:
    """A code that was sent to a telephone, to be typed in before ``until`` (milliseconds, UTC)."""

    phone: str
    code: str
    until: int


@dataclass(frozen=True)
class Done:
    """The last report that was submitted, so that its number and code can be shown once more."""

    case_no: str
    query_code: str
    accepted: bool


@dataclass(frozen=True)
class Memory:
    """A session's memory; ``phone`` is proved, ``code`` is on its way, ``shown`` are cases opened by number and code."""

    form: Form | None = None
    phone: str = ""
    code: Code | None = None
    done: Done | None = None
    shown: tuple[str, ...] = ()


_MEMORY = TypeAdapter(Memory)


async def recall(sessions: Sessions, session: Session) -> Memory:
    """Return what is remembered of a session; what cannot be read any more begins anew."""
    body = None if session.new else await sessions.recall(session)
    if body is None:
        return Memory()
    try:
        return _MEMORY.validate_json(body)
    except ValidationError:
        return Memory()


async def remember(sessions: Sessions, session: Session, memory: Memory) -> None:
    """Keep a session's memory."""
    await sessions.remember(session, _MEMORY.dump_json(memory, exclude_defaults=True))
