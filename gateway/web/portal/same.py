"""已有人反映: before a matter is submitted, whether it is reported already, and following it instead (domain.md 1.11).

Of another's case nothing is told but its category, the street that both name, its stage and its day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gateway.runtime import millis
from gateway.store import duplicates, follows
from gateway.web.limits import DAY, Limit
from gateway.web.portal.site import seen_again
from normalizer.case import OPEN, Matter
from normalizer.codes import Kind
from normalizer.duplicates import SAME, WITHIN, common_street, likeness, sketch

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bots.state import Order
    from gateway.cases.book import CaseBook
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.portal.site import Site, Visit
    from normalizer.case import Case
    from normalizer.duplicates import Sketch
    from normalizer.message import Address

COMPARED, OFFERED, FOLLOWED = 100, 3, 50
FOLLOWS_A_DAY = 20


@dataclass(frozen=True, slots=True)
class Like:
    """Another's case as it is offered: a token for it that means something to one session alone, and the public line."""

    token: str
    case: Case
    street: str


@dataclass(frozen=True, slots=True)
class Same:
    """Finds what is the same matter, and the pages of what somebody follows."""

    site: Site
    office: Office
    lookup: Lookup
    book: CaseBook
    store: Store
    sealer: Sealer
    limits: Limits
    reach: Callable[[Visit], Address]

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/followed", self.followed)
        self.site.add(app, "POST", "/follow", self.follow)
        self.site.add(app, "POST", "/unfollow", self.unfollow)

    async def mine(self, visit: Visit, order: Order) -> Case | None:
        """Return somebody's own open case that is the same matter, None for none."""
        own = await self.lookup.own(self.site.sessions.conversation(visit.session))
        this = self._sketch(order)
        alike = [
            (likeness(this, sketch(case.matter, case.created_at)), case) for case in own if case.stage in OPEN
        ]
        score, case = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        return case if score >= SAME else None

    async def others(self, visit: Visit, order: Order) -> tuple[Like, ...]:
        """Return other people's open cases that are the same matter, the most alike first.

        Confidential ones and reports of wrongdoing are never told of, and to who reports one none is.
        """
        if not order.category or order.kind is Kind.REPORT:
            return ()
        since = millis(self.site.now() - WITHIN)
        near = partial(duplicates.near, category=order.category, since=since, limit=COMPARED)
        rows = await self.store.read(near)
        own = await self.lookup.own(self.site.sessions.conversation(visit.session))
        mine, this = {case.case_no for case in own}, self._sketch(order)
        found: list[tuple[float, Like]] = []
        for case in map(self.book.read, rows):
            if case.secret or case.case_no in mine:
                continue
            other = sketch(case.matter, case.created_at)
            street = common_street(this, other)
            if street and (score := likeness(this, other)) >= SAME:
                found.append((score, Like(self._token(visit, case.case_no), case, street)))
        found.sort(key=lambda pair: -pair[0])
        return tuple(like for _, like in found[:OFFERED])

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Follow another's case instead of reporting the matter once more; the form is dropped."""
        form = visit.memory.form
        offered = await self.others(visit, form.order) if form is not None else ()
        like = next((each for each in offered if each.token == visit.fields.get("like")), None)
        if like is None:
            return self.site.message(
                visit, "没有办成", "这件诉求刚刚有了变化，请回去核对后提交您自己的诉求。", 409
            )
        if await self.limits.over(Limit("follow", visit.session.id, FOLLOWS_A_DAY, DAY)):
            return self.site.message(visit, "请稍等", "今天关注得较多了，请直接提交您的诉求。", 429)
        await self.office.follow(self.reach(visit), like.case.case_no)
        visit.keep(replace(visit.memory, form=None))
        return seen_again("/followed")

    async def unfollow(self, visit: Visit) -> web.StreamResponse:
        """Follow a case no more."""
        given = visit.fields.get("like")
        conversation = self.site.sessions.conversation(visit.session)
        for case in await self._followed(visit):
            if self._token(visit, case.case_no) == given:
                remove = partial(follows.remove, case_no=case.case_no, conversation=conversation)
                await self.store.write(remove)
        return seen_again("/followed")

    async def followed(self, visit: Visit) -> web.StreamResponse:
        """Show what somebody follows: category, stage and day."""
        likes = [Like(self._token(visit, case.case_no), case, "") for case in await self._followed(visit)]
        return self.site.page(visit, "followed.html", likes=likes, open_stages=OPEN)

    async def _followed(self, visit: Visit) -> tuple[Case, ...]:
        conversation = self.site.sessions.conversation(visit.session)
        rows = await self.store.read(partial(follows.followed, conversation=conversation, limit=FOLLOWED))
        # What became confidential since is told of no more.
        return tuple(case for case in map(self.book.read, rows) if not case.secret)

    def _token(self, visit: Visit, number: str) -> str:
        return self.sealer.hash(f"like {visit.session.id} {number}").hex()[:32]

    def _sketch(self, order: Order) -> Sketch:
        matter = Matter(
            original=order.text,
            place_text=order.place,
            category=order.category,
            lon=order.lon,
            lat=order.lat,
        )
        return sketch(matter, self.site.now())
