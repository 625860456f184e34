"""What is answered when something is wrong: ``application/problem+json`` (RFC 9457), in words for citizens."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from normalizer.errors import JiesuError

if TYPE_CHECKING:
    from gateway.cases.restraint import HeldOff

KIND = "application/problem+json"
_PREFIX = "urn:jiesu:problem:"


class Fault(BaseModel):
    """One thing that is wrong in a request: where (a JSON pointer, or a parameter's name) and what."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem: ``type`` is for programs, ``title`` and ``detail`` are for people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=[f"{_PREFIX}wrong-code"])
    title: str
    status: int
    detail: str | None = None
    errors: tuple[Fault, ...] = ()


class Wrong(JiesuError):
    """A request that is answered with a problem."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        errors: tuple[Fault, ...] = (),
        retry_after: int = 0,
    ) -> None:
        super().__init__(f"{status} {kind}")
        self.status = status
        self.problem = Problem(
            type=_PREFIX + kind, title=_TITLES[status], status=status, detail=detail, errors=errors
        )
        self.headers = {"Retry-After": str(retry_after)} if retry_after else {}


_TITLES = {
    HTTPStatus.BAD_REQUEST: "请求不能读懂",
    HTTPStatus.UNAUTHORIZED: "请先取得会话",
    HTTPStatus.FORBIDDEN: "请求不被接受",
    HTTPStatus.NOT_FOUND: "没有找到",
    HTTPStatus.METHOD_NOT_ALLOWED: "不支持这种方法",
    HTTPStatus.CONFLICT: "现在不能这样办",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "内容太多",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "请发送 JSON",
    HTTPStatus.UNPROCESSABLE_ENTITY: "有内容需要改正",
    HTTPStatus.TOO_MANY_REQUESTS: "请稍等",
    HTTPStatus.INTERNAL_SERVER_ERROR: "出了问题",
    HTTPStatus.SERVICE_UNAVAILABLE: "系统繁忙",
}


def held_off(held: HeldOff, hotline: str) -> Wrong:
    """Return the problem of somebody whom the ladder against abuse holds off: until when, and how to appeal."""
    words = (
        f"因多次不文明用语，文字提交暂停到{held.shown}，到期自动恢复；已登记的诉求照常办理。"
        f"认为不妥，请在对话里回复“申诉”，由另一位工作人员复核；紧急情况请直接写明，或拨打110、119、120、{hotline}。"
    )
    return Wrong(HTTPStatus.FORBIDDEN, "held-off", words)


def unknown() -> Wrong:
    """Return the problem of what is not there, or not for whoever asks."""
    return Wrong(HTTPStatus.NOT_FOUND, "not-found", "没有找到，或者您现在不能看它。")


def invalid(pointer: str, detail: str) -> Wrong:
    """Return the problem of one field."""
    return Wrong(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, errors=(Fault(pointer=pointer, detail=detail),)
    )
