"""/up/{slip}: the page behind the link of a text message, where files are added to a case (domain.md 4.4, BC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.cases import slips
from gateway.runtime import millis
from gateway.store.rows import Conflict
from normalizer.case import OPEN, Actor, Command, Role, Verb
from normalizer.errors import NotFound, Refused

if TYPE_CHECKING:
    from aiohttp import web

    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.store.seal import Sealer
    from gateway.web.portal.materials import Materials
    from gateway.web.portal.site import Site, Visit
    from normalizer.case import Case

WORDS = "用短信里的链接上传的材料"
_ENDED = (
    "链接已过期",
    "这个链接只有 15 分钟有效。请再发一次短信“照片”取得新的链接，或在“查进度”里补充。",
    410,
)


@dataclass(frozen=True, slots=True)
class Slips:
    """The page of a slip: it shows the end of the case's number and takes files, nothing else."""

    site: Site
    office: Office
    lookup: Lookup
    materials: Materials
    sealer: Sealer

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        self.site.add(app, "GET", "/up/{slip}", self.show)
        self.site.add(app, "POST", "/up/{slip}", self.take)
        self.site.add(app, "POST", "/up/{slip}/drop", self.drop)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show what was uploaded so far, and take more."""
        case = await self._case(visit)
        return await self._shown(visit, case, {}) if case is not None else self._ended(visit)

    async def take(self, visit: Visit) -> web.StreamResponse:
        """Add what was uploaded to the case."""
        case = await self._case(visit)
        if case is None:
            return self._ended(visit)
        owner = self._owner(visit)
        files = await self.materials.attachments(owner)
        if not files:
            return await self._shown(visit, case, {"files": "还没有上传文件。请先选文件，再点“上传”。"})
        command = Command(Verb.SUPPLEMENT, Actor(Role.CITIZEN), text=WORDS, attachments=files)
        try:
            await self.office.act(case.case_no, command)
        except (Refused, NotFound, Conflict):
            return self.site.message(
                visit, "没有办成", "这件诉求刚刚有了变化，请再试一次，或打热线电话。", 409
            )
        await self.materials.attach(owner, case.case_no)
        return self.site.message(
            visit, "已收到", "材料已补充到这件诉求，承办单位会看到。可以关闭这个页面了。"
        )

    async def drop(self, visit: Visit) -> web.StreamResponse:
        """Forget a file that is not wanted after all."""
        case = await self._case(visit)
        if case is None:
            return self._ended(visit)
        await self.materials.drop(self._owner(visit), visit.fields.get("key", ""))
        return await self._shown(visit, case, {})

    async def _case(self, visit: Visit) -> Case | None:
        """Return the case of a slip that holds, if files can still be added to it."""
        number = slips.read(self.sealer, visit.request.match_info["slip"], millis(self.site.now()))
        case = await self.lookup.case(number) if number is not None else None
        return case if case is not None and case.stage in OPEN else None

    async def _shown(self, visit: Visit, case: Case, errors: dict[str, str]) -> web.StreamResponse:
        slip, owner = visit.request.match_info["slip"], self._owner(visit)
        return self.site.page(
            visit,
            "slip.html",
            status=422 if errors else 200,
            tail=case.case_no[-4:],
            here=f"/up/{slip}",
            errors=errors,
            files=await self.materials.shown(owner),
            grant=self.materials.grant(owner),
        )

    def _ended(self, visit: Visit) -> web.StreamResponse:
        return self.site.message(visit, *_ENDED)

    def _owner(self, visit: Visit) -> str:
        """Return whose the files are until they are the case's: the slip itself stays out of it."""
        return f"slip {self.sealer.hash(visit.request.match_info['slip']).hex()[:32]}"
