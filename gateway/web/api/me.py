"""One's own data: see, correct, ask for deletion, take away (PIPL 44-47)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.web.api.models import Corrected, CorrectionIn, DeletionIn, Export, MyData, WishOut
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, invalid
from gateway.web.api.sessions import local
from gateway.web.portal.build import own_of
from gateway.web.portal.own import NOTHING_OPEN
from normalizer.errors import Refused
from normalizer.people import mask_phone, valid_phone
from normalizer.text import clean

if TYPE_CHECKING:
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts


class Me:
    """The operations of one's own data."""

    def __init__(self, parts: Parts) -> None:
        self._own = own_of(parts)

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        many = HTTPStatus.TOO_MANY_REQUESTS
        return (
            Operation("GET", "/me", "show_me", "我的信息", self.show, {HTTPStatus.OK: MyData}),
            Operation("GET", "/me/data", "export_me", "下载我的全部信息", self.data, {HTTPStatus.OK: Export}, problems=(many,)),
            Operation(
                "POST", "/me/corrections", "correct_me", "更正称呼或电话", self.correct, {HTTPStatus.OK: Corrected},
                body=CorrectionIn, problems=(HTTPStatus.CONFLICT, many),
            ),
            Operation(
                "POST", "/me/deletion", "delete_me", "申请删除信息", self.delete, {HTTPStatus.ACCEPTED: None},
                body=DeletionIn, problems=(many,),
            ),
        )  # fmt: skip

    async def show(self, call: Call) -> Reply:
        """Return what is kept, masked."""
        kept, phone = await self._own.kept(call.session), call.memory.phone
        wishes = await self._own.requests(call.session)
        return Reply(
            MyData(
                phone=mask_phone(phone) if phone else None,
                cases=kept.count,
                open=kept.open,
                names=kept.names,
                phones=kept.phones,
                organizations=kept.firms,
                wishes=tuple(WishOut(kind=kind, state=state, at=local(at)) for kind, state, at in wishes),
            )
        )

    async def data(self, call: Call) -> Reply:
        """Return everything."""
        try:
            return Reply(Export.model_validate(await self._own.data(call.session, call.memory)))
        except Refused as refused:
            raise _wrong(refused) from refused

    async def correct(self, call: Call, body: CorrectionIn) -> Reply:
        """Take a right name or another telephone."""
        name, phone = clean(body.name), valid_phone(body.phone) or ""
        if body.phone and not phone:
            raise invalid("/phone", "这个号码好像不对，手机号是11位，座机请带区号。")
        if not name and not phone:
            raise invalid("/name", "请写要改成什么。")
        try:
            settled = await self._own.correct(call.session, call.memory, name, phone)
        except Refused as refused:
            raise _wrong(refused) from refused
        return Reply(Corrected(settled=settled))

    async def delete(self, call: Call, body: DeletionIn) -> Reply:
        """Take the wish to have everything deleted."""
        try:
            await self._own.delete(call.session, call.memory, clean(body.text))
        except Refused as refused:
            raise _wrong(refused) from refused
        return Reply(status=HTTPStatus.ACCEPTED)


def _wrong(refused: Refused) -> Wrong:
    if refused.reason == NOTHING_OPEN:
        return Wrong(HTTPStatus.CONFLICT, "nothing-open", "您没有正在办理的诉求，以后反映时写新的就可以。")
    detail = "今天操作得较多了，请明天再试，或打热线电话。"
    return Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-wishes", detail, retry_after=3600)
