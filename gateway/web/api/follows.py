"""Following: whether a matter is reported already, and following another's case instead of reporting it once more."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from bots import slots
from bots.contract import Facts, Moment
from bots.scene import Scene
from bots.state import Order, State
from gateway.web.api.models import Followed, FollowIn, LikeIn, LikeOut, Likes
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, unknown
from gateway.web.api.sessions import local, reach
from gateway.web.portal import form
from gateway.web.portal.build import likes_of
from normalizer.case import CITIZEN_LABELS
from normalizer.codes import CATEGORY_LABELS
from normalizer.errors import NotFound, Refused
from normalizer.evolve import evolve

if TYPE_CHECKING:
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts
    from gateway.web.portal.likes import Like


class Follows:
    """The operations of following."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._likes = likes_of(parts)

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        ok, none = HTTPStatus.OK, HTTPStatus.NO_CONTENT
        gone, many = HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS
        return (
            Operation("POST", "/likes", "find_alike", "看这件事是否已有人反映", self.alike, {ok: Likes}, body=LikeIn),
            Operation("GET", "/follows", "list_follows", "我关注的", self.listed, {ok: Followed}),
            Operation(
                "POST", "/follows", "follow", "关注别人已反映的同一件事，不再重复提交", self.follow, {none: None},
                body=FollowIn, problems=(gone, many),
            ),
            Operation(
                "DELETE", "/follows/{like}", "unfollow", "不再关注", self.unfollow, {none: None},
                problems=(HTTPStatus.NOT_FOUND,),
            ),
        )  # fmt: skip

    async def alike(self, call: Call, body: LikeIn) -> Reply:
        """Return one's own open case of the same matter, or others' cases of it."""
        order = self._order(body)
        mine = await self._likes.mine(call.session, order)
        others = () if mine else await self._likes.others(call.session, order)
        return Reply(Likes(mine=mine.case_no if mine else None, others=tuple(map(_shown, others))))

    async def listed(self, call: Call) -> Reply:
        """Return what one follows."""
        return Reply(Followed(followed=tuple(map(_shown, await self._likes.followed(call.session)))))

    async def follow(self, call: Call, body: FollowIn) -> Reply:
        """Follow a case that is offered for a matter."""
        try:
            order = self._order(body)
            await self._likes.follow(call.session, reach(self._parts, call), order, body.like)
        except NotFound as error:
            detail = "这件诉求刚刚有了变化，请再看一次，或提交您自己的诉求。"
            raise Wrong(HTTPStatus.CONFLICT, "not-offered", detail) from error
        except Refused as error:
            detail = "今天关注得较多了，请直接提交您的诉求。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-follows", detail, retry_after=3600) from error
        return Reply(status=HTTPStatus.NO_CONTENT)

    async def unfollow(self, call: Call) -> Reply:
        """Follow a case no more."""
        if not await self._likes.unfollow(call.session, call.request.match_info["like"]):
            raise unknown()
        return Reply(status=HTTPStatus.NO_CONTENT)

    def _order(self, body: LikeIn) -> Order:
        moment = Moment(self._parts.now(), self._parts.city)
        reading = form.read(body.text, moment.now)
        read = slots.absorb(Order(), reading, Scene(State(), reading, Facts(source="04"), moment, None))
        return evolve(
            read,
            category=body.category or read.category,
            kind=body.kind or read.kind,
            place=body.place or read.place,
        )


def _shown(like: Like) -> LikeOut:
    case = like.case
    return LikeOut(
        like=like.token,
        category=CATEGORY_LABELS.get(case.matter.category, "诉求"),
        street=like.street or None,
        status=CITIZEN_LABELS[case.stage],
        day=local(case.created_at).date(),
    )
