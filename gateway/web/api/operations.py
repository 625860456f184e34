"""One operation of the API: what it takes and gives, from which both the answering and the document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.web.portal.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web
    from pydantic import BaseModel

    from gateway.web.session import Session

MARKED = "Idempotency-Key"
CSRF = "X-CSRF-Token"
PREFIX = "/api/v1"
SAFE = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class Call:
    """One request: who makes it, what is remembered of him (kept when it was changed), and how it is marked."""

    request: web.Request
    session: Session
    memory: Memory = field(default_factory=Memory)
    changed: bool = False
    mark: str = ""
    raw: bytes = b""

    def keep(self, memory: Memory) -> None:
        """Remember this from now on."""
        self.memory, self.changed = memory, True


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    body: BaseModel | None = None
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its handler is called with the ``Call``, then with the body and the query where it has them.

    ``answers`` are its good answers by status; ``problems`` the statuses beside those that every operation may give.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Callable[..., Awaitable[Reply]]
    answers: Mapping[HTTPStatus, type[BaseModel] | None]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    session: bool = True
    marked: bool = False
    problems: tuple[HTTPStatus, ...] = ()

    @property
    def statuses(self) -> tuple[HTTPStatus, ...]:
        """All problem statuses that it may answer with."""
        found = {
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
            *self.problems,
        }
        if self.session:
            found |= {HTTPStatus.UNAUTHORIZED}
            found |= set() if self.method in SAFE else {HTTPStatus.FORBIDDEN}
        if self.body is not None:
            found |= {
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            }
        if self.body is not None or self.query is not None:
            found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
        return tuple(sorted(found))
