"""Signing in by WeChat, for pages that are opened in it: sent to the platform, known when coming back (wechat.md 2.9).

What comes back is believed only in the browser that was sent, once, and soon: else a link with somebody else's code
would make its reader somebody else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from channels.contract import SignInError, SignInReason
from gateway.runtime import millis
from gateway.web.portal.memory import SHOWN, Door, Memory
from gateway.web.portal.site import seen_again
from gateway.web.session import PROVED
from normalizer.message import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from channels.contract import KnowsVisitors
    from gateway.cases.lookup import Lookup
    from gateway.web.portal.site import Site, Visit

log = structlog.get_logger()

BACK = "/login/wechat/back"
WECHAT = "MicroMessenger"
"""What WeChat's browser calls itself."""
GOOD = timedelta(minutes=10)
"""How long somebody may be away at the platform."""
NO_WAY = ("不能用微信登录", "这里不能用微信登录。请用手机号，或者用单号和查询码查询。", 404)
STRANGE = (
    "登录没有完成",
    "这次微信登录已经失效，或者不是从这里开始的。请回到查进度，再点一次“用微信查”。",
    403,
)
_REFUSED = {
    SignInReason.CODE: STRANGE,
    SignInReason.OFTEN: ("请稍等", "登录太频繁了，请过一分钟再试。", 429),
    SignInReason.RISK: STRANGE,
    SignInReason.AWAY: ("请稍等", "微信登录暂时不可用，请过一会儿再试，或用手机号查询。", 503),
}


@dataclass(frozen=True, slots=True)
class Visitors:
    """The two addresses; ``address`` is that of our pages, empty where it is not set, and then nobody can come back."""

    site: Site
    lookup: Lookup
    channels: Mapping[str, KnowsVisitors]
    address: str

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/login/wechat", self.leave)
        self.site.add(app, "GET", BACK, self.come)

    def offered(self, visit: Visit) -> bool:
        """Return whether somebody can sign in this way: in WeChat's own browser only."""
        here = WECHAT in visit.request.headers.get("User-Agent", "")
        return here and bool(self.channels) and bool(self.address)

    async def leave(self, visit: Visit) -> web.StreamResponse:
        """Send a browser to the platform, with a state that only it can bring back."""
        account = visit.request.query.get("account") or next(iter(self.channels), "")
        channel = self.channels.get(account)
        if channel is None or not self.address:
            return self.site.message(visit, *NO_WAY)
        state = secrets.token_urlsafe(24)
        visit.keep(replace(visit.memory, door=Door(account, state, millis(self.site.now() + GOOD))))
        return seen_again(channel.way_in(self.address + BACK, state))

    async def come(self, visit: Visit) -> web.StreamResponse:
        """Take who comes back: his cases by this account are then this session's own."""
        door, query = visit.memory.door, visit.request.query
        channel = self.channels.get(door.account) if door is not None else None
        if door is None or channel is None or not self._genuine(door, query.get("state", "")):
            log.warning("portal.strange_state", known=door is not None)
            return self.site.message(visit, *STRANGE)
        # Whatever becomes of it, the state is used.
        visit.keep(replace(visit.memory, door=None))
        try:
            user = await channel.visitor(query.get("code", ""))
        except SignInError as error:
            return self.site.message(visit, *_REFUSED[error.reason])
        await self._become(visit, Address(door.account, user))
        return seen_again("/cases")

    def _genuine(self, door: Door, given: str) -> bool:
        same = secrets.compare_digest(given.encode("utf-8", "replace"), door.state.encode())
        return same and millis(self.site.now()) <= door.until

    async def _become(self, visit: Visit, person: Address) -> None:
        """Go on as a new session of a person's; what was reported here before stays in sight."""
        sessions, before = self.site.sessions, visit.session
        left = [case.case_no for case in await self.lookup.own(sessions.conversation(before))]
        shown = tuple(dict.fromkeys((*left, *visit.memory.shown)))[:SHOWN]
        session = replace(sessions.begin(PROVED), person=person)
        await sessions.forget(before)
        memory = Memory(form=visit.memory.form, done=visit.memory.done, shown=shown, person=person)
        visit.become(session, memory)
