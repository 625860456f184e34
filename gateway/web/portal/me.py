"""我的信息: what the hotline has of who sits here, and what he may do with it (PIPL 44-47, domain.md 1.10).

The draft goes at once. A name or another telephone is added to his open cases as a supplement, which the unit reads;
where that would say more than it should (a confidential case) or something else (a case that waits for material), and
for deletion, a person settles it: ``jiesu requests list``.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.runtime import Ids, instant, millis
from gateway.store import requests
from gateway.store.rows import Conflict
from gateway.web.limits import DAY, Limit
from gateway.web.portal.export import export
from gateway.web.portal.memory import Memory
from gateway.web.portal.site import seen_again
from normalizer.case import OPEN, Actor, Command, Role, Stage, Verb
from normalizer.errors import NotFound, Refused
from normalizer.people import mask_name, mask_phone, valid_phone
from normalizer.text import clean

if TYPE_CHECKING:
    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.store.store import Store
    from gateway.web.limits import Limits
    from gateway.web.portal.site import Site, Visit
    from gateway.web.portal.talk import Talk
    from normalizer.case import Case

CORRECT, DELETE = "correct", "delete"
KINDS = {CORRECT: "更正信息", DELETE: "删除信息"}
STATES = {
    requests.OPEN: "等待处理",
    requests.DONE: "已处理",
    requests.REFUSED: "没有同意，请打热线电话了解原因",
}
NAME, TEXT, SHOWN, A_DAY = 20, 300, 20, 10
CITIZEN = Actor(Role.CITIZEN)


class Me:
    """The pages of one's own data."""

    def __init__(
        self,
        *,
        site: Site,
        office: Office,
        lookup: Lookup,
        talk: Talk,
        limits: Limits,
        store: Store,
        sealer: Sealer,
    ) -> None:
        self._site = site
        self._office = office
        self._lookup = lookup
        self._talk = talk
        self._limits = limits
        self._store = store
        self._sealer = sealer
        self._ids = Ids()

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
        cases = [case for case in await self._own(visit) if case.stage in OPEN]
        if not cases:
            return self._site.message(visit, "没有要改的", "您没有正在办理的诉求，以后反映时写新的就可以。")
        if await self._over(visit):
            return self._too_many(visit)
        said = [f"称呼改为{name}"] * bool(name) + [f"备用电话{other}"] * bool(other)
        words = f"更正联系方式：{'，'.join(said)}。"
        left = [case for case in cases if not await self._supplemented(case, words)]
        if left:
            await self._ask(visit, CORRECT, words, left)
        told = "已转告承办单位。" if not left else "其中有的需要工作人员处理，处理后会在这里显示。"
        return self._site.message(visit, "已经记下", told)

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Take the wish to have everything deleted; a person decides what the archive rules let go."""
        if await self._over(visit):
            return self._too_many(visit)
        text = clean(visit.fields.get("text", ""))[:TEXT]
        await self._ask(visit, DELETE, text, await self._own(visit))
        return seen_again("/me")

    async def drop(self, visit: Visit) -> web.StreamResponse:
        """Delete the draft and what was remembered of the last report, at once."""
        memory = visit.memory
        visit.keep(Memory(phone=memory.phone, code=memory.code))
        return seen_again("/me")

    async def data(self, visit: Visit) -> web.StreamResponse:
        """Give everything as one file of JSON; whole to who proved his telephone, else names and numbers masked."""
        if await self._over(visit):
            return self._too_many(visit)
        conversation = self._site.sessions.conversation(visit.session)
        body = export(
            phone=visit.memory.phone,
            form=visit.memory.form,
            cases=[(case, await self._lookup.log(case.case_no)) for case in await self._own(visit)],
            talk=await self._talk.said(conversation, bytes(16)),
            requests=await self._requests(visit),
            now=self._site.now(),
        )
        return web.Response(
            text=json.dumps(body, ensure_ascii=False, indent=1),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
        )

    async def _shown(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        own = await self._own(visit)
        people = [case.complainant for case in own]
        return self._site.page(
            visit,
            "me.html",
            status=422 if errors else 200,
            errors=errors,
            count=len(own),
            open=any(case.stage in OPEN for case in own),
            names=sorted({mask_name(each.name) for each in people if each.name}),
            phones=sorted({mask_phone(each.phone) for each in people if each.phone}),
            firms=sorted({each.org_name for each in people if each.org_name}),
            masked=mask_phone(visit.memory.phone) if visit.memory.phone else "",
            form=visit.memory.form,
            requests=await self._requests(visit),
        )

    async def _own(self, visit: Visit) -> tuple[Case, ...]:
        return await self._lookup.own(self._site.sessions.conversation(visit.session))

    async def _requests(self, visit: Visit) -> list[tuple[str, str, object]]:
        conversation = self._site.sessions.conversation(visit.session)
        rows = await self._store.read(partial(requests.of, conversation=conversation, limit=SHOWN))
        return [(KINDS[row.kind], STATES[row.state], instant(row.at)) for row in rows]

    async def _supplemented(self, case: Case, words: str) -> bool:
        """Add the words to a case where its unit may read them and they say no more than they mean."""
        if case.secret or case.stage is Stage.NEED_INFO:
            return False
        try:
            await self._office.act(case.case_no, Command(Verb.SUPPLEMENT, CITIZEN, text=words))
        except (Refused, NotFound, Conflict):
            return False
        return True

    async def _ask(self, visit: Visit, kind: str, text: str, cases: tuple[Case, ...] | list[Case]) -> None:
        wish = {"text": text, "cases": [case.case_no for case in cases], "phone": visit.memory.phone}
        await self._store.write(
            partial(
                requests.add,
                row_id=self._ids(),
                at=millis(self._site.now()),
                conversation=self._site.sessions.conversation(visit.session),
                kind=kind,
                body=self._sealer.seal(json.dumps(wish, ensure_ascii=False).encode()),
            )
        )

    async def _over(self, visit: Visit) -> bool:
        who = visit.memory.phone or visit.session.id
        return await self._limits.over(Limit("me", who, A_DAY, DAY))

    def _too_many(self, visit: Visit) -> web.StreamResponse:
        return self._site.message(visit, "请稍等", "今天操作得较多了，请明天再试，或打热线电话。", 429)
