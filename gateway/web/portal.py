"""The first page: what this is, how to reach us, what to do in danger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp_jinja2
from aiohttp import web

if TYPE_CHECKING:
    from bots.contract import City

ACCOUNT = "web"
"""The account under which the pages bring messages to the inbox."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add(app: web.Application, city: City) -> None:
    """Add the page and its style sheet."""

    async def home(request: web.Request) -> web.Response:
        response = aiohttp_jinja2.render_template("portal.html", request, {"city": city})
        response.headers.update(HEADERS)
        return response

    app.router.add_get("/", home)
