"""The way from a request to an operation and back: session, limits, body, problems."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from gateway.store.rows import Conflict
from gateway.web.api import wire
from gateway.web.api.document import VISIBLE, document
from gateway.web.api.operations import CSRF, MARKED, PREFIX, SAFE, Call, Operation, Reply
from gateway.web.api.problems import Wrong, invalid, unknown
from gateway.web.asking import prove_there
from gateway.web.portal.memory import recall, remember
from gateway.web.session import ANONYMOUS
from normalizer.errors import Busy, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.web.gate import Gate
    from gateway.web.session import Session, Sessions

log = structlog.get_logger()

PATIENCE = 20.0
"""Seconds a request may take, its body included."""
_BEARER = "Bearer "
_VISIBLE = re.compile(VISIBLE)


class Door:
    """Answers the operations of the API."""

    def __init__(self, *, sessions: Sessions, gate: Gate) -> None:
        self._sessions = sessions
        self._gate = gate

    def add(self, app: web.Application, operations: Sequence[Operation], city: str) -> None:
        """Add the addresses of the operations, of their document, and of all that is not there."""
        by_path: dict[str, dict[str, Operation]] = {}
        for each in operations:
            by_path.setdefault(each.path, {})[each.method] = each
        for path, methods in by_path.items():
            app.router.add_route("*", PREFIX + path, self._answering(methods))
        app.router.add_route("*", "/api/{tail:.*}", self._answering(None))

        @cache
        def told() -> bytes:
            return json.dumps(document(operations, city), ensure_ascii=False).encode()

        async def describe(request: web.Request) -> web.Response:
            # Some 0.1 s of work, and few ask for it: made for the first who does, beside the loop.
            return web.Response(
                body=await asyncio.to_thread(told),
                headers=wire.HEADERS | {"Content-Type": "application/json"},
            )

        app.router.add_get("/openapi.json", describe)

    def _answering(self, methods: Mapping[str, Operation] | None) -> Any:
        async def answer(request: web.Request) -> web.Response:
            try:
                reply = await self._answer(request, methods)
                return wire.written(reply.body, reply.status)
            except Wrong as wrong:
                return wire.problem(wrong)

        return answer

    async def _answer(self, request: web.Request, methods: Mapping[str, Operation] | None) -> Reply:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._called(request, methods)
        except Refused as error:
            detail = _REFUSED.get(error.reason, "这件诉求现在不能这样操作，请看最新进展。")
            raise Wrong(HTTPStatus.CONFLICT, error.reason.replace("_", "-"), detail) from error
        except Conflict as error:
            raise Wrong(HTTPStatus.CONFLICT, "changed", "这件诉求刚刚有了变化，请再看一次。") from error
        except NotFound as error:
            raise unknown() from error
        except (Busy, TimeoutError) as error:
            busy = HTTPStatus.SERVICE_UNAVAILABLE
            raise Wrong(busy, "busy", "现在人多，请过一会儿再试。", retry_after=5) from error
        except Wrong:
            raise
        except Exception as error:
            prove_there(request, error)
            log.exception("api.failed", method=request.method)
            failed = HTTPStatus.INTERNAL_SERVER_ERROR
            raise Wrong(failed, "failed", "这一步没有办成，请再试一次或拨打热线电话。") from error

    async def _called(self, request: web.Request, methods: Mapping[str, Operation] | None) -> Reply:
        if methods is None:
            raise unknown()
        operation = methods.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            wrong = Wrong(HTTPStatus.METHOD_NOT_ALLOWED, "method", f"这里只接受 {'、'.join(methods)}。")
            wrong.headers["Allow"] = ", ".join(methods)
            raise wrong
        call = Call(request, self._session(request, operation))
        if operation.session:
            call.memory = await recall(self._sessions, call.session, self._sessions.now())
            if call.memory.ended:
                raise _no_session()
            call.session = replace(call.session, person=call.memory.person)
        reply = await operation.handler(*await self._given(call, operation))
        if call.changed:
            await remember(self._sessions, call.session, call.memory)
        return reply

    def _session(self, request: web.Request, operation: Operation) -> Session:
        """Return the session that a token or a cookie proves; raises Wrong when one is needed and there is none."""
        authorization = request.headers.get("Authorization", "")
        bearer = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else ""
        session = self._sessions.known(bearer or request.cookies.get(self._sessions.cookie, ""))
        if self._gate.over(request, session or self._sessions.begin(ANONYMOUS)):
            often = HTTPStatus.TOO_MANY_REQUESTS
            raise Wrong(often, "too-fast", "请求太快了，请过一分钟再试；急事请拨打热线电话。", retry_after=60)
        if not operation.session:
            return session or self._sessions.begin(ANONYMOUS)
        if session is None:
            raise _no_session()
        by_cookie = not bearer and request.method not in SAFE
        if by_cookie and not self._sessions.right(session, request.headers.get(CSRF, "")):
            raise Wrong(HTTPStatus.FORBIDDEN, "csrf", f"用网页会话提交时须带上 {CSRF}。")
        return session

    async def _given(self, call: Call, operation: Operation) -> list[Any]:
        """Return what the handler is called with; raises Wrong."""
        given: list[Any] = [call]
        if operation.marked:
            call.mark = call.request.headers.get(MARKED, "")
            if call.mark and not _VISIBLE.fullmatch(call.mark):
                raise invalid(MARKED, "须是 1 到 200 个可见的 ASCII 字符")
        if operation.body is not None:
            call.raw = await wire.body(call.request)
            given.append(wire.read(operation.body, call.raw))
        if operation.query is not None:
            given.append(wire.asked(operation.query, dict(call.request.query)))
        return given


def _no_session() -> Wrong:
    wrong = Wrong(HTTPStatus.UNAUTHORIZED, "no-session", f"请先 POST {PREFIX}/sessions 取得会话。")
    wrong.headers["WWW-Authenticate"] = "Bearer"
    return wrong


_REFUSED = {
    "urged_lately": "24 小时内已经催办过，承办单位已收到，请等一等再催。",
    "report_under_check": "这是举报，已在核查中，不能直接撤回。请打热线电话告诉工作人员。",
    "rated_before": "这一次办理您已经评价过了。",
    "content_too_short": "请再说详细一点，至少写八个字。",
    "contact_missing": "请留一个电话或邮箱，或者选择匿名。",
}
"""What the reasons of the state machine mean to a citizen."""
