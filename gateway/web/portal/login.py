"""A telephone proved by a code that is sent to it: then all its cases are one's own, whatever way they came."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bots.words import say
from gateway.runtime import millis
from gateway.store import codes
from gateway.web.limits import DAY, HOUR, Limit
from gateway.web.portal.memory import SHOWN, Code, Memory
from gateway.web.portal.site import seen_again
from gateway.web.session import ANONYMOUS, PROVED
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
    from gateway.web.limits import Limits
    from gateway.web.portal.site import Site, Visit

GOOD_MS = 300_000
"""How long a code can be typed in: five minutes (domain.md 4.4, OTP)."""
TO_PHONE, TO_PHONE_A_DAY, BY_SESSION, FROM_ADDRESS = 5, 10, 10, 60
"""Codes an hour to one telephone, a day to it, a day by one browser, an hour from one address, which many may share."""
_TOO_MANY = "验证码要得太多了，请过一会儿再试，或打热线电话查询。"


class Login:
    """The pages of proving a telephone; ``texts`` is the account that codes go by, empty where there is none."""

    def __init__(
        self,
        *,
        site: Site,
        office: Office,
        lookup: Lookup,
        limits: Limits,
        store: Store,
        sealer: Sealer,
        texts: str,
    ) -> None:
        self._site = site
        self._office = office
        self._lookup = lookup
        self._store = store
        self._sealer = sealer
        self._texts = texts
        self._limits = limits

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
        if await self._too_many(visit, phone):
            return self._asked(visit, {"phone": _TOO_MANY})
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
        given = "".join(c for c in visit.fields.get("code", "") if c.isdigit())
        right = at <= waiting.until and secrets.compare_digest(given.encode(), waiting.code.encode())
        locked, found = await self._store.write(
            partial(
                codes.attempt,
                subjects=self._subjects(visit, waiting.phone),
                now=at,
                look=lambda: True if right else None,
            )
        )
        if locked:
            return self._asked_code(visit, {"code": "输错次数较多，请一小时后再试，或打热线电话查询。"})
        if not found:
            return self._asked_code(visit, {"code": "验证码不对或已过期，请核对，或重新取一个。"})
        await self._proved(visit, waiting.phone)
        return seen_again("/cases")

    async def leave(self, visit: Visit) -> web.StreamResponse:
        """Forget who was here, on a machine that others use too."""
        await self._site.sessions.forget(visit.session)
        visit.become(self._site.sessions.begin(ANONYMOUS), Memory())
        return seen_again("/")

    async def _proved(self, visit: Visit, phone: str) -> None:
        sessions, before, memory = self._site.sessions, visit.session, visit.memory
        # What he reported from here before he proved who he is becomes the telephone's; the session from before is
        # nobody's. What he reported without his telephone is not joined to it, but stays in sight here.
        left = await self._office.hand_over(before.address, Address(self._texts, phone), phone)
        session = sessions.begin(PROVED)
        await self._office.bind(session.address, phone)
        await sessions.forget(before)
        shown = tuple(dict.fromkeys((*left, *memory.shown)))[:SHOWN]
        visit.become(session, Memory(form=memory.form, phone=phone, done=memory.done, shown=shown))

    async def _too_many(self, visit: Visit, phone: str) -> bool:
        """Count a code and return whether it is not sent: too many, or it could not be typed in anyway."""
        session, address = visit.session.id, self._site.gate.address(visit.request)
        over = await self._limits.over(
            Limit("code to", phone, TO_PHONE, HOUR),
            Limit("code to of a day", phone, TO_PHONE_A_DAY, DAY),
            Limit("code by", session, BY_SESSION, DAY),
            Limit("code from", address, FROM_ADDRESS, HOUR),
        )
        subjects = tuple(self._subjects(visit, phone))
        at = millis(self._site.now())
        return over or await self._store.read(partial(codes.locked, subjects=subjects, now=at))

    def _subjects(self, visit: Visit, phone: str) -> dict[bytes, int]:
        return {self._sealer.hash(f"login {each}"): codes.TRIES for each in (phone, visit.session.id)}

    def _asked(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        status = 422 if errors else 200
        return self._site.page(visit, "login.html", status, errors=errors, texts=bool(self._texts))

    def _asked_code(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        assert visit.memory.code is not None
        ending = visit.memory.code.phone[-4:]
        return self._site.page(visit, "login_code.html", 422 if errors else 200, errors=errors, ending=ending)
