"""What a message brings beside its words, in the platform's form: files, links, menus to tap, cards (wechat.md 2.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.contract import SendError, SendReason
from channels.wechat.errors import MEDIA_GONE
from channels.wechat.uploads import NotCarriedError
from normalizer.message import Part, PartKind

if TYPE_CHECKING:
    from channels.wechat.uploads import Uploads
    from normalizer.message import Card, Menu, OutboundMessage

Body = dict[str, Any]
_DEFINITE = frozenset({SendReason.CONTENT, SendReason.FORBIDDEN})
"""Refused for what it is, and not sent: the text may go out instead."""


@dataclass(frozen=True, slots=True)
class Forms:
    """How an app writes what is no file; a form that is missing is not carried. Each is given the picture's name."""

    link: Callable[[Part, str], Body] | None = None
    menu: Callable[[Menu], Body] | None = None
    card: Callable[[Card, str], Body] | None = None
    link_has_picture: bool = False


class Enclosed:
    """Sends what messages of one account bring; ``send`` hands a body to the platform and raises SendError."""

    def __init__(self, uploads: Uploads, forms: Forms) -> None:
        self._uploads = uploads
        self._forms = forms

    async def sent(self, message: OutboundMessage, send: Callable[[Body], Awaitable[Any]]) -> str:
        """Send what a message brings; return why the text must go out instead, empty when it need not.

        A file that the platform has lost is brought once more. Raises SendError.
        """
        try:
            try:
                await send(await self._body(message))
            except SendError as error:
                if f"errcode {MEDIA_GONE}" not in error.detail or (file := _file(message)) is None:
                    raise
                await self._uploads.forget(file)
                await send(await self._body(message))
        except NotCarriedError as error:
            return str(error)
        except SendError as error:
            if error.reason not in _DEFINITE:
                raise
            return str(error)
        return ""

    async def _body(self, message: OutboundMessage) -> Body:
        """Return the body of what a message brings; raises NotCarriedError, SendError."""
        forms = self._forms
        if message.menu is not None and forms.menu is not None:
            return forms.menu(message.menu)
        if message.card is not None and forms.card is not None:
            return forms.card(message.card, await self._uploads.name(_picture(message.card.blob)))
        part = message.part
        if part is not None and part.kind is PartKind.LINK and forms.link is not None:
            picture = await self._uploads.name(_picture(part.blob)) if forms.link_has_picture else ""
            return forms.link(part, picture)
        if part is not None and part.blob and part.kind is not PartKind.LINK:
            kind = self._uploads.kind(part).value
            return {"msgtype": kind, kind: {"media_id": await self._uploads.name(part)}}
        raise NotCarriedError("takes nothing of this kind")


def brings(message: OutboundMessage) -> bool:
    """Return whether a message brings more than words."""
    return message.part is not None or message.menu is not None or message.card is not None


def _file(message: OutboundMessage) -> Part | None:
    """Return the file of a message that the platform names: its own, or the picture of its card or link."""
    if message.card is not None:
        return _picture(message.card.blob)
    part = message.part
    return _picture(part.blob) if part is not None and part.kind is PartKind.LINK else part


def _picture(blob: str) -> Part:
    """Return a picture that we made ourselves, small and a JPEG; raises NotCarriedError where there is none."""
    if not blob:
        raise NotCarriedError("takes none without a picture")
    return Part(PartKind.IMAGE, mime="image/jpeg", size=MADE, blob=blob)


MADE = 1024
"""Bytes that stand for the size of a picture of ours, which is far below any limit."""


def _menu(menu: Menu) -> Body:
    choices = [{"id": key, "content": label} for key, label in menu.choices]
    inside = {"head_content": menu.head, "list": choices, "tail_content": menu.tail}
    return {"msgtype": "msgmenu", "msgmenu": inside}


def _kf_menu(menu: Menu) -> Body:
    choices = [{"type": "click", "click": {"id": key, "content": label}} for key, label in menu.choices]
    inside = {"head_content": menu.head, "list": choices, "tail_content": menu.tail}
    return {"msgtype": "msgmenu", "msgmenu": inside}


def _card(card: Card, picture: str) -> Body:
    inside = {"title": card.title, "appid": card.app_id, "pagepath": card.page, "thumb_media_id": picture}
    return {"msgtype": "miniprogrampage", "miniprogrampage": inside}


def _own_card(card: Card, picture: str) -> Body:
    inside = {"title": card.title, "pagepath": card.page, "thumb_media_id": picture}
    return {"msgtype": "miniprogrampage", "miniprogrampage": inside}


def _kf_card(card: Card, picture: str) -> Body:
    inside = {"appid": card.app_id, "title": card.title, "pagepath": card.page, "thumb_media_id": picture}
    return {"msgtype": "miniprogram", "miniprogram": inside}


def _article(part: Part, _: str) -> Body:
    article = {"title": part.text, "description": part.name, "url": part.url}
    return {"msgtype": "news", "news": {"articles": [article]}}


def _link(part: Part, _: str) -> Body:
    inside = {"title": part.text, "description": part.name, "url": part.url, "thumb_url": ""}
    return {"msgtype": "link", "link": inside}


def _kf_link(part: Part, picture: str) -> Body:
    inside = {"title": part.text, "desc": part.name, "url": part.url, "thumb_media_id": picture}
    return {"msgtype": "link", "link": inside}


PUBLIC = Forms(_article, _menu, _card)
MINIPROGRAM = Forms(_link, None, _own_card)
CUSTOMER_SERVICE = Forms(_kf_link, _kf_menu, _kf_card, link_has_picture=True)
"""What each app takes beside files (the platform's pages on customer-service messages)."""
