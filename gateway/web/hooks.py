"""The addresses that providers call: ``/channels/{account}``, routed to the account's own adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Channel, Take

WAYS: web.AppKey[dict[str, Take]] = web.AppKey("ways")
"""How calls are taken without a request, by path."""


def add(app: web.Application, channels: Mapping[str, Channel]) -> None:
    """Add every account's routes; an unknown account gets 404."""
    ways = app[WAYS] = {}
    for account, channel in channels.items():
        for route in channel.routes():
            path = f"/channels/{account}{route.path}"
            app.router.add_route(route.method, path, route.handler)
            if route.take is not None:
                ways[path] = route.take
    app.router.add_route("*", "/channels/{account}", _unknown)


async def _unknown(request: web.Request) -> web.Response:
    return web.Response(status=404, text="no such account\n")
