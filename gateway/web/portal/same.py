"""已有人反映: the pages of following another's case instead of reporting the same matter once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bots.state import Order
from gateway.web.portal.site import seen_again
from normalizer.case import OPEN
from normalizer.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from gateway.web.portal.likes import Likes
    from gateway.web.portal.site import Site, Visit
    from normalizer.message import Address


@dataclass(frozen=True, slots=True)
class Same:
    """The pages of what somebody follows."""

    site: Site
    likes: Likes
    reach: Callable[[Visit], Address]

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/followed", self.followed)
        self.site.add(app, "POST", "/follow", self.follow)
        self.site.add(app, "POST", "/unfollow", self.unfollow)

    async def follow(self, visit: Visit) -> web.StreamResponse:
        """Follow another's case instead of reporting the matter once more; the form is dropped."""
        order = visit.memory.form.order if visit.memory.form is not None else Order()
        try:
            await self.likes.follow(visit.session, self.reach(visit), order, visit.fields.get("like", ""))
        except NotFound:
            return self.site.message(
                visit, "没有办成", "这件诉求刚刚有了变化，请回去核对后提交您自己的诉求。", 409
            )
        except Refused:
            return self.site.message(visit, "请稍等", "今天关注得较多了，请直接提交您的诉求。", 429)
        visit.keep(replace(visit.memory, form=None))
        return seen_again("/followed")

    async def unfollow(self, visit: Visit) -> web.StreamResponse:
        """Follow a case no more."""
        await self.likes.unfollow(visit.session, visit.fields.get("like", ""))
        return seen_again("/followed")

    async def followed(self, visit: Visit) -> web.StreamResponse:
        """Show what somebody follows: category, stage and day."""
        likes = await self.likes.followed(visit.session)
        return self.site.page(visit, "followed.html", likes=likes, open_stages=OPEN)
