"""A telephone proved by a code that is sent to it: then all its cases are one's own, whatever way they came."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.web.portal.memory import Memory, end
from gateway.web.portal.proof import LOCKED, WRONG
from gateway.web.portal.site import seen_again
from gateway.web.session import ANONYMOUS
from normalizer.errors import Refused
from normalizer.people import valid_mobile

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.web.portal.proof import Proof
    from gateway.web.portal.site import Site, Visit


class Login:
    """The pages of proving a telephone."""

    def __init__(self, site: Site, proof: Proof) -> None:
        self._site = site
        self._proof = proof

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        for method, path, handler in (
            ("GET", "/login", self.ask),
            ("POST", "/login", self.send),
            ("GET", "/login/code", self.ask_code),
            ("POST", "/login/code", self.prove),
            ("POST", "/logout", self.leave),
        ):
            self._site.add(app, method, path, handler)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Ask for the telephone."""
        return self._asked(visit, {})

    async def send(self, visit: Visit) -> web.StreamResponse:
        """Send a code to the telephone."""
        phone = valid_mobile(visit.fields.get("phone", "").strip())
        if not self._proof.texts:
            return self._asked(visit, {})
        if phone is None:
            return self._asked(visit, {"phone": "这个手机号好像不对，请核对 11 位数字。"})
        try:
            address = self._site.gate.address(visit.request)
            code = await self._proof.send(phone, visit.session, address)
        except Refused:
            return self._asked(visit, {"phone": "验证码要得太多了，请过一会儿再试，或打热线电话查询。"})
        visit.keep(replace(visit.memory, code=code))
        return seen_again("/login/code")

    async def ask_code(self, visit: Visit) -> web.StreamResponse:
        """Ask for the code."""
        return self._asked_code(visit, {}) if visit.memory.code is not None else seen_again("/login")

    async def prove(self, visit: Visit) -> web.StreamResponse:
        """Take the code: a right one makes the telephone's cases this session's own."""
        waiting = visit.memory.code
        if waiting is None:
            return seen_again("/login")
        given = "".join(c for c in visit.fields.get("code", "") if c.isdigit())
        try:
            session, memory = await self._proof.prove(visit.session, visit.memory, waiting, given)
        except Refused as refused:
            return self._asked_code(visit, {"code": _REFUSED[refused.reason]})
        visit.become(session, memory)
        return seen_again("/cases")

    async def leave(self, visit: Visit) -> web.StreamResponse:
        """Forget who was here, on a machine that others use too."""
        await end(self._site.sessions, visit.session)
        visit.become(self._site.sessions.begin(ANONYMOUS), Memory())
        return seen_again("/")

    def _asked(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        status = 422 if errors else 200
        return self._site.page(visit, "login.html", status, errors=errors, texts=bool(self._proof.texts))

    def _asked_code(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        assert visit.memory.code is not None
        ending = visit.memory.code.phone[-4:]
        return self._site.page(visit, "login_code.html", 422 if errors else 200, errors=errors, ending=ending)


_REFUSED = {
    LOCKED: "输错次数较多，请一小时后再试，或打热线电话查询。",
    WRONG: "验证码不对或已过期，请核对，或重新取一个。",
}
