"""The API joined: its operations, the gate before them, its addresses added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.api.cases import Cases
from gateway.web.api.door import Door
from gateway.web.api.files import Shelf
from gateway.web.api.follows import Follows
from gateway.web.api.knowledge import Knowledge
from gateway.web.api.me import Me
from gateway.web.api.reading import Reading
from gateway.web.api.sessions import Sessions
from gateway.web.api.talk import Talk
from gateway.web.api.wechat import WeChat

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.knowledge.book import Book
    from gateway.web.portal.build import Parts


def add(app: web.Application, parts: Parts, book: Book) -> None:
    """Add the API."""
    shelf = Shelf(parts)
    rooms = (
        Sessions(parts),
        Reading(parts),
        Cases(parts, shelf),
        Follows(parts),
        shelf,
        Talk(parts),
        Me(parts),
        WeChat(parts),
        Knowledge(parts, book),
    )
    operations = tuple(each for room in rooms for each in room.operations())
    Door(sessions=parts.sessions, gate=parts.gate).add(app, operations, parts.city.name)
