"""What pages and mini-programs of ours need of WeChat: templates to ask consent for, and signatures of pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from yarl import URL

from channels.contract import SendError, SignsPages, Subscribes
from gateway.web.api.models import AccountIn, PageIn, PageOut, TemplateOut, Templates
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, invalid

if TYPE_CHECKING:
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts


class WeChat:
    """The operations."""

    def __init__(self, parts: Parts) -> None:
        self._channels = parts.channels
        self._site = parts.site

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        none = (HTTPStatus.NOT_FOUND,)
        return (
            Operation(
                "GET", "/wechat/templates", "list_templates", "要请市民同意的订阅消息模板", self.templates,
                {HTTPStatus.OK: Templates}, query=AccountIn, session=False, problems=none,
            ),
            Operation(
                "GET", "/wechat/js", "sign_page", "网页使用微信功能的签名", self.page,
                {HTTPStatus.OK: PageOut}, query=PageIn, session=False, problems=none,
            ),
        )  # fmt: skip

    async def templates(self, call: Call, query: AccountIn) -> Reply:
        """Return the templates to ask consent for."""
        channel = self._channels.get(query.account)
        if not isinstance(channel, Subscribes):
            raise _no_account()
        return Reply(Templates(templates=tuple(TemplateOut(id=each) for each in channel.asked_for)))

    async def page(self, call: Call, query: PageIn) -> Reply:
        """Sign a page of our own site, and no other's."""
        channel = self._channels.get(query.account)
        if not isinstance(channel, SignsPages):
            raise _no_account()
        try:
            ours = bool(self._site) and URL(query.url).origin() == URL(self._site).origin()
        except ValueError:
            ours = False
        if not ours:
            raise invalid("/url", "只给本站的网页签名。")
        try:
            signed = await channel.page_signature(query.url)
        except SendError as error:
            detail = "微信功能暂时不可用，请过一会儿再试；页面其他功能不受影响。"
            raise Wrong(HTTPStatus.SERVICE_UNAVAILABLE, "provider-away", detail, retry_after=5) from error
        return Reply(
            PageOut(
                app_id=signed.app_id, timestamp=signed.stamp, nonce=signed.nonce, signature=signed.signature
            )
        )


def _no_account() -> Wrong:
    return Wrong(HTTPStatus.NOT_FOUND, "no-account", "这里没有这个账号，或它没有这个功能。")
