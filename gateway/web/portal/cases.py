"""查进度: one's own cases, another's by number and code, and what a citizen may do with his own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.store.rows import Conflict
from gateway.web.portal.memory import SHOWN
from gateway.web.portal.site import seen_again
from gateway.web.portal.told import TOLD, note
from normalizer import case_no
from normalizer.case import OPEN, Actor, Command, Role, Stage, Verb
from normalizer.codes import LOW_RATING_LABELS, SATISFACTION_LABELS
from normalizer.emergency import detect
from normalizer.errors import NotFound, Refused
from normalizer.moves import allowed
from normalizer.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from gateway.cases.lookup import Lookup
    from gateway.cases.office import Office
    from gateway.web.portal.materials import Materials
    from gateway.web.portal.site import Site, Visit
    from normalizer.case import Case

CITIZEN = Actor(Role.CITIZEN)
WORDS, OPINION, REASON = 1000, 500, 200
LOW = 2


@dataclass(frozen=True, slots=True)
class Cases:
    """The pages of cases."""

    site: Site
    office: Office
    lookup: Lookup
    materials: Materials
    texts: bool
    """Whether codes can be sent to telephones."""
    by_wechat: Callable[[Visit], bool]
    """Whether somebody can sign in by WeChat."""

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        for method, path, handler in (
            ("GET", "/cases", self.overview),
            ("GET", "/cases/find", self.back),
            ("POST", "/cases/find", self.find),
            ("GET", "/cases/{number}", self.show),
            ("GET", "/cases/{number}/{act}", self.ask),
            ("POST", "/cases/{number}/supplement/drop", self.drop_file),
            ("POST", "/cases/{number}/{act}", self.act),
        ):
            self.site.add(app, method, path, handler)

    async def overview(self, visit: Visit) -> web.StreamResponse:
        """Show one's own cases, and the ways to others."""
        return await self._overview(visit, {})

    async def back(self, visit: Visit) -> web.StreamResponse:
        """Lead back to where a case is asked for."""
        return seen_again("/cases")

    async def find(self, visit: Visit) -> web.StreamResponse:
        """Open a case by number and query code."""
        number = case_no.parse(visit.fields.get("number", ""))
        code = "".join(c for c in visit.fields.get("code", "") if c.isdigit())
        if number is None:
            return await self._overview(visit, {"number": "这个单号不对，请核对 17 位数字。"})
        if any(case.case_no == number for case in await self._own(visit)):
            return seen_again(f"/cases/{number}")
        found = await self.lookup.found(number, code, visit.session.id, self.site.gate.address(visit.request))
        if found.locked:
            return await self._overview(
                visit, {"code": "输错次数较多，为保护信息安全，请一小时后再查，或打热线电话由工作人员查询。"}
            )
        if found.case is None:
            return await self._overview(
                visit, {"code": "单号或查询码不对，请核对后再试。连续输错会暂停查询一小时。"}
            )
        shown = (number, *(each for each in visit.memory.shown if each != number))[:SHOWN]
        visit.keep(replace(visit.memory, shown=shown))
        return seen_again(f"/cases/{number}")

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show a case: whole to its own citizen, the least of it to who has number and code."""
        number = visit.request.match_info["number"]
        case = await self._mine(visit, number)
        if case is not None:
            return await self._shown(visit, case)
        if number in visit.memory.shown:
            other = await self.lookup.case(number)
            if other is not None:
                return self.site.page(visit, "case_other.html", case=other, open=other.stage in OPEN)
        return self._unknown(visit)

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Show the form of something to do with one's own case."""
        case = await self._mine(visit, visit.request.match_info["number"])
        act = visit.request.match_info["act"]
        if case is None or act not in _ACTS:
            return self._unknown(visit)
        return await self._form(visit, case, act, {})

    async def act(self, visit: Visit) -> web.StreamResponse:
        """Do something with one's own case."""
        case = await self._mine(visit, visit.request.match_info["number"])
        act = visit.request.match_info["act"]
        if case is None or act not in _ACTS:
            return self._unknown(visit)
        command, errors = await self._taken(visit, case, act)
        danger = detect(command.text)
        if danger is not None:
            await self.office.alarm(visit.session.address, danger)
        if errors:
            return await self._form(visit, case, act, errors)
        if command.verb is Verb.SUPPLEMENT and case.stage is not Stage.NEED_INFO:
            await self.office.restraint.prove(visit.session.address, danger)
        if (refused := await self._carry_out(visit, case, command)) is not None:
            return refused
        if visit.fields.get("draft") == "1":
            visit.keep(replace(visit.memory, form=None))
        if danger is not None:
            return self.site.page(visit, "danger.html", danger=danger, case=case)
        return seen_again(f"/cases/{case.case_no}")

    async def _taken(self, visit: Visit, case: Case, act: str) -> Taken:
        """Return the command of a form, with the files that were uploaded for it, and what is wrong with it."""
        command, errors = _ACTS[act](visit)
        if command.verb is not Verb.SUPPLEMENT:
            return command, errors
        files = await self.materials.attachments(self._owner(visit, case))
        return replace(command, attachments=files), {} if files else errors

    async def _carry_out(self, visit: Visit, case: Case, command: Command) -> web.StreamResponse | None:
        """Carry out a command and return what is said when it was refused."""
        if await self._said(case, command):
            return None
        try:
            await self.office.act(case.case_no, command)
        except Refused as refused:
            told = _REFUSED.get(refused.reason, "这件诉求现在不能这样操作，请看最新进展。")
            return self.site.message(visit, "没有办成", told, 409)
        except (NotFound, Conflict):
            return self.site.message(visit, "没有办成", "这件诉求刚刚有了变化，请回去看最新进展再试。", 409)
        if command.attachments:
            await self.materials.attach(self._owner(visit, case), case.case_no)
        return None

    async def _said(self, case: Case, command: Command) -> bool:
        """Return whether the same was added already: a second click adds nothing."""
        if command.verb is not Verb.SUPPLEMENT or command.attachments:
            return False
        log = await self.lookup.log(case.case_no)
        return any(event.verb is Verb.SUPPLEMENT and event.command.text == command.text for event in log)

    async def drop_file(self, visit: Visit) -> web.StreamResponse:
        """Forget a file that was uploaded for a supplement."""
        case = await self._mine(visit, visit.request.match_info["number"])
        if case is None:
            return self._unknown(visit)
        await self.materials.drop(self._owner(visit, case), visit.fields.get("key", ""))
        return seen_again(f"/cases/{case.case_no}/supplement")

    async def _overview(self, visit: Visit, errors: dict[str, str]) -> web.StreamResponse:
        cases = await self._own(visit)
        return self.site.page(
            visit,
            "cases.html",
            status=422 if errors else 200,
            cases=cases,
            errors=errors,
            texts=self.texts,
            by_wechat=self.by_wechat(visit),
            open_stages=OPEN,
        )

    async def _shown(self, visit: Visit, case: Case) -> web.StreamResponse:
        log = await self.lookup.log(case.case_no)
        now = self.site.now()
        can = {
            verb.value: allowed(case, Command(verb, CITIZEN, score=5), now) is None
            for verb in (Verb.SUPPLEMENT, Verb.URGE, Verb.WITHDRAW, Verb.RATE)
        }
        answer = case.replies[-1] if case.replies and case.stage in _ANSWERED else None
        late = case.deadline_at is not None and case.stage in OPEN and now > case.deadline_at
        return self.site.page(
            visit,
            "case.html",
            case=case,
            number=case_no.grouped(case.case_no),
            can=can,
            answer=answer,
            late=late,
            running=case.stage in OPEN and case.stage not in _RATEABLE,
            files=await self.materials.shown(case.case_no),
            missing=await self.materials.missing(case.case_no),
            lines=[
                (event.at, TOLD[event.verb], note(event)) for event in reversed(log) if event.verb in TOLD
            ],
            satisfaction=SATISFACTION_LABELS,
        )

    def _owner(self, visit: Visit, case: Case) -> str:
        """Return whose the files are until they are the case's."""
        return f"supplement {self.site.sessions.conversation(visit.session).hex()} {case.case_no}"

    async def _form(self, visit: Visit, case: Case, act: str, errors: dict[str, str]) -> web.StreamResponse:
        owner = self._owner(visit, case)
        supplements = act == "supplement"
        return self.site.page(
            visit,
            f"case_{act}.html",
            status=422 if errors else 200,
            case=case,
            act=act,
            errors=errors,
            satisfaction=SATISFACTION_LABELS,
            reasons=LOW_RATING_LABELS,
            chosen=visit.chosen.get("reason", ()),
            draft=_draft(visit),
            files=await self.materials.shown(owner) if supplements else (),
            grant=self.materials.grant(owner) if supplements else "",
        )

    def _unknown(self, visit: Visit) -> web.StreamResponse:
        return self.site.message(
            visit,
            "没有找到",
            "没有找到这件诉求，或者您现在不能看它。请用单号和查询码，或者用手机号查询。",
            404,
        )

    async def _own(self, visit: Visit) -> tuple[Case, ...]:
        return await self.lookup.own(self.site.sessions.conversation(visit.session))

    async def _mine(self, visit: Visit, number: str) -> Case | None:
        return next((case for case in await self._own(visit) if case.case_no == number), None)


