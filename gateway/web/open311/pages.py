"""The addresses below ``/open311/v2/``: Open311 GeoReport v2, and service request updates (desk-and-open311.md 2).

One handler takes every path and every method, so that whatever is wrong is answered in the protocol's own way and in
the format that was asked for.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import structlog
from aiohttp import web

from gateway.web.asking import prove_there
from gateway.web.open311.faults import BAD, BUSY, LARGE, METHOD, OFTEN, UNKNOWN, Faulty, faulty
from gateway.web.open311.photos import Sent
from gateway.web.open311.requests import form_from, form_of
from gateway.web.open311.wire import TYPES, Answer, Many, Row, write
from normalizer.errors import Busy, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import MultipartReader

    from gateway.settings import Open311
    from gateway.web.open311.desk import Desk
    from gateway.web.open311.requests import Form
    from gateway.web.open311.services import Services

log = structlog.get_logger()

PREFIX = "/open311/v2"
LARGEST = 128 * 1024
"""Bytes of a form; 4,000 Chinese characters take 36,000."""
PATIENCE, FILES_PATIENCE = 20.0, 300.0
"""Seconds a form may take to come, without and with files, and a request to be answered."""
CHANGESET = "2026-11-25T00:00:00+08:00"
"""When the list of services and what is known of the endpoint last changed."""
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_FORM, _FILES = "application/x-www-form-urlencoded", "multipart/form-data"
_CODE = r"(?P<code>[^/]{1,100})"


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it came: its parameters, the bytes that make it itself, and the files with it."""

    request: web.Request
    form: Form
    raw: bytes
    sent: Sent


