"""JSON by HTTP: a body read, an answer written, a problem told (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.web.api.problems import KIND, Fault, Wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)

LARGEST = 64 * 1024
"""Bytes of a body; 2,000 Chinese characters, escaped, take 12,000."""
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


async def body(request: web.Request) -> bytes:
    """Return the body of a request that is to be JSON; raises Wrong."""
    if request.content_type != "application/json":
        raise Wrong(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-json", "请求体须是 application/json。")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST:
            large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise Wrong(large, "too-large", f"请求体最多 {LARGEST // 1024} KiB。")
    return bytes(raw)


def read(model: type[Model], raw: bytes) -> Model:
    """Return what a body says; raises Wrong."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if error.errors(include_input=False, include_url=False)[0]["type"] == "json_invalid":
            raise Wrong(HTTPStatus.BAD_REQUEST, "not-json", "请求体不是正确的 JSON。") from error
        raise _faulty(error) from error


def asked(model: type[Model], query: Mapping[str, str]) -> Model:
    """Return what a query says; raises Wrong."""
    known = {name: value for name, value in query.items() if name in model.model_fields}
    try:
        return model.model_validate_strings(known)
    except ValidationError as error:
        raise _faulty(error) from error


def _faulty(error: ValidationError) -> Wrong:
    faults = tuple(
        Fault(pointer="/" + "/".join(str(part) for part in each["loc"]), detail=each["msg"])
        for each in error.errors(include_input=False, include_url=False, include_context=False)
    )
    detail = "有些内容不符合要求，见 errors。"
    return Wrong(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, errors=faults[:20])


def written(body: BaseModel | None, status: int) -> web.Response:
    """Return an answer as it goes out."""
    if body is None:
        return web.Response(status=status, headers=HEADERS)
    raw = body.model_dump_json().encode()
    return web.Response(body=raw, status=status, headers=HEADERS | {"Content-Type": "application/json"})


def problem(wrong: Wrong) -> web.Response:
    """Return a problem as it goes out."""
    body = wrong.problem.model_dump_json(exclude_none=True).encode()
    return web.Response(
        body=body,
        status=wrong.status,
        headers=HEADERS | {"Content-Type": KIND} | wrong.headers,
    )
