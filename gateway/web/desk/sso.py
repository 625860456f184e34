"""In to the desk by single sign-on: out to the provider, back with its answer, and a page for whatever went wrong.

The way out is a plain link; the answer counts only in the browser that went, once, within ten minutes. Each refusal is
one page, one line of the log and one row of the audit.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import jinja2
import structlog
from aiohttp import web

from gateway.desk.accounts import LOCK_MS, Outcome
from gateway.web import assets
from gateway.web import gate as gates
from gateway.web.asking import prove_there
from gateway.web.desk.vouching import SPAN_MS, Attempts, NotVouched, Why
from gateway.web.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.desk.accounts import Account, Accounts
    from gateway.desk_settings import Oidc
    from gateway.store.seal import Sealer
    from gateway.web.desk.session import Sessions
    from gateway.web.desk.vouching import Attempt, Voucher
    from gateway.web.gate import Gate
    from gateway.web.limits import Limits

log = structlog.get_logger()

ENTER, BACK, CODE = "/desk/sso", "/desk/sso/back", "/desk/sso/code"
COOKIE, SECURE_COOKIE = "jiesu-desk-sso", "__Host-jiesu-desk-sso"
BY_ADDRESS = 600
"""Answers in a quarter of an hour: a whole hall may sit behind one address, and there is nothing here to guess."""
PATIENCE = 25.0
"""Seconds for one step: the provider may be asked four times, each time with a limit of its own."""
_OURS = frozenset({"same-origin", "none"})

_FORBIDDEN, _BAD = HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST
_AWAY, _OFTEN = HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS
_SAID: dict[str, tuple[HTTPStatus, str, str, str]] = {
    Why.AWAY: (
        _AWAY,
        "统一认证现在没有回应",
        "请过一两分钟再试。{else_zh}一直不行，请联系系统管理员。",
        "The single sign-on does not answer. Try again in a minute or two. {else_en}Tell your administrator if it stays so.",
    ),
    Why.STALE: (
        _BAD,
        "这次登录已经失效",
        "登录要在同一个浏览器里、十分钟内完成，每次只能用一次。请返回重新登录。",
        "This login is over: it must be finished in the same browser within ten minutes, and counts once. Please begin again.",
    ),
    Why.DENIED: (
        _FORBIDDEN,
        "统一认证没有放行",
        "您在统一认证那里没有登录成功，或者取消了。请返回再试；还是不行，请联系统一认证的管理员。",
        "The single sign-on did not let you in, or you cancelled. Try again, or ask those who run the single sign-on.",
    ),
    Why.FALSE: (
        _FORBIDDEN,
        "统一认证的回答不可信",
        "没有让您进入，您的账号没有变化。请返回再试；还是不行，请联系系统管理员。",
        "What the single sign-on answered could not be trusted; you were not let in. Try again, or tell your administrator.",
    ),
    Why.WEAK: (
        _FORBIDDEN,
        "需要更强的身份验证",
        "座席台要求刚刚做过的、带第二重验证的登录。请在统一认证那里退出，重新登录并完成验证，再回来。",
        "The desk wants a recent login with a second factor. Log out at the single sign-on, log in there anew, and come back.",
    ),
    Why.NAMELESS: (
        _FORBIDDEN,
        "统一认证没有说明您的座席账号",
        "您已通过统一认证，但回答里没有可用的登录名。请联系系统管理员。",
        "You are known to the single sign-on, but it named no login of the desk. Please ask your administrator.",
    ),
    Outcome.UNKNOWN: (
        _FORBIDDEN,
        "您还没有座席账号",
        "统一认证说您是“{login}”，座席台没有这个账号。请把这个名字告诉系统管理员，开通后再登录。",
        'The single sign-on calls you "{login}", and the desk has no such account. Give this name to your administrator.',
    ),
    Outcome.DISABLED: (
        _FORBIDDEN,
        "您的座席账号已停用",
        "账号“{login}”已停用。如果您还要使用，请联系系统管理员恢复。",
        'The account "{login}" is disabled. Ask your administrator if you still need it.',
    ),
    Outcome.OTHER: (
        _FORBIDDEN,
        "这个座席账号属于另一个人",
        "账号“{login}”已绑定另一位统一认证用户。请联系系统管理员核对并解除绑定。",
        'The account "{login}" is bound to another person of the single sign-on. Ask your administrator to check and unlink it.',
    ),
    Outcome.LOCKED: (
        _OFTEN,
        "账号暂时锁定",
        "尝试次数太多，请过十五分钟再登录，或请系统管理员解锁。",
        "Too many attempts. Try again in fifteen minutes, or ask your administrator to unlock the account.",
    ),
    "often": (
        _OFTEN,
        "登录次数太多",
        "请过十五分钟再试。",
        "Too many logins from here. Try again in fifteen minutes.",
    ),
    "failed": (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "这一步没有办成",
        "请返回再试一次；还是不行，请联系系统管理员。",
        "This did not work. Please try again, or tell your administrator.",
    ),
}
_ELSE_ZH, _ELSE_EN = "现在可以返回，用登录名和密码登录。", "You can go back and log in with your password. "
_CODES = (
    "请输入动态验证码",
    "统一认证已通过。您的座席账号还开着第二重验证，请在十分钟内输入验证器里的六位数字。",
    "The single sign-on has let you in. Your account has a second factor here too: enter its six digits within ten minutes.",
)
_WRONG_CODE = "验证码不对，请看清后再输入一次。 Wrong code, please look again."


class Sso:
    """Lets in whom the provider names, if he has an account that may."""

    def __init__(
        self,
        *,
        settings: Oidc,
        voucher: Voucher,
        accounts: Accounts,
        sessions: Sessions,
        limits: Limits,
        gate: Gate,
        sealer: Sealer,
        noted: Callable[[str, str, str], Awaitable[None]],
        now: Callable[[], datetime],
        secure: bool,
    ) -> None:
        self._settings = settings
        self._voucher = voucher
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._gate = gate
        self._attempts = Attempts(sealer, now)
        self._noted = noted
        self._secure = secure
        self._cookie = SECURE_COOKIE if secure else COOKIE
        self._headers = dict(gates.headers(secure=secure))
        # A provider's second factor makes ours needless only where it is insisted on.
        self._second_factor = not (settings.acr or settings.amr)
        loader = jinja2.PackageLoader("gateway", "templates/desk")
        environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        environment.globals["asset"] = assets.address
        self._template = environment.get_template("sso.html")

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        app.router.add_get(ENTER, self._answering(self.enter))
        app.router.add_get(BACK, self._answering(self.back))
        app.router.add_post(CODE, self._answering(self.code))

    async def enter(self, request: web.Request) -> web.Response:
        """Send a browser to the provider."""
        if self._gate.flooded(request):
            return self._told("often")
        attempt, kept = self._attempts.begin()
        response = self._gone(await self._voucher.begin(attempt))
        # The provider's answer comes from another site, so this cookie must come along with it.
        self._keep(response, kept, "Lax")
        return response

    async def back(self, request: web.Request) -> web.Response:
        """Take the provider's answer."""
        if await self._hasty(request):
            return self._told("often")
        attempt = await self._own(request)
        vouched = await self._voucher.redeem(request.query, attempt)
        login = vouched.login
        outcome, account = await self._accounts.vouched(
            login, vouched.subject, second_factor=self._second_factor
        )
        if account is not None:
            return await self._let_in(account, vouched.id_token, vouched.sid)
        if outcome is Outcome.NEEDS_CODE and (account := await self._accounts.by_login(login)) is not None:
            response = self._asked()
            self._keep(response, self._attempts.ticket(account, vouched.sid), "Strict")
            return response
        return await self._refused(outcome, outcome.value, login)

    async def code(self, request: web.Request) -> web.Response:
        """Take the second factor of whom the provider has named."""
        if await self._hasty(request):
            return self._told("often")
        found = self._attempts.holder(request.cookies.get(self._cookie, ""))
        if found is None or request.headers.get("Sec-Fetch-Site", "none") not in _OURS:
            raise NotVouched(Why.STALE, "a code of nobody")
        given = str((await request.post()).get("code", "")).strip()
        agent, version, sid = found
        outcome, account = await self._accounts.coded(agent, version, given)
        if account is not None:
            return await self._let_in(account, "", sid)
        known = await self._accounts.of(agent)
        if outcome in {Outcome.WRONG, Outcome.NEEDS_CODE} and known and known.session_version == version:
            await self._noted(known.login, "desk.refused", "single sign-on: code")
            return self._asked(_WRONG_CODE)
        if outcome is Outcome.LOCKED and known:
            return await self._refused(outcome, outcome.value, known.login)
        raise NotVouched(Why.STALE, "a code of nobody")

    async def _hasty(self, request: web.Request) -> bool:
        address = Limit("desk sso from", self._gate.address(request), BY_ADDRESS, LOCK_MS)
        return self._gate.flooded(request) or await self._limits.over(address)

    async def _own(self, request: web.Request) -> Attempt:
        """Return the attempt of this browser that is answered, and let it count no more; raises NotVouched."""
        kept = request.cookies.get(self._cookie, "")
        attempt = self._attempts.of(kept, request.query.get("state", ""))
        if attempt is None:
            raise NotVouched(Why.STALE, "not begun here, or over")
        if await self._limits.over(Limit("desk sso attempt", attempt.name, 1, SPAN_MS)):
            raise NotVouched(Why.STALE, "answered before")
        return attempt

    async def _let_in(self, account: Account, id_token: str, sid: str) -> web.Response:
        await self._noted(account.login, "desk.login", "single sign-on")
        response = self._gone("/desk")
        self._sessions.give(response, await self._sessions.begin(account, id_token, sid))
        self._drop(response)
        return response

    def _answering(
        self, work: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await work(request)
            except NotVouched as error:
                return await self._refused(error.why, error.detail)
            except TimeoutError:
                return await self._refused(Why.AWAY, "too slow")
            except web.HTTPException:
                raise
            except Exception as error:
                prove_there(request, error)
                log.exception("desk.sso_failed")
                return self._told("failed")

        return answer

    async def _refused(self, why: Why | Outcome, detail: str, login: str = "") -> web.Response:
        log.warning("desk.sso_refused", why=why.value, detail=detail)
        # Nobody was refused where the provider was away.
        if why is not Why.AWAY:
            await self._noted(login, "desk.refused", f"single sign-on: {why.value} {login}".rstrip())
        response = self._told(why, login)
        # An answer from elsewhere must not end what this browser has begun.
        if why is not Why.STALE:
            self._drop(response)
        return response

    def _told(self, what: str, login: str = "") -> web.Response:
        status, title, zh, en = _SAID[what]
        fields = {"login": login, "else_zh": "", "else_en": ""}
        if self._settings.passwords:
            fields |= {"else_zh": _ELSE_ZH, "else_en": _ELSE_EN}
        return self._page(status, title, zh.format_map(fields), en.format_map(fields))

    def _asked(self, fault: str = "") -> web.Response:
        return self._page(HTTPStatus.OK, *_CODES, codes=True, fault=fault)

    def _page(
        self, status: HTTPStatus, title: str, zh: str, en: str, *, codes: bool = False, fault: str = ""
    ) -> web.Response:
        contact = "" if codes else self._settings.contact
        text = self._template.render(title=title, zh=zh, en=en, codes=codes, fault=fault, contact=contact)
        return web.Response(status=status, text=text, content_type="text/html", headers=self._headers)

    def _gone(self, address: str) -> web.Response:
        headers = {**self._headers, "Location": address, "Referrer-Policy": "no-referrer"}
        return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)

    def _keep(self, response: web.Response, kept: str, site: str) -> None:
        response.set_cookie(
            self._cookie,
            kept,
            max_age=SPAN_MS // 1000,
            httponly=True,
            samesite=site,
            secure=self._secure,
            path="/",
        )

    def _drop(self, response: web.Response) -> None:
        response.del_cookie(self._cookie, httponly=True, samesite="Lax", secure=self._secure, path="/")
