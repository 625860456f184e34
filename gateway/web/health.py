"""Is it alive, can it work, and how much does it do: ``/health/live``, ``/health/ready``, ``/metrics``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sqlalchemy import Connection

    from channels.contract import Finding
    from gateway.metrics import Metrics
    from gateway.store.store import Store

PATIENCE = 2.0
"""Seconds the database may take before the service counts as not ready."""


class Health:
    """Answers the three addresses."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: Metrics,
        draining: Callable[[], bool],
        refresh: Callable[[], Awaitable[None]],
        troubles: Callable[[], Awaitable[Mapping[str, Finding]]],
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._draining = draining
        self._refresh = refresh
        self._troubles = troubles

    def add(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/metrics", self._numbers)

    async def _live(self, request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, request: web.Request) -> web.Response:
        if self._draining():
            return web.json_response({"ready": False, "reason": "stopping"}, status=503)
        try:
            await asyncio.wait_for(self._store.read(_ask), PATIENCE)
        except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
            return web.json_response({"ready": False, "reason": type(error).__name__}, status=503)
        return web.json_response({"ready": True} | await self._ill())

    async def _ill(self) -> dict[str, object]:
        """Return what stands in the way of accounts; an account that is ill makes nobody else unready."""
        try:
            found = await asyncio.wait_for(self._troubles(), PATIENCE)
        except TimeoutError:
            return {}
        told = {account: {"what": each.what, "cure": each.cure} for account, each in found.items()}
        return {"channels": told} if told else {}

    async def _numbers(self, request: web.Request) -> web.Response:
        await self._refresh()
        return web.Response(body=self._metrics.text(), headers={"Content-Type": self._metrics.content_type})


def _ask(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
