"""Proving a telephone: a code goes to it, and whoever brings the code back has it (domain.md 0.10, 4.4).

Pages and apps come through here alike, so one telephone gets so many codes and no more, and wrong ones are counted once.
"""

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
from gateway.web.session import PROVED
from normalizer import case_no
from normalizer.errors import Refused
from normalizer.message import Address
from outbox.notices import OTP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.session import Session, Sessions

GOOD_MS = 300_000
"""How long a code can be typed in: five minutes (domain.md 4.4, OTP)."""
TO_PHONE, TO_PHONE_A_DAY, BY_SESSION, FROM_ADDRESS = 5, 10, 10, 60
"""Codes an hour to one telephone, a day to it, a day by one browser, an hour from one address, which many may share."""
TOO_MANY, LOCKED, WRONG = "too_many_codes", "locked", "wrong_code"


class Proof:
    """Sends codes and takes them back; ``texts`` is the account that they go by, empty where there is none."""

    def __init__(
        self,
        *,
        office: Office,
        limits: Limits,
        store: Store,
        sealer: Sealer,
        sessions: Sessions,
        texts: str,
        now: Callable[[], datetime],
    ) -> None:
        self._office = office
        self._limits = limits
        self._store = store
        self._sealer = sealer
        self._sessions = sessions
        self._now = now
        self.texts = texts

    async def send(self, phone: str, session: Session, address: str) -> Code:
        """Send a code to a telephone (11 digits) and return it, to be kept; raises Refused (TOO_MANY)."""
        if await self._too_many(phone, session, address):
            raise Refused(TOO_MANY)
        code = case_no.make_code(secrets.randbelow)
        await self._office.tell(Address(self.texts, phone), OTP, say("zh", "sms_code", code=code))
        return Code(phone, code, millis(self._now()) + GOOD_MS)

    async def prove(
        self, session: Session, memory: Memory, waiting: Code, given: str
    ) -> tuple[Session, Memory]:
        """Return the new session of whoever brought the right code, with its memory; raises Refused (LOCKED, WRONG)."""
        at = millis(self._now())
        right = at <= waiting.until and secrets.compare_digest(given.encode(), waiting.code.encode())
        locked, found = await self._store.write(
            partial(
                codes.attempt,
                subjects=self._subjects(waiting.phone, session),
                now=at,
                look=lambda: right or None,
            )
        )
        if locked:
            raise Refused(LOCKED)
        if not found:
            raise Refused(WRONG)
        return await self._proved(session, memory, waiting.phone)

    async def _proved(self, before: Session, memory: Memory, phone: str) -> tuple[Session, Memory]:
        # What he reported from here before he proved who he is becomes the telephone's; the session from before is
        # nobody's. What he reported without his telephone is not joined to it, but stays in sight here.
        left = await self._office.hand_over(before.address, Address(self.texts, phone), phone)
        session = replace(self._sessions.begin(PROVED), person=before.person)
        await self._office.bind(session.address, phone)
        await self._sessions.forget(before)
        shown = tuple(dict.fromkeys((*left, *memory.shown)))[:SHOWN]
        return session, Memory(
            form=memory.form, phone=phone, done=memory.done, shown=shown, person=before.person
        )

    async def _too_many(self, phone: str, session: Session, address: str) -> bool:
        """Count a code and return whether it is not sent: too many, or it could not be typed in anyway."""
        subjects, at = tuple(self._subjects(phone, session)), millis(self._now())
        if await self._store.read(partial(codes.locked, subjects=subjects, now=at)):
            return True
        return await self._limits.over(
            Limit("code to", phone, TO_PHONE, HOUR),
            Limit("code to of a day", phone, TO_PHONE_A_DAY, DAY),
            Limit("code by", session.id, BY_SESSION, DAY),
            Limit("code from", address, FROM_ADDRESS, HOUR),
        )

    def _subjects(self, phone: str, session: Session) -> dict[bytes, int]:
        return {self._sealer.hash(f"login {each}"): codes.TRIES for each in (phone, session.id)}
