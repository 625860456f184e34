"""Cases: open one, look at one's own, do with it what a citizen may; a stranger's by number and query code."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.cases.office import Matter
from gateway.cases.restraint import HeldOff
from gateway.web.api import models as m
from gateway.web.api.opening import all_there, filled
from gateway.web.api.operations import Operation, Reply
from gateway.web.api.problems import Wrong, held_off, invalid, unknown
from gateway.web.api.reading import danger_of
from gateway.web.api.sessions import local, reach
from gateway.web.limits import reports
from gateway.web.portal.told import TOLD, note
from normalizer import case_no
from normalizer.case import CITIZEN_LABELS, Actor, Command, Role, Stage, Verb
from normalizer.emergency import detect
from normalizer.message import SourceChannel
from normalizer.moves import allowed
from normalizer.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from gateway.web.api.files import Shelf
    from gateway.web.api.operations import Call
    from gateway.web.portal.build import Parts
    from normalizer.case import Case
    from normalizer.emergency import Emergency

CITIZEN = Actor(Role.CITIZEN)
AGAIN, DAY = timedelta(minutes=10), timedelta(days=1)
"""How long the same body is a retry, and how long an Idempotency-Key is known."""
_ANSWERED = frozenset({Stage.ANSWERED, Stage.CLOSED_PENDING, Stage.VISITED, Stage.CLOSED, Stage.ARCHIVED})
_ONE = "/cases/{number}"


class Cases:
    """The operations of cases."""

    def __init__(self, parts: Parts, shelf: Shelf) -> None:
        self._parts = parts
        self._shelf = shelf

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        ok, made, none = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_FOUND
        return (
            Operation(
                "POST", "/cases", "open_case", "提交诉求", self.open, {ok: m.OpenedOut, made: m.OpenedOut},
                body=m.CaseIn, marked=True, problems=(HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN),
            ),
            Operation("GET", "/cases", "list_cases", "我的诉求", self.listed, {ok: m.Cases}),
            Operation("GET", _ONE, "show_case", "看我的一件诉求", self.show, {ok: m.Whole}, problems=(none,)),
            Operation("GET", f"{_ONE}/timeline", "show_timeline", "办理经过", self.timeline, {ok: m.Timeline}, problems=(none,)),
            _act("supplements", "supplement", "补充", self.supplement, m.SupplementIn, answer=m.Supplemented),
            _act("urges", "urge", "催办", self.urge, m.UrgeIn),
            _act("withdrawal", "withdraw", "撤回", self.withdraw),
            _act("ratings", "rate", "评价", self.rate, m.RatingIn),
            Operation(
                "POST", "/lookups", "look_up", "用单号和查询码查进度", self.look_up, {ok: m.Least},
                body=m.LookupIn, problems=(none,),
            ),
        )  # fmt: skip

    async def open(self, call: Call, body: m.CaseIn) -> Reply:
        """Open a case, once however often it is sent."""
        parts, danger = self._parts, detect(clean(body.text))
        own = f"mark {call.mark}" if call.mark else f"body {hashlib.sha256(call.raw).hexdigest()}"
        files = await self._shelf.found(call, body.files)
        fill = filled(body, parts.city, parts.now(), files, call.memory.phone)
        matter = Matter(
            key=f"api {call.session.address.user} {own}",
            source=_source(parts, call),
            reach=reach(parts, call),
            fill=fill,
            phone=call.memory.phone,
            danger=danger,
            within=DAY if call.mark else AGAIN,
        )
        await self._unheld(call, danger)
        await self._counted(call)
        opened = await parts.office.open(matter)
        await self._shelf.give(call, opened.case_no, body.files)
        if not opened.repeat:
            parts.safety.look(opened.case_no, call.session.person, body.text)
            parts.safety.look_at(opened.case_no, call.session.person, body.files)
        if opened.repeat and call.mark:
            await self._same(opened.case_no, clean(body.text))
        told = m.OpenedOut(
            case_no=opened.case_no,
            query_code=opened.query_code,
            accepted=opened.accepted,
            repeat=opened.repeat,
            danger=danger_of(danger),
        )
        return Reply(told, HTTPStatus.OK if opened.repeat else HTTPStatus.CREATED)

    async def _unheld(self, call: Call, danger: Emergency | None) -> None:
        """Raise Wrong for whom the ladder against abuse holds off and who tells of no danger."""
        try:
            await self._parts.office.restraint.prove(call.session.address, danger)
        except HeldOff as error:
            raise held_off(error, self._parts.city.hotline) from error

    async def _counted(self, call: Call) -> None:
        """Count a report; raises Wrong when there were too many."""
        parts, who = self._parts, call.memory.phone or call.session.address.user
        if await parts.limits.over(*reports(who, parts.gate.address(call.request))):
            detail = "今天提交得较多了，请明天再试，或打热线电话由工作人员登记。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "too-many-reports", detail, retry_after=3600)

    async def listed(self, call: Call) -> Reply:
        """Return one's own cases."""
        return Reply(m.Cases(cases=tuple(m.Brief(**_brief(case)) for case in await self._own(call))))

    async def show(self, call: Call) -> Reply:
        """Return one of one's own cases."""
        return Reply(await self._whole(await self._mine(call)))

    async def timeline(self, call: Call) -> Reply:
        """Return what happened to one of one's own cases."""
        case = await self._mine(call)
        lines = tuple(
            m.Line(at=local(event.at), verb=event.verb, label=TOLD[event.verb], note=note(event) or None)
            for event in await self._parts.lookup.log(case.case_no)
            if event.verb in TOLD
        )
        return Reply(m.Timeline(lines=lines))

    async def supplement(self, call: Call, body: m.SupplementIn) -> Reply:
        """Add words to a case; the same words with the same files are added once. Danger is told to those on duty."""
        text = clean(body.text)
        if not text:
            raise invalid("/text", "请写要补充的内容。")
        case, danger = await self._mine(call), detect(text)
        if danger is not None:
            await self._parts.office.alarm(reach(self._parts, call), danger)
        if case.stage is not Stage.NEED_INFO:
            await self._unheld(call, danger)
        if not await self._said(case, text, body.files):
            files = all_there(body.files, await self._shelf.found(call, body.files))
            command = Command(Verb.SUPPLEMENT, CITIZEN, text=text, attachments=files)
            case = await self._parts.office.act(case.case_no, command)
            await self._shelf.give(call, case.case_no, body.files)
            self._parts.safety.look(case.case_no, call.session.person, text)
            self._parts.safety.look_at(case.case_no, call.session.person, body.files)
        whole = await self._whole(case)
        return Reply(m.Supplemented(**whole.model_dump(), danger=danger_of(danger)))

    async def _said(self, case: Case, text: str, files: tuple[str, ...]) -> bool:
        log = await self._parts.lookup.log(case.case_no)
        added = [event.command for event in log if event.verb is Verb.SUPPLEMENT]
        return any(
            each.text == text and {file.blob for file in each.attachments} == set(files) for each in added
        )

    async def urge(self, call: Call, body: m.UrgeIn) -> Reply:
        """Urge."""
        return await self._act(call, Command(Verb.URGE, CITIZEN, text=clean(body.text)))

    async def withdraw(self, call: Call) -> Reply:
        """Withdraw a case."""
        return await self._act(call, Command(Verb.WITHDRAW, CITIZEN, reason="本人撤回"))

    async def rate(self, call: Call, body: m.RatingIn) -> Reply:
        """Rate how a case was handled."""
        reasons = body.reasons if body.score <= 2 else ()
        text = clean(body.text)
        return await self._act(
            call, Command(Verb.RATE, CITIZEN, score=body.score, reasons=reasons, text=text)
        )

    async def look_up(self, call: Call, body: m.LookupIn) -> Reply:
        """Show a stranger the least of a case; a wrong code and no such case are answered alike."""
        number = case_no.parse(body.case_no) or ""
        address = self._parts.gate.address(call.request)
        found = await self._parts.lookup.found(number, body.query_code, call.session.id, address)
        if found.locked:
            detail = "输错次数较多，为保护信息安全，请一小时后再查，或打热线电话由工作人员查询。"
            raise Wrong(HTTPStatus.TOO_MANY_REQUESTS, "locked", detail, retry_after=3600)
        if found.case is None:
            raise Wrong(HTTPStatus.NOT_FOUND, "not-found", "单号或查询码不对，请核对后再试。")
        return Reply(m.Least(**_least(found.case)))

    async def _act(self, call: Call, command: Command) -> Reply:
        case = await self._mine(call)
        return Reply(await self._whole(await self._parts.office.act(case.case_no, command)))

    async def _own(self, call: Call) -> tuple[Case, ...]:
        return await self._parts.lookup.own(self._parts.sessions.conversation(call.session))

    async def _mine(self, call: Call) -> Case:
        number = call.request.match_info["number"]
        mine = next((case for case in await self._own(call) if case.case_no == number), None)
        if mine is None:
            raise unknown()
        return mine

    async def _same(self, number: str, text: str) -> None:
        case = await self._parts.lookup.case(number)
        if case is not None and case.matter.original != text:
            raise Wrong(HTTPStatus.CONFLICT, "key-used", "这个 Idempotency-Key 已经用于另一件诉求。")

    async def _whole(self, case: Case) -> m.Whole:
        matter, now = case.matter, self._parts.now()
        can = {
            verb.value: allowed(case, Command(verb, CITIZEN, score=5), now) is None
            for verb in (Verb.SUPPLEMENT, Verb.URGE, Verb.WITHDRAW, Verb.RATE)
        }
        answered = case.replies and case.stage in _ANSWERED
        return m.Whole(
            **_brief(case),
            content=matter.content,
            place=matter.place_text or None,
            when=matter.occurred or None,
            demand=matter.demand or None,
            secret=case.secret,
            files=await self._shelf.of(case.case_no),
            missing=await self._shelf.missing(case.case_no),
            answer=case.replies[-1].text if answered else None,
            score=case.ratings[-1].score if case.ratings else None,
            may=m.May(**can),
        )


