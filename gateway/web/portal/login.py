"""A telephone proved by a code that is sent to it: then all its cases are one's own, whatever way they came."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bots.words import say
from gateway.pace import Pace
from gateway.runtime import millis
from gateway.store import codes
from gateway.web.portal.memory import Code, Memory
from gateway.web.portal.site import seen_again
from gateway.web.session import PROVED
from normalizer import case_no
from normalizer.message import Address
from normalizer.people import valid_mobile
from outbox.notices import OTP

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.portal.site import Site, Visit

GOOD_MS = 300_000
"""How long a code can be typed in: five minutes (domain.md 4.4, OTP)."""
AN_HOUR, AT_ONCE = 5 / 3600, 3
"""Codes to one telephone: three at once, then five an hour."""


class Login:
    """The pages of proving a telephone; ``texts`` is the account that codes go by, empty where there is none."""

    def __init__(
        self, *, site: Site, office: Office, lookup: Lookup, store: Store, sealer: Sealer, texts: str
    ) -> None:
        self._site = site
        self._office = office
        self._lookup = lookup
        self._store = store
        self._sealer = sealer
        self._texts = texts
        self._pace = Pace(per_second=AN_HOUR, burst=AT_ONCE)

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
        if not self._texts:
            return self._asked(visit, {})
        if phone is None:
            return self._asked(visit, {"phone": "这个手机号好像不对，请核对 11 位数字。"})
        if self._pace.over(phone.encode(), self._site.now().timestamp()):
            return self._asked(visit, {"phone": "验证码要得太多了，请过一会儿再试，或打热线电话查询。"})
        code = case_no.make_code(secrets.randbelow)
        await self._office.tell(Address(self._texts, phone), OTP, say("zh", "sms_code", code=code))
        until = millis(self._site.now()) + GOOD_MS
        visit.keep(replace(visit.memory, code=Code(phone, code, until)))
        return seen_again("/login/code")

    async def ask_code(self, visit: Visit) -> web.StreamResponse:
        """Ask for the code."""
        return self._asked_code(visit, {}) if visit.memory.code is not None else seen_again("/login")

    async def prove(self, visit: Visit) -> web.StreamResponse:
        """Take the code: a right one makes the telephone's cases this session's own."""
        waiting, at = visit.memory.code, millis(self._site.now())
        if waiting is None:
            return seen_again("/login")
        subjects = tuple(self._sealer.hash(f"login {each}") for each in (waiting.phone, visit.session.id))
        if await self._store.read(partial(codes.locked, subjects=subjects, now=at)):
            return self._asked_code(visit, {"code": "输错次数较多，请一小时后再试，或打热线电话查询。"})
        given = "".join(c for c in visit.fields.get("code", "") if c.isdigit())
        if at > waiting.until or not secrets.compare_digest(given.encode(), waiting.code.encode()):
            await self._store.write(partial(codes.wrong, subjects=subjects, now=at))
            return self._asked_code(visit, {"code": "验证码不对或已过期，请核对，或重新取一个。"})
        await self._proved(visit, waiting.phone)
        return seen_again("/cases")

    async def leave(self, visit: Visit) -> web.StreamResponse:
        """Forget who was here, on a machine that others use too."""
        await self._site.sessions.forget(visit.session)
        visit.become(self._site.sessions.begin(PROVED), Memory())
        return seen_again("/")

    async def _proved(self, visit: Visit, phone: str) -> None:
        sessions, before = self._site.sessions, visit.session
        own = await self._lookup.own(sessions.conversation(before))
        if any(case.complainant.phone == phone for case in own):
            # He reported from here before he proved who he is.
            await self._office.bind(before.address, phone)
        session = sessions.begin(PROVED)
        await self._office.bind(session.address, phone)
        memory = visit.memory
        await sessions.forget(before)
        visit.become(session, Memory(form=memory.form, phone=phone, done=memory.done))

    def _asked(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        status = 422 if errors else 200
        return self._site.page(visit, "login.html", status, errors=errors, texts=bool(self._texts))

    def _asked_code(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        assert visit.memory.code is not None
        ending = visit.memory.code.phone[-4:]
        return self._site.page(visit, "login_code.html", 422 if errors else 200, errors=errors, ending=ending)
