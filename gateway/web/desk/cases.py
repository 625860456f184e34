"""Cases by HTTP: opened beside a talk or from a call, looked at, put right, moved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway import actors
from gateway.desk.cases import Faulty, Staff, Wish
from gateway.desk.form import Form, of_case
from gateway.desk.rights import Right
from gateway.runtime import millis
from gateway.store import agents, lists
from gateway.store import cases as rows
from gateway.web.desk.case_models import (
    Act,
    Amendment,
    CaseView,
    FormView,
    ListedCases,
    NewCase,
    OpenedCase,
    listed,
    view,
)
from gateway.web.desk.operations import Call, Operation, Reply, talk_id
from gateway.web.desk.problems import Fault, Wrong, invalid
from normalizer.case import Role, Stage
from normalizer.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.cases.lookup import Lookup
    from gateway.desk.cases import CaseDesk
    from gateway.store.store import Store
    from normalizer.case import Case, CaseEvent

T = TypeVar("T")
FORM: TypeAdapter[Form] = TypeAdapter(Form)
_STAFF = frozenset({Role.AGENT, Role.SUPERVISOR})
_REFUSED = {
    "not_now": "这件工单现在的状态不能这样办。",
    "not_yours": "这一步要由别的角色来办。",
    "reason_missing": "请写明理由。",
    "text_missing": "请写明内容。",
    "code_missing": "请选择原因代码。",
    "same_reviewer": "异议要由另一位工作人员复核。",
    "unit_or_deadline_missing": "请选择承办单位。",
    "conflict_of_interest": "承办单位就是被反映的对象，请另选单位。",
    "content_too_short": "诉求内容太短。",
    "contact_missing": "请留联系方式。",
    "kind_missing": "请选择诉求类型。",
    "urged_lately": "24 小时内已经催办过。",
}


_FIELDS = {"reason_missing": "reason", "text_missing": "text", "code_missing": "code"}
"""Which field of an act a refusal asks for."""


class Asked(BaseModel):
    """Which cases are listed."""

    model_config = ConfigDict(frozen=True)

    stage: Stage | None = None
    limit: int = Field(default=50, ge=1, le=200)


@dataclass(frozen=True, slots=True)
class Cases:
    """The operations on cases."""

    desk: CaseDesk
    lookup: Lookup
    store: Store
    ids: Callable[[], bytes]
    now: Callable[[], datetime]

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations."""
        right = Right.ACT_ON_CASES
        return (
            Operation("GET", "/cases", self.newest, right, query=Asked),
            Operation("POST", "/cases", self.open, right, body=NewCase),
            Operation("GET", "/talks/{id}/form", self.prefilled, right),
            Operation("GET", "/cases/{no}", self.show, right),
            Operation("POST", "/cases/{no}/reveal", self.reveal, Right.REVEAL),
            Operation("PATCH", "/cases/{no}", self.amend, right, body=Amendment),
            Operation("POST", "/cases/{no}/act", self.act, right, body=Act),
        )

    async def newest(self, call: Call, asked: Asked) -> Reply:
        """Answer the newest cases."""
        stage = asked.stage.value if asked.stage else ""
        found = await self.store.read(partial(rows.newest, limit=asked.limit, stage=stage))
        now = self.now()
        return Reply(ListedCases(items=tuple(listed(self.desk.read(row), now) for row in found)))

    async def prefilled(self, call: Call) -> Reply:
        """Answer the form beside a talk, with what the bot and the people of the desk were told; its looking at is noted."""
        talk = talk_id(call.named("id"))
        filled = await self.desk.prefill(talk)
        await self._looked(call, "desk form", talk.hex())
        return Reply(FormView(form=filled.form, said=filled.said))

    async def open(self, call: Call, new: NewCase) -> Reply:
        """Open a case."""
        by = staff(call)
        if new.talk is None:
            opened = await proved(self.desk.open_call(by, new.form, new.key))
        else:
            opened = await proved(self.desk.open_beside(by, talk_id(new.talk), new.form, new.key))
        told = OpenedCase(case_no=opened.case_no, query_code=opened.query_code, repeat=opened.repeat)
        return Reply(told, HTTPStatus.OK if opened.repeat else HTTPStatus.CREATED)

    async def show(self, call: Call) -> Reply:
        """Answer a case, its person masked."""
        return Reply(await self._view(call, await self.desk.case(call.named("no"))))

    async def reveal(self, call: Call) -> Reply:
        """Answer a case with its person whole, and note who saw it."""
        case = await self.desk.case(call.named("no"))
        await self._looked(call, "desk case", case.case_no)
        return Reply(await self._view(call, case, full=True))

    async def amend(self, call: Call, amendment: Amendment) -> Reply:
        """Put a case's form right."""
        case = await self.desk.case(call.named("no"))
        try:
            form = FORM.validate_python(asdict(of_case(case)) | amendment.changes)
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
            raise _faulty({where: "这一项不符合要求"}) from error
        after = await proved(self.desk.amend(staff(call), case.case_no, form, amendment.rev))
        return Reply(await self._view(call, after))

    async def act(self, call: Call, act: Act) -> Reply:
        """Move a case."""
        wish = Wish(**{name: getattr(act, name) for name in Act.model_fields if name != "rev"})
        after = await proved(self.desk.act(staff(call), call.named("no"), wish, act.rev))
        return Reply(await self._view(call, after))

    async def _view(self, call: Call, case: Case, *, full: bool = False) -> CaseView:
        log = await self.lookup.log(case.case_no)
        verbs = self.desk.possible(staff(call), case)
        return view(case, log, verbs, await self._names(log), self.now(), full=full)

    async def _names(self, log: tuple[CaseEvent, ...]) -> dict[str, str]:
        who = {event.actor.id for event in log if event.actor.role in _STAFF and len(event.actor.id) == 32}
        found = await self.store.read(lambda c: {each: agents.by_id(c, bytes.fromhex(each)) for each in who})
        return {each: row["name"] for each, row in found.items() if row is not None}

    async def _looked(self, call: Call, act: str, subject: str) -> None:
        at, row, actor = millis(self.now()), self.ids(), actors.agent(call.agent.login)
        note = partial(lists.looked, row_id=row, at=at, actor=actor, act=act, subject=subject)
        await self.store.write(note)


def staff(call: Call) -> Staff:
    """Return who asks, as the desk's rooms know him."""
    return Staff(call.agent.id, call.agent.name, call.agent.role.value)


async def proved(work: Awaitable[T]) -> T:
    """Return what work gives; raises Wrong with words for what a rule of the hotline forbids."""
    try:
        return await work
    except Faulty as error:
        raise _faulty(dict(error.faults)) from error
    except Refused as error:
        words = _REFUSED.get(error.reason, "现在不能这样办。")
        if error.reason in _FIELDS:
            raise invalid(f"/{_FIELDS[error.reason]}", words) from error
        raise Wrong(HTTPStatus.CONFLICT, f"case-{error.reason.replace('_', '-')}", words) from error


def _faulty(faults: dict[str, str]) -> Wrong:
    told = tuple(Fault(pointer=f"/form/{name}", detail=words) for name, words in faults.items())
    return Wrong(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "有内容需要改正，请看标红的地方。", errors=told)
