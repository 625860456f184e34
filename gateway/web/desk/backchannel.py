"""Out of the desk at the provider's word: OpenID Connect Back-Channel Logout 1.0.

The provider calls, no browser does: nothing but the signed token counts. Sessions are rows, so what is ended here is ended
in every process, at the next thing that anybody asks there.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from gateway.web.desk.vouching import NotVouched, Why
from gateway.web.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.desk.accounts import Accounts
    from gateway.web.desk.session import Sessions
    from gateway.web.desk.vouching import Voucher
    from gateway.web.limits import Limits

log = structlog.get_logger()

OUT = "/desk/sso/out"
"""What the provider is told as ``backchannel_logout_uri``, below ``public_url``."""
LARGEST = 16 * 1024
PATIENCE = 20.0
REMEMBERED_MS = 24 * 3_600_000
"""How long a token that was taken is known; none is believed for longer (2.6, step 7)."""
_HEADERS = {"Cache-Control": "no-store"}


class Backchannel:
    """Ends the sessions that a provider names."""

    def __init__(
        self,
        *,
        voucher: Voucher,
        accounts: Accounts,
        sessions: Sessions,
        limits: Limits,
        noted: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._voucher = voucher
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._noted = noted

    def add(self, app: web.Application) -> None:
        """Add the address."""
        app.router.add_post(OUT, self.out)

    async def out(self, request: web.Request) -> web.Response:
        """Take a logout token: 200 when what it names is ended here, 400 when it is not to be believed (2.8)."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._out(await _token(request))
        except NotVouched as error:
            log.warning("desk.sso_logout_refused", why=error.why.value, detail=error.detail)
            return _refused(error.detail)
        except TimeoutError:
            return _refused("too slow")

    async def _out(self, token: str) -> web.Response:
        ended = await self._voucher.ended(token)
        # A token that comes again, as when our answer was lost, has done all that it may.
        if not await self._limits.over(Limit("desk sso out", ended.token, 1, REMEMBERED_MS)):
            subject = self._accounts.subject(ended.subject) if ended.subject else None
            for login in await self._sessions.end_all(subject, ended.sid):
                await self._noted(login, "desk.logout", "single sign-on: back-channel")
        return web.Response(headers=_HEADERS)


async def _token(request: web.Request) -> str:
    """Return the token of a form; raises NotVouched for what is none."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            raise NotVouched(Why.FALSE, "too large")
    try:
        fields = parse_qsl(body.decode("ascii"), max_num_fields=10)
    except ValueError as error:
        raise NotVouched(Why.FALSE, "no form") from error
    found = [value for name, value in fields if name == "logout_token"]
    if len(found) != 1:
        raise NotVouched(Why.FALSE, "no logout_token")
    return found[0]


def _refused(detail: str) -> web.Response:
    body = {"error": "invalid_request", "error_description": detail}
    return web.json_response(body, status=HTTPStatus.BAD_REQUEST, headers=_HEADERS)
