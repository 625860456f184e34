"""The menu's buttons that let a person take photos, choose some, or show a place (the platform's page on menus).

Each brings an event and, apart from it, the messages that it speaks of; which of them comes first is not promised
(wechat.md 2.9).
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sandbox.driver import Driver
    from gateway.sandbox.platform import Person, Platform

PHOTOS = frozenset({"pic_sysphoto", "pic_photo_or_album", "pic_weixin"})
PLACE = "location_select"
SCALE = 15


class Buttons:
    """Does what the buttons do; ``late`` lets the event come after the messages."""

    def __init__(self, platform: Platform, driver: Driver) -> None:
        self._platform = platform
        self._driver = driver
        self.late = False
        self._under_way: set[asyncio.Task[None]] = set()

    def add(self, app: web.Application) -> None:
        """Add the addresses that the page calls."""
        app.router.add_post("/_sim/menu/photos", self._show)
        app.router.add_post("/_sim/menu/place", self._stand)

    async def photos(self, person: Person, event: str, photos: Sequence[bytes], key: str = "PHOTO") -> None:
        """Let a person send photos by a button."""
        sums = "".join(
            f"<item><PicMd5Sum><![CDATA[{hashlib.md5(photo, usedforsecurity=False).hexdigest()}]]></PicMd5Sum></item>"
            for photo in photos
        )
        told = f"<SendPicsInfo><Count>{len(photos)}</Count><PicList>{sums}</PicList></SendPicsInfo>"
        shown = [
            lambda photo=photo: self._driver.show(person, "image", photo, "image/jpeg") for photo in photos
        ]
        await self._both(person, self._event(person, event, key, told), shown)

    async def place(self, person: Person, lon: float, lat: float, label: str, key: str = "PLACE") -> None:
        """Let a person show a place by a button, in degrees of Chinese maps (GCJ-02)."""
        told = (
            f"<SendLocationInfo><Location_X><![CDATA[{lat:.6f}]]></Location_X>"
            f"<Location_Y><![CDATA[{lon:.6f}]]></Location_Y><Scale><![CDATA[{SCALE}]]></Scale>"
            f"<Label><![CDATA[{label}]]></Label><Poiname><![CDATA[]]></Poiname></SendLocationInfo>"
        )
        shown = [lambda: self._driver.stand(person, lon, lat, label)]
        await self._both(person, self._event(person, PLACE, key, told), shown)

    async def _both(self, person: Person, event: str, shown: Sequence[Any]) -> None:
        if not self.late:
            await self._driver.carry(person, event)
        for show in shown:
            await show()
        if self.late:
            await self._driver.carry(person, event)

    def _event(self, person: Person, event: str, key: str, told: str) -> str:
        fields = {"MsgType": "event", "Event": event, "EventKey": key}
        return self._driver.message(person.openid, fields).replace("</xml>", f"{told}</xml>")

    async def _show(self, request: web.Request) -> web.Response:
        """Let a citizen send the photo that is the body by the button ``event``."""
        event, person = request.query["event"], self._platform.person(request.query["openid"])
        if event not in PHOTOS:
            raise web.HTTPBadRequest(text=f"event: {', '.join(sorted(PHOTOS))}\n")
        return self._begin(self.photos(person, event, [await request.read()]))

    async def _stand(self, request: web.Request) -> web.Response:
        given = await request.json()
        person = self._platform.person(str(given["openid"]))
        lon, lat, label = float(given["lon"]), float(given["lat"]), str(given.get("label", ""))
        return self._begin(self.place(person, lon, lat, label))

    def _begin(self, work: Any) -> web.Response:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({"taken": True}, status=202)