_RATEABLE = frozenset({Stage.CLOSED_PENDING, Stage.VISITED})
_ANSWERED = _RATEABLE | {Stage.ANSWERED, Stage.CLOSED, Stage.ARCHIVED}
_REFUSED = {
    "urged_lately": "24 小时内已经催办过，承办单位已收到，请等一等再催。",
    "report_under_check": "这是举报，已在核查中，不能直接撤回。请打热线电话告诉工作人员。",
}


def _draft(visit: Visit) -> str:
    """Return the words of the form that somebody came from, to be added to this case instead of reported anew."""
    came = visit.request.query.get("draft") == "1" or visit.fields.get("draft") == "1"
    return visit.memory.form.order.text[:WORDS] if came and visit.memory.form is not None else ""


Taken = tuple[Command, dict[str, str]]


def _supplement(visit: Visit) -> Taken:
    text = clean(visit.fields.get("text", ""))[:WORDS]
    command = Command(Verb.SUPPLEMENT, CITIZEN, text=text)
    return command, {} if text else {"text": "请写要补充的内容。"}


def _urge(visit: Visit) -> Taken:
    return Command(Verb.URGE, CITIZEN, text=clean(visit.fields.get("text", ""))[:REASON]), {}


def _withdraw(visit: Visit) -> Taken:
    return Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回"), {}


def _rate(visit: Visit) -> Taken:
    given = visit.fields.get("score", "")
    score = int(given) if given in {str(each) for each in SATISFACTION_LABELS} else 0
    known = {str(each) for each in LOW_RATING_LABELS}
    reasons = (
        tuple(int(each) for each in visit.chosen.get("reason", ()) if each in known) if score <= LOW else ()
    )
    text = clean(visit.fields.get("text", ""))[:OPINION]
    command = Command(Verb.RATE, CITIZEN, score=score, reasons=reasons, text=text)
    return command, {} if score else {"score": "请选一个评价。"}


_ACTS = {"supplement": _supplement, "urge": _urge, "withdraw": _withdraw, "rate": _rate}
