"""What every page of the portal has: who asks, how he wants to see it, and the way from a handler to a page."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from weakref import WeakValueDictionary

import jinja2
import structlog
from aiohttp import hdrs, web

from gateway.cases.restraint import HeldOff
from gateway.web import assets
from gateway.web import gate as gates
from gateway.web.asking import prove_there
from gateway.web.portal.memory import Memory, recall, remember
from gateway.web.session import ANONYMOUS
from gateway.web.texts import EN, HTML_LANG, LANGUAGES, ZH, speaker
from normalizer.case import CITIZEN_LABELS
from normalizer.codes import CATEGORY_LABELS, KIND_LABELS
from normalizer.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bots.contract import City
    from gateway.web.gate import Gate
    from gateway.web.session import Session, Sessions

log = structlog.get_logger()

VIEW_COOKIE = "jiesu_view"
ELDERLY, CONTRAST = "elderly", "contrast"
_YEAR = 365 * 24 * 3600
_LARGEST = 256 * 1024
_FIELDS = 200
_PATIENCE = 30.0
"""Seconds that a form may take to arrive."""
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(frozen=True, slots=True)
class View:
    """How somebody wants to see pages."""

    lang: str = ZH
    elderly: bool = False
    contrast: bool = False

    @classmethod
    def of(cls, request: web.Request) -> View:
        """Return the view that a browser remembers."""
        words = request.cookies.get(VIEW_COOKIE, "").split("-")
        return cls(EN if EN in words else ZH, ELDERLY in words, CONTRAST in words)

    def __str__(self) -> str:
        words = (self.lang, self.elderly and ELDERLY, self.contrast and CONTRAST)
        return "-".join(word for word in words if word)


@dataclass(slots=True)
class Visit:
    """One request to the portal: who, how, with what fields; ``memory`` is kept when it was changed."""

    request: web.Request
    session: Session
    view: View
    memory: Memory
    fields: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed: bool = False

    def keep(self, memory: Memory) -> None:
        """Remember this from now on."""
        self.memory, self.changed = memory, True

    def become(self, session: Session, memory: Memory) -> None:
        """Go on as another session."""
        self.session, self.memory, self.changed = session, memory, True


Handler = Callable[[Visit], Awaitable[web.StreamResponse]]

Words = tuple[str, str, int]
"""A page that says one thing: its title, its text, its status."""

_BUSY: Words = ("请稍等", "现在人多，没有保存成功，请过一会儿再试一次；急事请拨打热线电话。", 503)
_NOTHING: Words = ("没有这个页面", "地址可能写错了，请回首页重新进入。", 404)
_FAILED: Words = ("出了问题", "这一步没有办成，我们会查看原因。请再试一次，或拨打热线电话。", 500)
_STOPPED: dict[str, Words] = {
    "too_fast": ("请稍等", "您点得太快了，请过一分钟再试；急事请拨打热线电话。", 429),
    "not_form": ("没有看懂", "这不是本站的表单，没有办法处理。请从首页重新进入再填写。", 400),
    "too_large": ("内容太多", "一次提交的内容太多了，请删减后再试。", 413),
    "csrf": ("页面已过期", "这个页面打开得太久，请返回上一页刷新后再提交。", 403),
    "trap": ("没有提交", "这次没有提交成功，请刷新页面后重新填写。", 400),
}


class Site:
    """Renders pages, and wraps handlers with what stands before every one of them."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        gate: Gate,
        city: City,
        now: Callable[[], datetime],
        zone: ZoneInfo,
        secure: bool,
        images: tuple[str, ...] = (),
    ) -> None:
        self.sessions = sessions
        self.gate = gate
        self.city = city
        self.now = now
        self._zone = zone
        self.secure = secure
        self.headers = gates.headers(images, secure=secure)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("gateway", "templates/portal"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "city": city,
            "languages": LANGUAGES,
            "stages": CITIZEN_LABELS,
            "kinds": KIND_LABELS,
            "categories": CATEGORY_LABELS,
            "trap": gates.TRAP,
            "asset": assets.address,
        }
        self._environment.filters |= {"day": self._day, "minute": self._minute}

    def add(
        self,
        app: web.Application,
        method: str,
        path: str,
        handler: Handler,
    ) -> None:
        """Give a page its address."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, handler)

        if method == "GET":
            app.router.add_get(path, handle)
        else:
            app.router.add_route(method, path, handle)

    def page(self, visit: Visit, template: str, status: int = 200, **values: Any) -> web.Response:
        """Return a page in the visitor's language and view."""
        view = visit.view
        text = self._environment.get_template(template).render(
            _=speaker(view.lang),
            view=view,
            city_name=self.city.name_en or self.city.name if view.lang == EN else self.city.name,
            html_lang=HTML_LANG[view.lang],
            csrf=self.sessions.csrf(visit.session),
            path=visit.request.rel_url.raw_path_qs,
            phone=visit.memory.phone,
            signed_in=visit.memory.person is not None,
            now=self.now(),
            given=defaultdict(str, visit.fields),
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html")

    def message(self, visit: Visit, title: str, text: str, status: int = 200) -> web.Response:
        """Return a page that says one thing."""
        return self.page(visit, "message.html", status, title=title, text=text)

    def fragment(self, visit: Visit, template: str, **values: Any) -> str:
        """Return a piece of a page."""
        return self._environment.get_template(template).render(
            _=speaker(visit.view.lang), view=visit.view, **values
        )

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        session = self.sessions.of(request)
        visit = Visit(request, session, View.of(request), Memory())
        response = await self._answer(visit, handler)
        if not response.prepared:
            response.headers.update(self.headers)
            _pack(request, response)
            if visit.session.new:
                self.sessions.give(response, visit.session)
        return response

    async def _answer(self, visit: Visit, handler: Handler) -> web.StreamResponse:
        try:
            if (stopped := await self._stopped(visit)) is not None:
                return stopped
            if visit.request.method != "POST":
                return await self._done(visit, handler)
            # One thing after the other, so that a second click finds what the first has done.
            turn = self._turns.setdefault(visit.session.id, asyncio.Lock())
            async with turn:
                return await self._done(visit, handler)
        except Busy:
            return self.message(visit, *_BUSY)
        except web.HTTPNotFound:
            return self.message(visit, *_NOTHING)
        except Exception as error:
            prove_there(visit.request, error)
            log.exception("portal.failed", path=visit.request.path)
            return self.message(visit, *_FAILED)

    async def _done(self, visit: Visit, handler: Handler) -> web.StreamResponse:
        visit.memory = await recall(self.sessions, visit.session, self.now())
        if visit.memory.ended:
            visit.become(self.sessions.begin(ANONYMOUS), Memory())
        visit.session = replace(visit.session, person=visit.memory.person)
        try:
            response = await handler(visit)
        except HeldOff as held:
            response = self.page(visit, "held_off.html", 403, until=held.until)
        if visit.changed:
            await remember(self.sessions, visit.session, visit.memory)
        return response

    async def _stopped(self, visit: Visit) -> web.Response | None:
        """Return what a request gets that may not pass, None for one that may."""
        request = visit.request
        reason = "too_fast" if self.gate.over(request, visit.session) else ""
        if request.method == "POST" and not reason:
            reason = await _read(visit) or self.gate.stranger(request, visit.session, visit.fields)
        if not reason:
            return None
        log.warning("portal.refused", reason=reason, path=request.path)
        return self.message(visit, *_STOPPED[reason])

    @jinja2.pass_context
    def _day(self, context: jinja2.runtime.Context, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%d %B}".lstrip("0") if context["view"].lang == EN else f"{local.month}月{local.day}日"

    @jinja2.pass_context
    def _minute(self, context: jinja2.runtime.Context, at: datetime) -> str:
        local = at.astimezone(self._zone)
        if context["view"].lang == EN:
            return f"{local:%d %B %Y, %H:%M}".lstrip("0")
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _pack(request: web.Request, response: web.StreamResponse) -> None:
    """Compress a page; its token is masked anew each time, so that its length tells nothing (BREACH)."""
    large = isinstance(response, web.Response) and len(response.text or "") > assets.SMALL
    if large and assets.takes_gzip(request):
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        response.enable_compression(web.ContentCoding.gzip)


async def _read(visit: Visit) -> str:
    """Read the fields of a form and return what is wrong with it; files come by an address of their own."""
    try:
        async with asyncio.timeout(_PATIENCE):
            texts = await _fields(visit.request)
    except web.HTTPRequestEntityTooLarge:
        return "too_large"
    except (ValueError, LookupError, TimeoutError, web.HTTPException, AssertionError):
        return "not_form"
    visit.fields = dict(texts)
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in texts:
        chosen[name] = (*chosen.get(name, ()), value)
    visit.chosen = chosen
    return ""


async def _fields(request: web.Request) -> list[tuple[str, str]]:
    """Return the fields of a form; raises ValueError for what is none, HTTPRequestEntityTooLarge."""
    if (request.content_length or 0) > _LARGEST:
        raise web.HTTPRequestEntityTooLarge(_LARGEST, request.content_length or 0)
    # Chunks say no length beforehand.
    bounded = request.clone(client_max_size=_LARGEST)
    if request.content_type == _FORM:
        body = (await bounded.read()).decode("ascii")
        return parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    if request.content_type != _MULTIPART:
        raise ValueError("no form")
    texts = [(name, value) for name, value in (await bounded.post()).items() if isinstance(value, str)]
    if len(texts) > _FIELDS:
        raise ValueError("too many fields")
    return texts


def seen_again(path: str) -> web.Response:
    """Return the redirect after a form was taken, so that going back does not send it twice."""
    return web.Response(status=303, headers={"Location": path})
