"""The stand-in as one application: the platform's endpoints, its administration, and the newcomer's page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp_jinja2
import jinja2
from aiohttp import ClientSession, TCPConnector, web

from gateway.sandbox.api import Api
from gateway.sandbox.buttons import Buttons
from gateway.sandbox.driver import Driver
from gateway.sandbox.home import Home, World
from gateway.sandbox.media import Media
from gateway.sandbox.menu import Menu
from gateway.sandbox.notify import Notify
from gateway.sandbox.outgoing import Outgoing
from gateway.sandbox.platform import Platform, SandboxSettings
from gateway.sandbox.qyapi import QyApi
from gateway.sandbox.visitors import Visitors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LARGEST = 64 * 1024 * 1024
"""Bytes of a film that the newcomer may show."""
PLATFORM = web.AppKey("platform", Platform)
VISITORS = web.AppKey("visitors", Visitors)
MENU = web.AppKey("menu", Menu)
BUTTONS = web.AppKey("buttons", Buttons)
NOTIFY = web.AppKey("notify", Notify)
DRIVER = web.AppKey("driver", Driver)


def create_sandbox(
    settings: SandboxSettings,
    world: World | None = None,
    *,
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """Return the stand-in of WeChat with the newcomer's page, on which ``world`` is shown too."""
    app = web.Application(client_max_size=LARGEST)
    platform = app[PLATFORM] = Platform(settings, clock)
    app.on_shutdown.append(_release)
    aiohttp_jinja2.setup(app, loader=jinja2.PackageLoader("gateway.sandbox", "templates"), autoescape=True)
    api = Api(platform)
    api.add(app)
    Media(platform, api.fault).add(app)
    Outgoing(platform, api.fault).add(app, api.call)
    app[VISITORS] = Visitors(platform, api.fault)
    app[VISITORS].add(app, api.call)
    app[MENU] = Menu(platform)
    app[MENU].add(app, api)

    # The session waits for the loop, but the page's routes must stand before the application starts.
    driver = app[DRIVER] = Driver(platform)
    app[BUTTONS] = Buttons(platform, driver)
    app[BUTTONS].add(app)
    notify = app[NOTIFY] = Notify(platform, driver)
    for path in ("/cgi-bin/message/subscribe/bizsend", "/cgi-bin/message/subscribe/send"):
        app.router.add_post(path, api.call(notify.send))
    platform.told = notify.sent_template
    kf = world.kf if world else None
    if kf is not None:
        QyApi(kf).add(app)
    Home(platform, driver, world or World()).add(app)

    async def connected(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(connector=TCPConnector(limit=0)) as http:
            app[DRIVER].http = http
            if kf is not None:
                kf.http = http
            yield

    app.cleanup_ctx.append(connected)
    return app


async def _release(app: web.Application) -> None:
    app[PLATFORM].ended.set()
