"""What is reported already, and following another's case instead of reporting it once more (domain.md 1.11).

Of another's case nothing is told but its category, the street that both name, its stage and its day. Pages and apps
come through here alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store import duplicates, follows
from gateway.web.limits import DAY, Limit
from normalizer.case import OPEN, Matter
from normalizer.codes import Kind
from normalizer.duplicates import SAME, WITHIN, common_street, likeness, sketch
from normalizer.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bots.state import Order
    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.session import Session, Sessions
    from normalizer.case import Case
    from normalizer.duplicates import Sketch
    from normalizer.message import Address

COMPARED, OFFERED, FOLLOWED = 100, 3, 50
FOLLOWS_A_DAY = 20
TOO_MANY = "too_many_follows"


@dataclass(frozen=True, slots=True)
class Like:
    """Another's case as it is offered: a token for it that means something to one session alone, and the public line."""

    token: str
    case: Case
    street: str


@dataclass(frozen=True, slots=True)
class Likes:
    """Finds what is the same matter, and keeps who follows what."""

    office: Office
    lookup: Lookup
    book: CaseBook
    store: Store
    sealer: Sealer
    sessions: Sessions
    limits: Limits
    now: Callable[[], datetime]

    async def mine(self, session: Session, order: Order) -> Case | None:
        """Return somebody's own open case that is the same matter, None for none."""
        own = await self.lookup.own(self.sessions.conversation(session))
        this = self._sketch(order)
        alike = [
            (likeness(this, sketch(case.matter, case.created_at)), case) for case in own if case.stage in OPEN
        ]
        score, case = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        return case if score >= SAME else None

    async def others(self, session: Session, order: Order) -> tuple[Like, ...]:
        """Return other people's open cases that are the same matter, the most alike first.

        Confidential ones and reports of wrongdoing are never told of, and to who reports one none is.
        """
        if not order.category or order.kind is Kind.REPORT:
            return ()
        since = millis(self.now() - WITHIN)
        near = partial(duplicates.near, category=order.category, since=since, limit=COMPARED)
        rows = await self.store.read(near)
        own = await self.lookup.own(self.sessions.conversation(session))
        mine, this = {case.case_no for case in own}, self._sketch(order)
        found: list[tuple[float, Like]] = []
        for case in map(self.book.read, rows):
            if case.secret or case.case_no in mine:
                continue
            other = sketch(case.matter, case.created_at)
            street = common_street(this, other)
            if street and (score := likeness(this, other)) >= SAME:
                found.append((score, Like(self._token(session, case.case_no), case, street)))
        found.sort(key=lambda pair: -pair[0])
        return tuple(like for _, like in found[:OFFERED])

    async def follow(self, session: Session, reach: Address, order: Order, token: str) -> None:
        """Follow a case that was offered for an order; raises NotFound when it is offered no more, Refused (TOO_MANY)."""
        like = next((each for each in await self.others(session, order) if each.token == token), None)
        if like is None:
            raise NotFound("not offered")
        if await self.limits.over(Limit("follow", session.id, FOLLOWS_A_DAY, DAY)):
            raise Refused(TOO_MANY)
        await self.office.follow(reach, like.case.case_no)

    async def unfollow(self, session: Session, token: str) -> bool:
        """Follow a case no more; False when it was not followed."""
        like = next((each for each in await self.followed(session) if each.token == token), None)
        if like is None:
            return False
        conversation = self.sessions.conversation(session)
        await self.store.write(partial(follows.remove, case_no=like.case.case_no, conversation=conversation))
        return True

    async def followed(self, session: Session) -> tuple[Like, ...]:
        """Return what somebody follows; what became confidential since is told of no more."""
        conversation = self.sessions.conversation(session)
        rows = await self.store.read(partial(follows.followed, conversation=conversation, limit=FOLLOWED))
        cases = [case for case in map(self.book.read, rows) if not case.secret]
        return tuple(Like(self._token(session, case.case_no), case, "") for case in cases)

    def _token(self, session: Session, number: str) -> str:
        return self.sealer.hash(f"like {session.id} {number}").hex()[:32]

    def _sketch(self, order: Order) -> Sketch:
        matter = Matter(
            original=order.text,
            place_text=order.place,
            category=order.category,
            lon=order.lon,
            lat=order.lat,
        )
        return sketch(matter, self.now())
