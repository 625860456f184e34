"""The API joined: its operations, the gate before them, its addresses added."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway.pace import Pace
from gateway.web.api.cases import Cases
from gateway.web.api.door import Door
from gateway.web.api.reading import Reading
from gateway.web.api.sessions import Sessions
from gateway.web.api.talk import Talk
from gateway.web.gate import Gate

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.web.portal.build import Parts


def add(app: web.Application, parts: Parts) -> None:
    """Add the API; knowledge and uploads join here, each as a room with ``operations`` of its own."""
    settings = parts.settings
    gate = Gate(
        sessions=parts.sessions,
        clock=time.monotonic,
        proxies=settings.trusted_proxies,
        address_pace=Pace(per_second=settings.address_per_second, burst=settings.address_burst),
        session_pace=Pace(per_second=settings.session_per_second, burst=settings.session_burst),
    )
    rooms = (Sessions(parts), Reading(parts), Cases(parts), Talk(parts))
    operations = tuple(each for room in rooms for each in room.operations())
    Door(sessions=parts.sessions, gate=gate).add(app, operations, parts.city.name)