def _source(parts: Parts, call: Call) -> SourceChannel:
    """Return which way a report comes: that of the account its citizen signed in with, else the web."""
    person = call.session.person
    channel = parts.signs.get(person.account) if person is not None else None
    return channel.capabilities.source if channel is not None else SourceChannel.WEB


def _act(
    path: str,
    name: str,
    summary: str,
    handler: Callable[..., Awaitable[Reply]],
    body: type[BaseModel] | None = None,
    *,
    answer: type[BaseModel] = m.Whole,
) -> Operation:
    """Return an operation that moves one of one's own cases."""
    problems = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN)
    answers: dict[HTTPStatus, type[BaseModel] | None] = {HTTPStatus.OK: answer}
    return Operation("POST", f"{_ONE}/{path}", name, summary, handler, answers, body=body, problems=problems)


def _least(case: Case) -> dict[str, Any]:
    main = case.main
    return {
        "case_no": case.case_no,
        "status": CITIZEN_LABELS[case.stage],
        # Who handles it would tell of what is confidential (domain.md 4.4).
        "unit": main.unit_name if main and not case.secret else None,
        "deadline_at": local(case.deadline_at) if case.deadline_at else None,
    }


def _brief(case: Case) -> dict[str, Any]:
    return _least(case) | {
        "stage": case.stage,
        "kind": case.matter.kind,
        "category": case.matter.category or None,
        "title": case.matter.title,
        "created_at": local(case.created_at),
    }
