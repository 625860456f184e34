"""Cases as the desk's pages see them: personal data masked, unless a full view was asked for and noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from gateway.desk.form import Form, of_case
from gateway.desk.labels import VERB_LABELS
from normalizer.case import STAGE_LABELS, Role, Verb
from normalizer.codes import CATEGORY_LABELS, KIND_LABELS, REJECT_LABELS, SOURCE_LABELS
from normalizer.people import mask, mask_address, mask_email, mask_name, mask_phone
from normalizer.scope import beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from normalizer.case import Case, CaseEvent

ZONE = ZoneInfo("Asia/Shanghai")
STRICT = ConfigDict(extra="forbid", frozen=True)
ID, NUMBER = "^[0-9a-f]{32}$", "^[0-9]{17}$"
_ACTORS = {
    Role.CITIZEN: "市民",
    Role.BOT: "智能客服",
    Role.UNIT: "承办单位",
    Role.TIMER: "系统",
    Role.PARTNER: "外部系统",
}


class NewCase(BaseModel):
    """A case to be opened; ``key`` is the page's own, so that a second click opens no second case; ``talk`` none for a call."""

    model_config = STRICT

    key: str = Field(min_length=8, max_length=64)
    form: Form
    talk: str | None = Field(default=None, pattern=ID)


class OpenedCase(BaseModel):
    """A case that was opened, with the query code to tell the citizen; ``repeat`` when it was opened before."""

    case_no: str
    query_code: str
    repeat: bool


class Amendment(BaseModel):
    """Fields of the form to be put right, as they shall be; the others stay."""

    model_config = STRICT

    rev: int
    changes: dict[str, Any]


class Act(BaseModel):
    """A verb with what it needs, on the case as it was seen at ``rev``."""

    model_config = STRICT

    verb: Verb
    rev: int
    reason: str = Field(default="", max_length=500)
    code: str = Field(default="", max_length=20)
    unit: str = Field(default="", max_length=40)
    unit_name: str = Field(default="", max_length=100)
    text: str = Field(default="", max_length=2000)
    days: int = Field(default=0, ge=0, le=90)
    score: int = Field(default=0, ge=0, le=5)
    flag: bool = False


class Listed(BaseModel):
    """A case in a list."""

    case_no: str
    title: str
    stage: str
    stage_label: str
    kind_label: str
    category_label: str
    source_label: str
    created_at: datetime
    deadline_at: datetime | None
    sla: Literal["", "ok", "soon", "late"]
    secret: bool


class ListedCases(BaseModel):
    """Cases in a list."""

    items: tuple[Listed, ...]


class Step(BaseModel):
    """One line of a case's log."""

    seq: int
    at: datetime
    verb: str
    label: str
    actor: str
    before: str
    after: str
    reason: str
    text: str


class Can(BaseModel):
    """One thing that may be tried: the fields it is refused without, and what its code may be."""

    verb: str
    label: str
    needs: tuple[str, ...] = ()
    codes: dict[str, str] = Field(default={})


class CaseView(Listed):
    """A case, whole; ``full`` when its personal data is not masked."""

    rev: int
    full: bool
    form: Form
    unit: str
    labels: tuple[str, ...]
    supervision: int
    master_case_no: str
    old_case_no: str
    replies: tuple[str, ...]
    verbs: tuple[Can, ...]
    log: tuple[Step, ...]


class FormView(BaseModel):
    """A form to be filled in; ``said`` names the fields that the citizen told people, not the bot."""

    form: Form
    said: tuple[str, ...] = ()


def local(at: datetime) -> datetime:
    """Return an instant in the hotline's own time, +08:00."""
    return at.astimezone(ZONE)


def listed(case: Case, now: datetime) -> Listed:
    """Return a case for a list."""
    return Listed(**_of(case, now))


def _can(verb: Verb, fields: tuple[str, ...], case: Case) -> Can:
    # What the words tell stands first, for a person to choose.
    outside = beyond(case.matter.original or case.matter.content)
    codes = {outside: REJECT_LABELS[outside]} if outside else {}
    codes = codes | REJECT_LABELS if verb is Verb.REJECT else {}
    return Can(verb=verb.value, label=VERB_LABELS[verb], needs=fields, codes=codes)


def view(
    case: Case,
    log: Sequence[CaseEvent],
    verbs: Mapping[Verb, tuple[str, ...]],
    names: Mapping[str, str],
    now: datetime,
    *,
    full: bool,
) -> CaseView:
    """Return a case for its pane."""
    form, hide = of_case(case), str if full else mask
    return CaseView(
        **_of(case, now),
        rev=case.rev,
        full=full,
        form=form if full else masked(form),
        unit=case.main.unit_name if case.main else "",
        labels=case.matter.labels,
        supervision=case.supervision,
        master_case_no=case.matter.master_case_no,
        old_case_no=case.matter.old_case_no,
        replies=tuple(hide(reply.text) for reply in case.replies),
        verbs=tuple(_can(verb, fields, case) for verb, fields in verbs.items()),
        log=tuple(_step(event, names, hide) for event in log),
    )


def masked(form: Form) -> Form:
    """Return a form with its person masked (domain.md 1.10)."""
    return replace(
        form,
        name=mask_name(form.name) if form.name else "",
        phone=mask_phone(form.phone) if form.phone else "",
        email=mask_email(form.email) if form.email else "",
        address=mask_address(form.address),
        reflect_phone=mask_phone(form.reflect_phone) if form.reflect_phone else "",
    )


def _of(case: Case, now: datetime) -> dict[str, Any]:
    return {
        "case_no": case.case_no,
        "title": case.matter.title,
        "stage": case.stage.value,
        "stage_label": STAGE_LABELS[case.stage],
        "kind_label": KIND_LABELS[case.matter.kind],
        "category_label": CATEGORY_LABELS.get(case.matter.category, ""),
        "source_label": SOURCE_LABELS.get(case.source_channel, ""),
        "created_at": local(case.created_at),
        "deadline_at": local(case.deadline_at) if case.deadline_at else None,
        "sla": _sla(case, now),
        "secret": case.secret,
    }


def _sla(case: Case, now: datetime) -> str:
    """Return how the time limit stands: soon in its last fifth, as for the units' reminder (domain.md 1.8)."""
    if case.deadline_at is None:
        return ""
    if now > case.deadline_at:
        return "late"
    since = case.main.dispatched_at if case.main else case.created_at
    return "soon" if now >= since + (case.deadline_at - since) * 0.8 else "ok"


def _step(event: CaseEvent, names: Mapping[str, str], hide: Callable[[str], str]) -> Step:
    return Step(
        seq=event.seq,
        at=local(event.at),
        verb=event.verb.value,
        label=VERB_LABELS[event.verb],
        actor=_ACTORS.get(event.actor.role) or names.get(event.actor.id, "工作人员"),
        before=STAGE_LABELS[event.before],
        after=STAGE_LABELS[event.after],
        reason=hide(event.command.reason),
        text=hide(event.command.text),
    )