class Pages:
    """Answers Open311 clients; ``over`` counts a request and says whether its address has made too many."""

    def __init__(
        self,
        settings: Open311,
        public_url: str,
        services: Services,
        desk: Desk,
        over: Callable[[web.Request], bool],
    ) -> None:
        self._settings = settings
        self._public_url = public_url.rstrip("/")
        self._services = services
        self._desk = desk
        self._over = over
        paths: dict[str, dict[str, Callable[..., Awaitable[Answer]]]] = {
            "discovery": {"GET": self._discovery},
            "services": {"GET": self._listed},
            f"services/{_CODE}": {"GET": self._definition},
            "requests": {"GET": self._requests, "POST": self._open},
            f"requests/{_CODE}": {"GET": self._request},
            f"tokens/{_CODE}": {"GET": self._token},
            "servicerequestupdates": {"GET": self._updates, "POST": self._update},
        }
        self._paths = {re.compile(path): verbs for path, verbs in paths.items()}

    def add(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_route("*", f"{PREFIX}{{tail:(/.*)?}}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        name, _, fmt = request.match_info["tail"].strip("/").rpartition(".")
        known = fmt in TYPES
        if not known:
            fmt = "json" if "json" in request.headers.get("Accept", "") else "xml"
        try:
            if not known:
                raise faulty(UNKNOWN, "没有这个地址；地址须以 .xml 或 .json 结尾")
            answer = await self._routed(request, name)
            return _written(await asyncio.to_thread(write, answer, fmt), fmt)
        except Faulty as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            return _written(write(error.answer(), fmt), fmt, error.status, headers)

    async def _routed(self, request: web.Request, name: str) -> Answer:
        try:
            async with asyncio.timeout(FILES_PATIENCE if request.content_type == _FILES else PATIENCE):
                return await self._called(request, name)
        except Refused as error:
            raise faulty(
                BAD, _REFUSED.get(error.reason, f"工单现在不能这样办理（{error.reason}）")
            ) from error
        except NotFound as error:
            raise faulty(UNKNOWN, "没有这个工单，或者不能公开") from error
        except (Busy, TimeoutError) as error:
            raise faulty(BUSY, "系统繁忙，请稍后再试", retry_after=5) from error
        except Faulty:
            raise
        except Exception as error:
            prove_there(request, error)
            log.exception("open311.failed", path=name.partition("/")[0])
            raise faulty(BUSY, "系统暂时不可用，请稍后再试", retry_after=60) from error

    async def _called(self, request: web.Request, name: str) -> Answer:
        if self._over(request):
            raise faulty(OFTEN, "请求过于频繁，请一分钟后再试", retry_after=60)
        for pattern, verbs in self._paths.items():
            if (found := pattern.fullmatch(name)) is None:
                continue
            method = "GET" if request.method == "HEAD" else request.method
            if method not in verbs:
                raise faulty(METHOD, f"这个地址只接受 {'、'.join(verbs)}")
            came = await self._came(request, method)
            self._of_here(came.form)
            return await verbs[method](came, **found.groupdict())
        raise faulty(UNKNOWN, "没有这个地址")

    async def _came(self, request: web.Request, method: str) -> Came:
        """Return what a request brings; raises Faulty."""
        if method == "POST" and request.content_type == _FILES:
            sent = await self._desk.read(await _parts(request), LARGEST)
            # Which files came with it is a part of what was said.
            said = [*sent.pairs, *(("file", each.sha256) for each in sent.files)]
            return Came(request, form_from(sent.pairs), urlencode(said).encode(), sent)
        raw = await _body(request) if method == "POST" else request.rel_url.raw_query_string.encode()
        return Came(request, form_of(raw), raw, Sent())

    def _of_here(self, form: Form) -> None:
        ours, given = self._settings.jurisdiction, form.text("jurisdiction_id")
        if ours and given and given != ours:
            raise faulty(UNKNOWN, "没有这个 jurisdiction_id")

    async def _discovery(self, came: Came) -> Answer:
        base = self._public_url or str(came.request.url.origin())
        endpoint: Row = {
            "specification": SPECIFICATION,
            "url": f"{base}{PREFIX}",
            "changeset": CHANGESET,
            "type": self._settings.endpoint_type,
            "formats": Many("format", [kind.partition(";")[0] for kind in TYPES.values()]),
        }
        contact = self._settings.contact or None
        return Answer(
            "discovery",
            {
                "changeset": CHANGESET,
                "contact": contact,
                "key_service": contact,
                "endpoints": Many("endpoint", [endpoint]),
            },
        )

    async def _listed(self, came: Came) -> Answer:
        return self._services.listed()

    async def _definition(self, came: Came, code: str) -> Answer:
        return self._services.definition(code)

    async def _requests(self, came: Came) -> Answer:
        return await self._desk.requests(came.form)

    async def _request(self, came: Came, code: str) -> Answer:
        return await self._desk.request(code, came.form)

    async def _token(self, came: Came, code: str) -> Answer:
        return await self._desk.token(code)

    async def _updates(self, came: Came) -> Answer:
        return await self._desk.updates(came.form)

    async def _open(self, came: Came) -> Answer:
        return await self._desk.open(
            came.form, came.raw, came.request.headers.get("Idempotency-Key", ""), came.sent
        )

    async def _update(self, came: Came) -> Answer:
        return await self._desk.update(came.form, came.sent)


async def _parts(request: web.Request) -> MultipartReader:
    try:
        return await request.multipart()
    except (AssertionError, ValueError) as error:
        raise faulty(BAD, "请求体不是正确的 multipart/form-data") from error


async def _body(request: web.Request) -> bytes:
    """Return a form's bytes as they came; raises Faulty for what is no form, too large or not UTF-8."""
    if request.content_type != _FORM:
        raise faulty(BAD, f"请求体须是 {_FORM}; charset=utf-8，带文件时是 {_FILES}")
    if (request.charset or "utf-8").lower().replace("-", "") != "utf8":
        raise faulty(BAD, "请求体须是 UTF-8 编码")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST:
            raise faulty(LARGE, f"请求体最多 {LARGEST // 1024} KiB")
    return bytes(raw)


def _written(body: bytes, fmt: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    safe = {"Content-Type": TYPES[fmt], "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    # Anybody's page may read what is public; whoever posts proves himself by his key, never by a cookie.
    safe["Access-Control-Allow-Origin"] = "*"
    return web.Response(body=body, status=status, headers=safe | (headers or {}))


_REFUSED = {
    "content_too_short": "description 请用中文写清楚发生了什么事，至少 8 个字",
    "not_now": "工单现在的状态不能补充",
    "ended": "工单已经结束，不能再补充；有新情况请重新提交",
    "not_yours": "这个密钥不能这样办理",
    "not_your_case": "这件工单不由贵单位办理",
}
"""What the reasons of the state machine mean to whoever wrote."""
