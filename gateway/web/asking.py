"""What a request wants: a page or JSON, and in which language; and plain answers in both forms."""

from __future__ import annotations

from html import escape

from aiohttp import web

from gateway.media import words
from normalizer.errors import Busy, JiesuError
from normalizer.media import NotAccepted, Refusal

PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_STATUS = {
    Refusal.SIZE: 413,
    Refusal.TOTAL: 413,
    Refusal.COUNT: 403,
    Refusal.GRANT: 403,
    Refusal.TYPE: 415,
}


def prove_there(request: web.Request, error: Exception) -> None:
    """Raise HTTPBadRequest when who asked has gone away: what his request raised then is no fault of ours."""
    if request.transport is None or request.transport.is_closing():
        raise web.HTTPBadRequest from error


def wants_page(request: web.Request) -> bool:
    """Return whether a browser asks for a page to read."""
    return "text/html" in request.headers.get("Accept", "")


def language(request: web.Request) -> str:
    """Return zh, or en where the request prefers it."""
    wished = request.headers.get("Accept-Language", "").lower()
    return "en" if wished.startswith("en") else "zh"


def problem(status: int, detail: str, **more: str) -> web.Response:
    """Return an error as problem details (RFC 9457), its ``detail`` in the citizen's words."""
    body = {"type": "about:blank", "status": status, "detail": detail} | more
    return web.json_response(body, status=status, content_type="application/problem+json", headers=PLAIN)


def page(status: int, *lines: str, title: str = "12345", tongue: str = "zh") -> web.Response:
    """Return a page of a few lines, for a browser without JavaScript."""
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    html = (
        f'<!doctype html><html lang="{tongue}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<main><h1>{escape(title)}</h1>{text}</main></html>"
    )
    return web.Response(status=status, text=html, content_type="text/html", headers=PLAIN)


def answer(request: web.Request, status: int, text: str, **more: str) -> web.Response:
    """Return a sentence in the form that the request wants."""
    if wants_page(request):
        tongue = language(request)
        return page(status, text, title=words.notice("title", tongue), tongue=tongue)
    return problem(status, text, **more)


def failed(request: web.Request, error: JiesuError) -> web.Response:
    """Return what a citizen is told of a file that was refused, is not there, or could not be kept now."""
    tongue = language(request)
    if isinstance(error, NotAccepted):
        refusal = error.breach.refusal
        text = words.refusal(error.breach, tongue)
        return answer(request, _STATUS.get(refusal, 422), text, reason=refusal.value)
    if isinstance(error, Busy):
        response = answer(request, 503, words.notice("busy", tongue))
        response.headers["Retry-After"] = "5"
        return response
    return answer(request, 404, words.notice("gone", tongue))
