"""An app that speaks the JSON API to a running gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientSession

from gateway.whole import Gateway
from tests.kit.gateway import Hand

WORDS = "泰山区东岳大街88号门前的地上有一个大洞，晚上看不见"


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    kind: str
    raw: bytes
    headers: Any

    @property
    def data(self) -> Any:
        return json.loads(self.raw)

    @property
    def wrong(self) -> str:
        """The last word of a problem's type."""
        assert self.kind.startswith("application/problem+json")
        assert self.data["status"] == self.status
        return str(self.data["type"].rpartition(":")[2])

    @property
    def pointers(self) -> list[str]:
        return [each["pointer"] for each in self.data["errors"]]


@dataclass(frozen=True)
class App:
    """Somebody's app, with its token."""

    http: ClientSession
    base: str
    gateway: Gateway
    clock: Hand
    token: str = ""

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return await self.ask("POST", path, **({"json": body} if body is not None else {}), **more)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.base}/api/v1{path}"
        async with self.http.request(method, url, headers=given | (headers or {}), **more) as answer:
            kind = answer.headers.get("Content-Type", "")
            return Reply(answer.status, kind, await answer.read(), answer.headers)

    async def another(self) -> App:
        """Return another person's app, with a session of its own."""
        return replace(self, token=(await self.post("/sessions")).data["token"])

    async def reports(self, **changes: Any) -> str:
        """Open a case and return its number."""
        reply = await self.post("/cases", matter(**changes))
        assert reply.status in {200, 201}, reply.raw.decode()
        return str(reply.data["case_no"])


def matter(**changes: Any) -> dict[str, Any]:
    """Return a matter to be opened."""
    return {"text": WORDS, "kind": "02", "category": "D05", "phone": "13812345678", "name": "李四"} | changes
