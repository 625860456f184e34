"""我要反映: the form page by page, kept as it grows, read back, and submitted once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import web

from bots import slots
from bots.contract import Moment
from gateway.cases.office import Matter
from gateway.web.limits import reports
from gateway.web.portal import form as forms
from gateway.web.portal.form import Form, Page
from gateway.web.portal.memory import Done
from gateway.web.portal.site import seen_again
from normalizer.errors import Refused
from normalizer.geo import Point, to_wgs
from normalizer.message import SourceChannel
from normalizer.scope import beyond

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.contract import NewNumber, Submit
    from gateway.cases.office import Office
    from gateway.settings import Map
    from gateway.web.limits import Limits
    from gateway.web.portal.likes import Likes
    from gateway.web.portal.materials import Materials
    from gateway.web.portal.site import Site, Visit
    from normalizer.message import Address

_TOO_MANY = "今天提交得较多了，这一件还没有提交，草稿保留。请明天再试，或打热线电话由工作人员登记。"


@dataclass(frozen=True, slots=True)
class Report:
    """The pages of a report; ``reach`` says where its citizen is told of it."""

    site: Site
    office: Office
    materials: Materials
    reach: Callable[[Visit], Address]
    likes: Likes
    limits: Limits
    map: Map | None = None

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        for method, path, handler in (
            ("GET", "/report", self.begin),
            ("GET", "/report/done", self.done),
            ("GET", "/report/{page}", self.show),
            ("POST", "/report/drop", self.drop),
            ("POST", "/report/files/drop", self.drop_file),
            ("POST", "/report/{page}", self.take),
        ):
            self.site.add(app, method, path, handler)

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Begin a report, or offer the one that was left."""
        form = visit.memory.form
        if form is not None and form.order.text:
            return self.site.page(visit, "report_kept.html", form=form)
        return seen_again(f"/report/{Page.WHAT}")

    async def drop(self, visit: Visit) -> web.StreamResponse:
        """Forget the report that was left, and begin anew."""
        visit.keep(replace(visit.memory, form=None))
        return seen_again(f"/report/{Page.WHAT}")

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show one page of the form."""
        page = self._page(visit)
        form = forms.fresh(visit.memory.form, self.site.now())
        if page is None:
            raise web.HTTPNotFound
        if not forms.reachable(form, page):
            return seen_again(f"/report/{Page.WHAT}")
        if page is not Page.CHECK:
            return await self._shown(visit, form, page, {})
        mine = await self.likes.mine(visit.session, form.order)
        others = () if mine else await self.likes.others(visit.session, form.order)
        elsewhere, _ = self.site.city.elsewhere.get(beyond(form.order.text), ("", ""))
        return await self._shown(visit, form, page, {}, mine=mine, others=others, elsewhere=elsewhere)

    async def take(self, visit: Visit) -> web.StreamResponse:
        """Take one page of the form and go on to the next."""
        page = self._page(visit)
        form = forms.fresh(visit.memory.form, self.site.now())
        if page is None or not forms.reachable(form, page):
            return seen_again(f"/report/{Page.WHAT}")
        if page is Page.CHECK:
            return await self._submit(visit, form)
        before = form
        form, errors = forms.take(page, form, visit.fields, self._moment())
        danger = forms.danger(form, self.site.now())
        if page is Page.WHAT and danger is not None and danger.kind.value != form.alarmed:
            # However little was said, and whether the page could be taken or not.
            await self.office.alarm(self.reach(visit), danger)
            before, form = (replace(each, alarmed=danger.kind.value) for each in (before, form))
            visit.keep(replace(visit.memory, form=replace(before, since=self.site.now())))
        if errors:
            return await self._shown(visit, form, page, errors)
        await self.office.restraint.prove(visit.session.address, danger)
        visit.keep(replace(visit.memory, form=form))
        return seen_again(f"/report/{forms.after(form, page, elderly=visit.view.elderly)}")

    async def drop_file(self, visit: Visit) -> web.StreamResponse:
        """Forget a file that was uploaded."""
        form = forms.fresh(visit.memory.form, self.site.now())
        await self.materials.drop(_owner(form), visit.fields.get("key", ""))
        return seen_again(f"/report/{Page.FILES}")

    async def done(self, visit: Visit) -> web.StreamResponse:
        """Show number and code of the report that was submitted last."""
        if visit.memory.done is None:
            return seen_again("/")
        return self.site.page(visit, "report_done.html", done=visit.memory.done)

    async def _submit(self, visit: Visit, form: Form) -> web.StreamResponse:
        moment, view = self._moment(), visit.view
        attachments = await self.materials.attachments(_owner(form))
        form = replace(form, order=replace(form.order, attachments=attachments))

        def fill(number: NewNumber) -> Submit:
            return forms.filled(form, number, moment, lang=view.lang, elderly=view.elderly)

        if forms.open_slots(form, moment):
            return seen_again(f"/report/{self._open(form, moment)}")
        await self.office.restraint.prove(visit.session.address, forms.danger(form, self.site.now()))
        if await self._too_many(visit):
            return self.site.message(visit, "请稍等", _TOO_MANY, 429)
        matter = Matter(
            key=f"portal {visit.session.id} {form.key}",
            source=SourceChannel.WEB,
            reach=self.reach(visit),
            fill=fill,
            phone=visit.memory.phone,
        )
        try:
            opened = await self.office.open(matter)
        except Refused:
            return seen_again(f"/report/{Page.WHAT}")
        await self.materials.attach(_owner(form), opened.case_no)
        done = Done(opened.case_no, opened.query_code, opened.accepted)
        visit.keep(replace(visit.memory, form=None, done=done))
        return seen_again("/report/done")

    async def _too_many(self, visit: Visit) -> bool:
        """Count a submission and return whether there were too many (domain.md 1.11)."""
        who = visit.memory.phone or visit.session.id
        return await self.limits.over(*reports(who, self.site.gate.address(visit.request)))

    def _open(self, form: Form, moment: Moment) -> Page:
        if form.order.category in moment.city.place_categories and not forms.reachable(form, Page.CHECK):
            return Page.CONTACT
        return Page.WHERE if form.order.phone or form.order.anonymous else Page.CONTACT

    async def _shown(
        self, visit: Visit, form: Form, page: Page, errors: forms.Errors, **more: object
    ) -> web.StreamResponse:
        owner = _owner(form)
        asked = forms.pages(elderly=visit.view.elderly)
        number = asked.index(page) + 1 if page in asked else 1
        return self.site.page(
            visit,
            f"report_{page}.html",
            status=422 if errors else 200,
            form=form,
            order=form.order,
            page=page,
            number=number,
            count=len(asked),
            before=asked[number - 2] if number > 1 else None,
            errors=errors,
            danger=forms.danger(form, self.site.now()),
            map=self.map,
            pin=self._pin(form) if self.map is not None else None,
            whens=slots.WHENS.values(),
            choices=slots.KINDS.values(),
            files=await self.materials.shown(owner) if page in _WITH_FILES else (),
            grant=self.materials.grant(owner) if page is Page.FILES else "",
            **more,
        )

    def _pin(self, form: Form) -> Point | None:
        """Return where the map shows the place that was chosen, in the map's own degrees."""
        if self.map is None or form.order.lon is None or form.order.lat is None:
            return None
        point = Point(form.order.lon, form.order.lat)
        return to_wgs(point) if self.map.datum == "wgs84" else point

    def _page(self, visit: Visit) -> Page | None:
        try:
            return Page(visit.request.match_info["page"])
        except ValueError:
            return None

    def _moment(self) -> Moment:
        return Moment(self.site.now(), self.site.city)


_WITH_FILES = frozenset({Page.FILES, Page.CHECK})


def _owner(form: Form) -> str:
    """Return whose the files are until the form is a case."""
    return f"draft {form.key}"
