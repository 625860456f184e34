"""An Open311 door in the test's hand: a running gateway, and what comes back from it in either format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from aiohttp import ClientSession

from gateway.whole import Gateway
from tests.kit.gateway import Hand

CITY, OTHER, UNIT = "city-app-0123456789", "other-app-0123456789", "unit-app-0123456789"
PARTNERS = {
    "cityapp": CITY,
    "other": {"key": OTHER, "source": "08", "requests_per_minute": 5, "posts_per_day": 2},
    "zjj": {"key": UNIT, "unit": "370900-zjj"},
}
WORDS = "东岳大街88号门前的地上有一个大洞，晚上看不见"
REPEATED = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
}


@dataclass
class Reply:
    """One answer: its status, its content type and its bytes."""

    status: int
    kind: str
    raw: bytes
    headers: Any

    @property
    def data(self) -> Any:
        """What it holds, as JSON gives it; XML is read by Spark's rules, written here anew."""
        if self.kind.startswith("application/json"):
            return json.loads(self.raw)
        assert self.raw.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
        return spark(fromstring(self.raw))

    @property
    def faults(self) -> list[int]:
        return [int(fault["code"]) for fault in self.data]


@dataclass
class Client:
    """Somebody who speaks Open311."""

    http: ClientSession
    base: str
    gateway: Gateway
    clock: Hand

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.ask("GET", path, params={name: str(value) for name, value in query.items()})

    async def post(
        self, path: str = "requests.json", headers: dict[str, str] | None = None, **form: Any
    ) -> Reply:
        return await self.ask("POST", path, data=form, headers=headers)

    async def ask(self, method: str, path: str, **more: Any) -> Reply:
        async with self.http.request(method, f"{self.base}/open311/v2/{path}", **more) as answer:
            kind = answer.headers["Content-Type"]
            return Reply(answer.status, kind, await answer.read(), answer.headers)

    async def reports(self, **changes: Any) -> str:
        """Post a service request and return its number."""
        headers = changes.pop("headers", None)
        reply = await self.post(headers=headers, **(report() | changes))
        assert reply.status == 200, reply.raw.decode()
        return str(reply.data[0]["service_request_id"])


def report(**changes: Any) -> dict[str, Any]:
    """Return the form of a service request."""
    form = {
        "api_key": CITY,
        "service_code": "D05",
        "lat": "36.194321",
        "long": "117.087654",
        "address_string": "东岳大街88号",
        "description": WORDS,
        "account_id": "u1",
    }
    return {name: value for name, value in (form | changes).items() if value is not None}


def spark(element: Element) -> Any:
    """Return an element as Spark says: what repeats is a list, the rest is named, all leaves are text or None."""
    if (item := REPEATED.get(element.tag)) is not None:
        assert {child.tag for child in element} <= {item}
        return [spark(child) for child in element]
    if len(element):
        return {child.tag: spark(child) for child in element}
    return element.text or None


def as_text(data: Any) -> Any:
    """Return JSON's data with its numbers and truths as XML writes them."""
    if isinstance(data, dict):
        return {name: as_text(value) for name, value in data.items()}
    if isinstance(data, list):
        return [as_text(value) for value in data]
    if isinstance(data, bool):
        return "true" if data else "false"
    return data if data is None else str(data)
