"""One address of the desk: what it takes, who may ask it, and what answers; one table of all is what guards and tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.web.desk.problems import unknown

if TYPE_CHECKING:
    from aiohttp import web
    from pydantic import BaseModel

    from gateway.desk.accounts import Account
    from gateway.desk.rights import Right
    from gateway.web.desk.session import Session

PREFIX = "/desk/api"
_ID = 16
CSRF = "X-CSRF"
PATIENCE = 20.0
"""Seconds a request may take, its body included."""
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who makes it, in which session, from where."""

    request: web.Request
    session: Session
    address: str

    @property
    def agent(self) -> Account:
        """Who asks."""
        return self.session.account

    def named(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.match_info[name])


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    body: BaseModel | None = None
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its handler is called with the ``Call``, then with the body and the query where it has them.

    ``right`` is what its caller must have, None for everybody who is logged in. ``newcomer``: whoever must still
    change a one-time password may ask it too. ``idle``: asking it is not a sign that a person is there.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Reply]]
    right: Right | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    newcomer: bool = False
    idle: bool = False
    patience: float = PATIENCE


def talk_id(text: str) -> bytes:
    """Return the id of a talk, or of a line, as an address has it; raises Wrong (404) for what is none."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise unknown() from None
    if len(raw) != _ID:
        raise unknown()
    return raw
