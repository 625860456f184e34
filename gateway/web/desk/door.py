"""The way from a request to an operation of the desk and back: session, proof of origin, rights, body, problems."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from gateway.desk.moves import Refused
from gateway.desk.rights import may
from gateway.store.rows import Conflict
from gateway.web.api import wire
from gateway.web.asking import prove_there
from gateway.web.desk.operations import CSRF, PATIENCE, PREFIX, SAFE, Call, Reply
from gateway.web.desk.problems import Wrong, invalid, refused, unknown
from normalizer.errors import Busy, InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from gateway.desk.accounts import Account
    from gateway.pace import Pace
    from gateway.web.desk.operations import Operation
    from gateway.web.desk.session import Session, Sessions
    from gateway.web.gate import Gate

log = structlog.get_logger()

_OURS = frozenset({"same-origin", "none"})


class Door:
    """Answers the operations of the desk.

    ``name_of`` finds an account by its id, for who holds a talk; ``pace`` is how fast one session may ask.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        gate: Gate,
        name_of: Callable[[bytes], Awaitable[str]],
        pace: Pace,
    ) -> None:
        self._sessions = sessions
        self._gate = gate
        self._name_of = name_of
        self._pace = pace

    def add(self, app: web.Application, operations: Sequence[Operation]) -> None:
        """Add the addresses of the operations, and of all that is not there."""
        by_path: dict[str, dict[str, Operation]] = {}
        for each in operations:
            by_path.setdefault(each.path, {})[each.method] = each
        for path, methods in by_path.items():
            patience = max(each.patience for each in methods.values())
            app.router.add_route("*", PREFIX + path, self.answering(self._operating(methods), patience))
        app.router.add_route("*", PREFIX + "/{tail:.*}", self.answering(_nowhere))

    def answering(
        self, work: Callable[[web.Request], Awaitable[web.StreamResponse]], patience: float = PATIENCE
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that tells what goes wrong as a problem, ``patience`` (seconds) used up among it."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await self._tried(work, request, patience)
            except Wrong as wrong:
                return wire.problem(wrong)

        return answer

    async def entered(self, request: web.Request) -> Session:
        """Return the session of a request; raises Wrong when there is none that holds."""
        session = await self._sessions.of(request)
        # A whole hall sits behind one address: who is logged in is counted by himself.
        hasty = self._pace.over(session.id, time.monotonic()) if session else self._gate.flooded(request)
        if hasty:
            often = HTTPStatus.TOO_MANY_REQUESTS
            raise Wrong(often, "too-fast", "操作太快了，请稍等一会儿再试。", retry_after=10)
        if session is None:
            raise Wrong(HTTPStatus.UNAUTHORIZED, "no-session", "登录已失效，请重新登录。")
        return session

    def _operating(
        self, methods: Mapping[str, Operation]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def operate(request: web.Request) -> web.StreamResponse:
            operation = methods.get("GET" if request.method == "HEAD" else request.method)
            if operation is None:
                wrong = Wrong(HTTPStatus.METHOD_NOT_ALLOWED, "method", f"这里只接受 {'、'.join(methods)}。")
                wrong.headers["Allow"] = ", ".join(methods)
                raise wrong
            session = await self._passed(request, operation)
            reply: Reply = await operation.handler(
                *await _given(Call(request, session, self._gate.address(request)), operation)
            )
            return wire.written(reply.body, reply.status)

        return operate

    async def _passed(self, request: web.Request, operation: Operation) -> Session:
        session = await self.entered(request)
        if request.method not in SAFE:
            self.prove(request, session)
        if not allowed(session.account, operation):
            raise Wrong(HTTPStatus.FORBIDDEN, *_barred(session.account))
        if request.method not in SAFE and not operation.idle:
            await self._sessions.used(session)
        return session

    def prove(self, request: web.Request, session: Session) -> None:
        """Raise Wrong unless a request comes from a page of this session."""
        elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in _OURS
        if elsewhere or not self._sessions.right(session, request.headers.get(CSRF, "")):
            raise Wrong(HTTPStatus.FORBIDDEN, "csrf", "页面已过期，请刷新后再试。")

    async def _tried(
        self,
        work: Callable[[web.Request], Awaitable[web.StreamResponse]],
        request: web.Request,
        patience: float,
    ) -> web.StreamResponse:
        try:
            async with asyncio.timeout(patience):
                return await work(request)
        except Refused as error:
            holder = (error.holder.hex(), await self._name_of(error.holder)) if error.holder else None
            raise refused(error.why, holder) from error
        except Conflict as error:
            raise Wrong(HTTPStatus.CONFLICT, "changed", "刚刚有了变化，请再看一次。") from error
        except NotFound as error:
            raise unknown() from error
        except InvalidInput as error:
            raise invalid("", "有内容不符合要求，请改正后再试。") from error
        except (Busy, TimeoutError) as error:
            busy = HTTPStatus.SERVICE_UNAVAILABLE
            raise Wrong(busy, "busy", "系统正忙，请过一会儿再试。", retry_after=5) from error
        except (Wrong, web.HTTPException):
            raise
        except Exception as error:
            prove_there(request, error)
            log.exception("desk.failed", method=request.method)
            failed = HTTPStatus.INTERNAL_SERVER_ERROR
            raise Wrong(failed, "failed", "这一步没有办成，请再试一次。") from error


def allowed(account: Account, operation: Operation) -> bool:
    """Return whether an account may ask an operation."""
    if account.one_time and not operation.newcomer:
        return False
    return operation.right is None or may(account.role, operation.right)


def _barred(account: Account) -> tuple[str, str]:
    if account.one_time:
        return "change-password", "请先修改一次性密码。"
    return "forbidden", "您没有这项权限。"


async def _nowhere(request: web.Request) -> web.StreamResponse:
    raise unknown()


async def _given(call: Call, operation: Operation) -> list[Any]:
    """Return what the handler is called with; raises Wrong."""
    given: list[Any] = [call]
    if operation.body is not None:
        given.append(wire.read(operation.body, await wire.body(call.request)))
    if operation.query is not None:
        given.append(wire.asked(operation.query, dict(call.request.query)))
    return given
