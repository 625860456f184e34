"""Proving a telephone: a code goes to it, and whoever brings the code back has it (domain.md 0.10, 4.4).

Pages and apps come through here alike, so one telephone gets so many codes and no more, and wrong ones are counted once.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from bots.words import say
from gateway.pace import Pace
from gateway.runtime import millis
from gateway.store import codes
from gateway.web.portal.memory import Code, Memory
from gateway.web.session import PROVED
from normalizer import case_no
from normalizer.errors import Refused
from normalizer.message import Address
from outbox.notices import OTP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.session import Session, Sessions

GOOD_MS = 300_000
"""How long a code can be typed in: five minutes (domain.md 4.4, OTP)."""
AN_HOUR, AT_ONCE = 5 / 3600, 3
"""Codes to one telephone: three at once, then five an hour."""
TOO_MANY, LOCKED, WRONG = "too_many_codes", "locked", "wrong_code"


class Proof:
    """Sends codes and takes them back; ``texts`` is the account that they go by, empty where there is none."""

    def __init__(
        self,
        *,
        office: Office,
        lookup: Lookup,
        store: Store,
        sealer: Sealer,
        sessions: Sessions,
        texts: str,
        now: Callable[[], datetime],
    ) -> None:
        self._office = office
        self._lookup = lookup
        self._store = store
        self._sealer = sealer
        self._sessions = sessions
        self._now = now
        self._pace = Pace(per_second=AN_HOUR, burst=AT_ONCE)
        self.texts = texts

    async def send(self, phone: str) -> Code:
        """Send a code to a telephone (11 digits) and return it, to be kept; raises Refused (TOO_MANY)."""
        if self._pace.over(phone.encode(), self._now().timestamp()):
            raise Refused(TOO_MANY)
        code = case_no.make_code(secrets.randbelow)
        await self._office.tell(Address(self.texts, phone), OTP, say("zh", "sms_code", code=code))
        return Code(phone, code, millis(self._now()) + GOOD_MS)

    async def prove(
        self, session: Session, memory: Memory, waiting: Code, given: str
    ) -> tuple[Session, Memory]:
        """Return the new session of whoever brought the right code, with its memory; raises Refused (LOCKED, WRONG)."""
        at = millis(self._now())
        subjects = tuple(self._sealer.hash(f"login {each}") for each in (waiting.phone, session.id))
        if await self._store.read(partial(codes.locked, subjects=subjects, now=at)):
            raise Refused(LOCKED)
        right = secrets.compare_digest(given.encode(), waiting.code.encode())
        if at > waiting.until or not right:
            await self._store.write(partial(codes.wrong, subjects=subjects, now=at))
            raise Refused(WRONG)
        return await self._proved(session, memory, waiting.phone)

    async def _proved(self, before: Session, memory: Memory, phone: str) -> tuple[Session, Memory]:
        own = await self._lookup.own(self._sessions.conversation(before))
        if any(case.complainant.phone == phone for case in own):
            # He reported from here before he proved who he is.
            await self._office.bind(before.address, phone)
        session = self._sessions.begin(PROVED)
        await self._office.bind(session.address, phone)
        await self._sessions.forget(before)
        return session, Memory(form=memory.form, phone=phone, done=memory.done)
