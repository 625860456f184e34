"""The newcomer's page: a phone in the browser, and beside it the cases as they arise and move."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp_jinja2
from aiohttp import web

from gateway.sandbox.outgoing import shown
from gateway.sandbox.platform import Fault
from gateway.sandbox.weather import KINDS, Weather

if TYPE_CHECKING:
    from gateway.sandbox.driver import Driver
    from gateway.sandbox.ismg.carrier import Carrier
    from gateway.sandbox.kf import Kf
    from gateway.sandbox.platform import Person, Platform
    from gateway.sandbox.post.office import Post

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
CITIZENS = (
    ("oZhangAyi", "张阿姨", "13805380001", "zhang@citizen.example"),
    ("oLiXiansheng", "李先生", "13805380002", "li@citizen.example"),
    ("oWangNvshi", "王女士", "13805380003", "wang@citizen.example"),
    ("oZhaoShifu", "赵师傅", "13805380004", "zhao@citizen.example"),
)
"""Each with an openid, a name, a telephone and an address."""
BUTTONS = (
    ("pic_sysphoto", "拍照"),
    ("pic_photo_or_album", "拍照或相册"),
    ("location_select", "选位置"),
)
"""Buttons of a menu that bring photos or a place."""
MENU = (("REPORT", "反映问题"), ("PROGRESS", "查进度"), ("HUMAN", "转人工"))
LOOK = 1.0
"""Seconds after which the page looks again even when nothing was said."""

SUBJECT = 16
WORDS = 2000
"""Characters that stand for a subject that was left out, and those of one message that the page takes."""

Cases = Callable[[], Awaitable[list[dict[str, Any]]]]
Advance = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who may log in at the desk: what he is called there, and his password."""

    title: str
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class World:
    """What is played besides WeChat and shown beside the phone; each part may be missing."""

    cases: Cases | None = None
    advance: Advance | None = None
    carrier: Carrier | None = None
    post: Post | None = None
    kf: Kf | None = None
    desk: Callable[[], str] | None = None
    """Where the desk is, empty while it is not there."""
    staff: Sequence[Staff] = ()

    def watch(self, told: Callable[[], None]) -> None:
        """Have a change told."""
        for part in (self.carrier, self.post, self.kf):
            if part is not None:
                part.watchers.add(told)

    def leave(self, told: Callable[[], None]) -> None:
        """Have nothing told any more."""
        for part in (self.carrier, self.post, self.kf):
            if part is not None:
                part.watchers.discard(told)


