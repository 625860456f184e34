"""In and out of the desk: password and second factor, each attempt counted and noted, all answers alike.

Whoever asks cannot tell a login that exists from one that does not: both cost one hashing, and both are told to wait
after the same number of attempts (OWASP ASVS 2.2.1; 等保2.0 level 3).
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import pyotp
import structlog
from pydantic import BaseModel, ConfigDict, Field

from gateway import actors
from gateway.desk.accounts import FAILURES, LOCK_MS, Outcome
from gateway.runtime import millis
from gateway.store import lists
from gateway.web import qr
from gateway.web.api import wire
from gateway.web.desk.operations import PREFIX, Call, Operation, Reply
from gateway.web.desk.problems import Wrong, invalid
from gateway.web.desk.vouching import NotVouched
from gateway.web.limits import Limit
from normalizer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from gateway.desk.accounts import Account, Accounts
    from gateway.store.store import Store
    from gateway.web.desk.door import Door
    from gateway.web.desk.session import Session, Sessions
    from gateway.web.desk.vouching import Voucher
    from gateway.web.gate import Gate
    from gateway.web.limits import Limits

log = structlog.get_logger()

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


class Left(BaseModel):
    """Where to log out too, at the provider of single sign-on."""

    model_config = _STRICT

    onward: str


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
    """A secret with a code made of it, and the password of whoever sits there; unused where none is asked for."""

    model_config = _STRICT

    password: str = Field(default="", max_length=256, repr=False)
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
        voucher: Voucher | None = None,
        passwords: bool = True,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._gate = gate
        self._door = door
        self._store = store
        self._ids = ids
        self._now = now
        self._voucher = voucher
        self._passwords = passwords

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
        if not self._passwords:
            raise Wrong(HTTPStatus.FORBIDDEN, "sso-only", "请用统一认证登录；密码登录没有开放。")
        address = self._gate.address(request)
        if self._gate.flooded(request) or await self._limits.over(
            Limit("desk login from", address, BY_ADDRESS, LOCK_MS)
        ):
            raise _wait()
        attempt = wire.read(Attempt, await wire.body(request))
        if await self._limits.over(Limit("desk login as", attempt.login, BY_LOGIN, LOCK_MS)):
            raise _wait()
        account = await self._verified(attempt)
        await self.noted(account.login, "desk.login")
        # Whoever had this browser before is out of it.
        if (before := await self._sessions.of(request)) is not None:
            await self._sessions.end(before)
        return await self._let_in(account)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Log out, and say where to log out too if single sign-on began the session."""
        session = await self._door.entered(request)
        self._door.prove(request, session)
        onward = await self._onward(session)
        await self._sessions.end(session)
        await self.noted(session.account.login, "desk.logout")
        response = wire.written(Left(onward=onward), HTTPStatus.OK) if onward else _nothing()
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
            raise invalid("/new", "密码至少 12 个字符。") from error
        await self.noted(login, "desk.password")
        changed = await self._accounts.of(session.account.id)
        if changed is None or changed.disabled:
            raise Wrong(HTTPStatus.UNAUTHORIZED, "no-session", "登录已失效，请重新登录。")
        return await self._let_in(changed)

    async def enrol(self, call: Call) -> Reply:
        """Give a secret for a second factor, where there is none yet."""
        _without_factor(call)
        secret = self._accounts.enrol()
        uri = pyotp.TOTP(secret).provisioning_uri(name=call.agent.login, issuer_name="接诉")
        side, drawn = qr.path(uri)
        return Reply(Secret(secret=secret, uri=uri, side=side, drawn=drawn))

    async def confirm(self, call: Call, given: Confirmation) -> Reply:
        """Switch the second factor on, for whoever knows the password: an open page alone proves nobody (ASVS 2.2.3)."""
        _without_factor(call)
        if self._passwords:
            if not given.password:
                raise invalid("/password", "请填写现在的密码。")
            await self._verified(Attempt(login=call.agent.login, password=given.password))
        if not await self._accounts.confirm(call.agent.id, given.secret, given.code):
            raise invalid("/code", "动态验证码不对，请看清后再输入一次。")
        await self.noted(call.agent.login, "desk.totp")
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
            raise Wrong(HTTPStatus.UNAUTHORIZED, "needs-code", "请输入动态验证码。")
        await self.noted(attempt.login, "desk.refused")
        # What has no account has no lock; it is counted here, so that its answers turn when an account's would.
        many = await self._limits.over(Limit("desk wrong", attempt.login, FAILURES - 1, LOCK_MS))
        if outcome is Outcome.LOCKED or many:
            raise _wait()
        raise Wrong(HTTPStatus.UNAUTHORIZED, "wrong-login", "登录名、密码或动态验证码不对。")

    async def _onward(self, session: Session) -> str:
        """Return where the provider logs out; one that does not answer keeps nobody from leaving here."""
        if self._voucher is None or not session.vouched:
            return ""
        try:
            return await self._voucher.farewell(await self._sessions.id_token(session))
        except NotVouched as error:
            log.warning("desk.sso_refused", why=error.why.value, detail=error.detail)
            return ""

    async def noted(self, login: str, act: str, subject: str = "") -> None:
        """Note who tried what; a login that was typed may be a password, so only its account's name is kept."""
        known = await self._accounts.by_login(login)
        actor = actors.agent(known.login) if known else actors.NOBODY
        work = partial(
            lists.looked, row_id=self._ids(), at=millis(self._now()), actor=actor, act=act, subject=subject
        )
        await self._store.write(work)


def _without_factor(call: Call) -> None:
    if call.agent.has_totp:
        words = "您已启用动态验证码。换手机请找管理员重置密码。"
        raise Wrong(HTTPStatus.CONFLICT, "has-factor", words)


def _nothing() -> web.Response:
    return wire.written(None, HTTPStatus.NO_CONTENT)


def _wait() -> Wrong:
    often = HTTPStatus.TOO_MANY_REQUESTS
    words = "尝试次数太多，请过十五分钟再试，或请管理员重置密码。"
    return Wrong(often, "locked", words, retry_after=LOCK_MS // 1000)
