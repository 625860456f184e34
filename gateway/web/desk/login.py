"""In and out of the desk: password and second factor, each attempt counted and noted, all answers alike.

Whoever asks cannot tell a login that exists from one that does not: both cost one hashing, and both are told to wait
after the same number of attempts (OWASP ASVS 2.2.1; 等保2.0 level 3).
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import pyotp
from pydantic import BaseModel, ConfigDict, Field

from gateway.desk.accounts import FAILURES, LOCK_MS, PASSWORD_CHARS, Outcome
from gateway.runtime import millis
from gateway.store import lists
from gateway.web import qr
from gateway.web.api import wire
from gateway.web.desk.operations import PREFIX, Call, Operation, Reply
from gateway.web.desk.problems import Wrong, invalid
from gateway.web.limits import Limit
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from gateway.desk.accounts import Account, Accounts
    from gateway.store.store import Store
    from gateway.web.desk.door import Door
    from gateway.web.desk.session import Sessions
    from gateway.web.gate import Gate
    from gateway.web.limits import Limits

BY_ADDRESS, BY_LOGIN = 60, 30
"""Attempts in a quarter of an hour: a whole hall may sit behind one address."""
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Attempt(BaseModel):
    """An attempt to log in."""

    model_config = _STRICT

    login: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256, repr=False)
    code: str = Field(default="", max_length=12, repr=False)


class Entered(BaseModel):
    """What a page needs first; ``one_time``: a new password must be set before anything else."""

    model_config = _STRICT

    csrf: str
    one_time: bool


class Change(BaseModel):
    """A new password, proved by the old one."""

    model_config = _STRICT

    old: str = Field(min_length=1, max_length=256, repr=False)
    new: str = Field(min_length=1, max_length=256, repr=False)
    code: str = Field(default="", max_length=12, repr=False)


class Secret(BaseModel):
    """The secret of a second factor, also as the address that an app reads (Key Uri Format), and drawn for its camera.

    ``drawn`` is the path of an SVG of the QR code's dark cells, ``side`` how many cells it is wide.
    """

    model_config = _STRICT

    secret: str
    uri: str
    side: int
    drawn: str


class Confirmation(BaseModel):
    """A secret with a code made of it."""

    model_config = _STRICT

    secret: str = Field(pattern="^[A-Z2-7]{32}$", repr=False)
    code: str = Field(min_length=6, max_length=12, repr=False)


class Login:
    """Lets in and out."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: Sessions,
        limits: Limits,
        gate: Gate,
        door: Door,
        store: Store,
        ids: Callable[[], bytes],
        now: Callable[[], datetime],
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._gate = gate
        self._door = door
        self._store = store
        self._ids = ids
        self._now = now

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations of whoever is logged in."""
        return (
            Operation("POST", "/me/totp", self.enrol),
            Operation("POST", "/me/totp/confirm", self.confirm, body=Confirmation),
        )

    def add(self, app: web.Application) -> None:
        """Add what changes the cookie: in, out, and another password."""
        app.router.add_post(f"{PREFIX}/login", self._door.answering(self.enter))
        app.router.add_post(f"{PREFIX}/logout", self._door.answering(self.leave))
        app.router.add_post(f"{PREFIX}/me/password", self._door.answering(self.change))

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Log in."""
        address = self._gate.address(request)
        if self._gate.flooded(request) or await self._limits.over(
            Limit("desk login from", address, BY_ADDRESS, LOCK_MS)
        ):
            raise _wait()
        attempt = wire.read(Attempt, await wire.body(request))
        if await self._limits.over(Limit("desk login as", attempt.login, BY_LOGIN, LOCK_MS)):
            raise _wait()
        account = await self._verified(attempt)
        await self._noted(account.login, "desk.login")
        return await self._let_in(account)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Log out."""
        session = await self._door.entered(request)
        self._door.prove(request, session)
        await self._sessions.end(session)
        await self._noted(session.account.login, "desk.logout")
        response = wire.written(None, HTTPStatus.NO_CONTENT)
        self._sessions.take(response)
        return response

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Set another password: every session ends, and this one goes on as a new one."""
        session = await self._door.entered(request)
        self._door.prove(request, session)
        change = wire.read(Change, await wire.body(request))
        login = session.account.login
        await self._verified(Attempt(login=login, password=change.old, code=change.code))
        if change.new == change.old:
            raise invalid("/new", "新密码不能和旧密码一样。")
        try:
            await self._accounts.change_password(session.account.id, change.new)
        except InvalidInput as error:
            raise invalid("/new", f"密码至少 {PASSWORD_CHARS} 个字符。") from error
        await self._noted(login, "desk.password")
        changed = await self._accounts.of(session.account.id)
        if changed is None or changed.disabled:
            raise Wrong(HTTPStatus.UNAUTHORIZED, "no-session", "登录已失效，请重新登录。")
        return await self._let_in(changed)

    async def enrol(self, call: Call) -> Reply:
        """Give a secret for a second factor."""
        secret = self._accounts.enrol()
        uri = pyotp.TOTP(secret).provisioning_uri(name=call.agent.login, issuer_name="接诉")
        side, drawn = qr.path(uri)
        return Reply(Secret(secret=secret, uri=uri, side=side, drawn=drawn))

    async def confirm(self, call: Call, given: Confirmation) -> Reply:
        """Switch the second factor on."""
        if not await self._accounts.confirm(call.agent.id, given.secret, given.code):
            raise invalid("/code", "动态码不对，请看清后再输入一次。")
        await self._noted(call.agent.login, "desk.totp")
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def _let_in(self, account: Account) -> web.StreamResponse:
        token = await self._sessions.begin(account)
        csrf = self._sessions.csrf(self._sessions.name(token))
        response = wire.written(Entered(csrf=csrf, one_time=account.one_time), HTTPStatus.OK)
        self._sessions.give(response, token)
        return response

    async def _verified(self, attempt: Attempt) -> Account:
        outcome, account = await self._accounts.verify(attempt.login, attempt.password, attempt.code)
        if outcome is Outcome.RIGHT and account is not None:
            return account
        if outcome is Outcome.NEEDS_CODE:
            raise Wrong(HTTPStatus.UNAUTHORIZED, "needs-code", "请输入动态码。")
        await self._noted(attempt.login, "desk.refused")
        # What has no account has no lock; it is counted here, so that its answers turn when an account's would.
        many = await self._limits.over(Limit("desk wrong", attempt.login, FAILURES - 1, LOCK_MS))
        if outcome is Outcome.LOCKED or many:
            raise _wait()
        raise Wrong(HTTPStatus.UNAUTHORIZED, "wrong-login", "账号、密码或动态码不对。")

    async def _noted(self, login: str, act: str) -> None:
        """Note who tried what; a login that was typed may be a password, so only its account's name is kept."""
        known = await self._accounts.by_login(login)
        actor = f"agent:{known.login}" if known else "agent:?"
        work = partial(
            lists.looked, row_id=self._ids(), at=millis(self._now()), actor=actor, act=act, subject=""
        )
        await self._store.write(work)


def _wait() -> Wrong:
    often = HTTPStatus.TOO_MANY_REQUESTS
    words = "尝试次数太多，请过十五分钟再试，或请管理员重置密码。"
    return Wrong(often, "locked", words, retry_after=LOCK_MS // 1000)