class Home:
    """The page and what it asks for."""

    def __init__(self, platform: Platform, driver: Driver, world: World) -> None:
        self._platform = platform
        self._driver = driver
        self._world = world
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closing = False
        for openid, name, _, _ in CITIZENS:
            platform.person(openid, name)
            if world.kf is not None:
                world.kf.person(openid, name)

    def add(self, app: web.Application) -> None:
        """Add the page, its files and the administration of the stand-in."""
        app.on_shutdown.append(self._close)
        router = app.router
        router.add_get("/", self._page)
        router.add_static("/static", Path(__file__).with_name("static"))
        router.add_get("/_sim/state", self._state)
        router.add_get("/_sim/events", self._events)
        router.add_post("/_sim/say", self._say)
        router.add_post("/_sim/act", self._act)
        router.add_post("/_sim/show", self._show)
        router.add_post("/_sim/stand", self._stand)
        router.add_post("/_sim/scan", self._scan)
        router.add_post("/_sim/text", self._text)
        router.add_post("/_sim/mail", self._mail)
        router.add_post("/_sim/advance", self._step)
        router.add_post("/_sim/platform", self._change)

    async def _page(self, request: web.Request) -> web.Response:
        world = self._world
        context = {
            "citizens": CITIZENS,
            "menu": MENU,
            "buttons": BUTTONS,
            "advance": world.advance is not None,
            "phones": world.carrier is not None,
            "mailboxes": world.post is not None,
            "kf": world.kf is not None,
            "desk": world.desk() if world.desk else "",
            "staff": world.staff,
        }
        response = aiohttp_jinja2.render_template("home.html", request, context)
        response.headers.update(HEADERS)
        return response

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(await self._seen(), headers={"Cache-Control": "no-store"})

    async def _seen(self) -> dict[str, Any]:
        world = self._world
        return {
            "people": [_shown(person, self._platform.clock()) for person in self._platform.people.values()],
            "phones": world.carrier.shown()["phones"] if world.carrier else [],
            "mailboxes": world.post.shown()["citizens"] if world.post else [],
            "kf": world.kf.shown() if world.kf else [],
            "counts": dict(self._platform.counts),
            "cases": await world.cases() if world.cases else [],
        }

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        changed = asyncio.Event()
        self._platform.watchers.add(changed.set)
        self._world.watch(changed.set)
        last = ""
        try:
            while not self._closing:
                now = json.dumps(await self._seen(), ensure_ascii=False)
                if now != last:
                    await response.write(f"data: {now}\n\n".encode())
                    last = now
                changed.clear()
                try:
                    async with asyncio.timeout(LOOK):
                        await changed.wait()
                except TimeoutError:
                    pass
        except ConnectionError:
            pass
        finally:
            self._platform.watchers.discard(changed.set)
            self._world.leave(changed.set)
        return response

    async def _close(self, app: web.Application) -> None:
        """Let go of the pages that watch, so that a stop waits for none of them."""
        self._closing = True
        for watcher in tuple(self._platform.watchers):
            watcher()

    async def _say(self, request: web.Request) -> web.Response:
        given = await request.json()
        text = str(given.get("text", ""))[:WORDS]
        return self._begin(self._driver.write(self._who(given), text))

    async def _act(self, request: web.Request) -> web.Response:
        given = await request.json()
        return self._begin(self._driver.act(self._who(given), str(given["event"]), str(given.get("key", ""))))

    async def _show(self, request: web.Request) -> web.Response:
        """Let a citizen show the file that is the body: ``kind`` is image, voice, video or shortvideo."""
        kind, content = request.query["kind"], await request.read()
        person = self._platform.person(request.query["openid"])
        return self._begin(self._driver.show(person, kind, content, request.content_type))

    async def _stand(self, request: web.Request) -> web.Response:
        given = await request.json()
        lon, lat, label = float(given["lon"]), float(given["lat"]), str(given.get("label", ""))
        return self._begin(self._driver.stand(self._who(given), lon, lat, label))

    async def _scan(self, request: web.Request) -> web.Response:
        given = await request.json()
        return self._begin(self._driver.scan(self._who(given), str(given["scene"])))

    async def _text(self, request: web.Request) -> web.Response:
        if self._world.carrier is None:
            raise web.HTTPNotFound
        given = await request.json()
        self._world.carrier.say(str(given["phone"]), str(given["text"])[:WORDS])
        return web.json_response({"taken": True}, status=202)

    async def _mail(self, request: web.Request) -> web.Response:
        """Let a citizen write; without a subject it answers the hotline's last letter."""
        post = self._world.post
        if post is None:
            raise web.HTTPNotFound
        given = await request.json()
        citizen, subject, text = str(given["address"]), str(given.get("subject", "")), str(given["text"])
        came = [mail for mail in post.mails(citizen) if mail.who == "service"]
        answered = came[-1] if came and not subject else None
        subject = f"回复：{answered.subject}" if answered else subject or text[:SUBJECT]
        return self._begin(post.write(citizen, subject[:200], text[:WORDS], answered))

    async def _step(self, request: web.Request) -> web.Response:
        if self._world.advance is None:
            raise web.HTTPNotFound
        given = await request.json()
        return web.json_response({"said": await self._world.advance(str(given["case_no"]))})

    async def _change(self, request: web.Request) -> web.Response:
        """Administration: rotate, expire, faults, the callback's address, the addresses let in."""
        given = await request.json()
        platform = self._platform
        match given.get("do"):
            case "rotate":
                platform.rotate()
            case "expire":
                platform.expire()
            case "fault":
                fault = Fault(
                    str(given["kind"]), int(given.get("code", 0)), deliver=bool(given.get("deliver"))
                )
                queue = platform.faults.setdefault(str(given["path"]), deque())
                queue.append(fault)
            case "weather":
                rate, seed = float(given.get("rate", 0.0)), int(given.get("seed", 0))
                kinds = tuple(map(str, given.get("kinds", KINDS)))
                platform.weather = Weather(rate, seed=seed, kinds=kinds).fault
            case "quota":
                path = str(given["path"])
                platform.calls.daily |= {path: int(given["day"])} if "day" in given else {}
                platform.calls.a_minute |= {path: int(given["minute"])} if "minute" in given else {}
            case "callback":
                platform.settings.callback_url = str(given["url"])
            case "allow":
                platform.allowed_ips = frozenset(given["ips"]) if given.get("ips") is not None else None
            case _:
                raise web.HTTPBadRequest(
                    text="do: rotate, expire, fault, weather, quota, callback or allow\n"
                )
        return web.json_response({"done": True})

    def _who(self, given: dict[str, Any]) -> Person:
        return self._platform.person(str(given["openid"]))

    def _begin(self, work: Any) -> web.Response:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({"taken": True}, status=202)


def _shown(person: Person, now: float) -> dict[str, Any]:
    return {
        "openid": person.openid,
        "name": person.name,
        "following": person.following,
        "left": person.window_left if person.window_until > now else 0,
        "lines": [shown(line) for line in person.lines],
    }
