"""我的信息: the pages of one's own data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.web.portal.memory import Memory
from gateway.web.portal.own import NOTHING_OPEN
from gateway.web.portal.site import seen_again
from normalizer.errors import Refused
from normalizer.people import mask_phone, valid_phone
from normalizer.text import clean

if TYPE_CHECKING:
    from gateway.web.portal.own import Own
    from gateway.web.portal.site import Site, Visit

NAME, TEXT = 20, 300


class Me:
    """The pages of one's own data."""

    def __init__(self, site: Site, own: Own) -> None:
        self._site = site
        self._own = own

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        for method, path, handler in (
            ("GET", "/me", self.show),
            ("POST", "/me/correct", self.correct),
            ("POST", "/me/delete", self.delete),
            ("POST", "/me/drop", self.drop),
            ("POST", "/me/data.json", self.data),
        ):
            self._site.add(app, method, path, handler)
        for path in ("/me/correct", "/me/delete", "/me/drop", "/me/data.json"):
            self._site.add(app, "GET", path, self.back)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show what is kept, names and numbers masked."""
        return await self._shown(visit, {})

    async def back(self, visit: Visit) -> web.StreamResponse:
        """Lead back to the page whose forms these addresses take."""
        return seen_again("/me")

    async def correct(self, visit: Visit) -> web.StreamResponse:
        """Take a right name or another telephone for all open cases."""
        name = clean(visit.fields.get("name", ""))[:NAME]
        given = visit.fields.get("other", "").strip()
        other = valid_phone(given) or ""
        if given and not other:
            return await self._shown(
                visit, {"other": "这个号码好像不对，请核对。手机号是11位，座机请带区号。"}
            )
        if not name and not other:
            return await self._shown(visit, {"name": "请写要改成什么。"})
        try:
            all_told = await self._own.correct(visit.session, visit.memory, name, other)
        except Refused as refused:
            return self._refused(visit, refused)
        told = "已转告承办单位。" if all_told else "其中有的需要工作人员处理，处理后会在这里显示。"
        return self._site.message(visit, "已经记下", told)

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Take the wish to have everything deleted."""
        text = clean(visit.fields.get("text", ""))[:TEXT]
        try:
            await self._own.delete(visit.session, visit.memory, text)
        except Refused as refused:
            return self._refused(visit, refused)
        return seen_again("/me")

    async def drop(self, visit: Visit) -> web.StreamResponse:
        """Delete the draft and what was remembered of the last report, at once."""
        memory = visit.memory
        visit.keep(Memory(phone=memory.phone, code=memory.code))
        return seen_again("/me")

    async def data(self, visit: Visit) -> web.StreamResponse:
        """Give everything as one file of JSON."""
        try:
            body = await self._own.data(visit.session, visit.memory)
        except Refused as refused:
            return self._refused(visit, refused)
        return web.Response(
            text=json.dumps(body, ensure_ascii=False, indent=1),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
        )

    async def _shown(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        kept = await self._own.kept(visit.session)
        return self._site.page(
            visit,
            "me.html",
            status=422 if errors else 200,
            errors=errors,
            count=kept.count,
            open=kept.open,
            names=kept.names,
            phones=kept.phones,
            firms=kept.firms,
            masked=mask_phone(visit.memory.phone) if visit.memory.phone else "",
            form=visit.memory.form,
            requests=await self._own.requests(visit.session),
        )

    def _refused(self, visit: Visit, refused: Refused) -> web.StreamResponse:
        if refused.reason == NOTHING_OPEN:
            return self._site.message(visit, "没有要改的", "您没有正在办理的诉求，以后反映时写新的就可以。")
        return self._site.message(visit, "请稍等", "今天操作得较多了，请明天再试，或打热线电话。", 429)
