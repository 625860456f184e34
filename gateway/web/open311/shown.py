"""A case as anybody may see it: masked, its place blurred, and whether it is shown at all (domain.md 1.10, 2.2).

The door of Open311 is open to all, so a case is shown as if the whole town looked: no name, number or house, and
nothing of reports and of what is confidential.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.runtime import instant
from gateway.web.open311.requests import CLOSED, OPEN
from gateway.web.open311.wire import Many, Row
from normalizer.case import CITIZEN_LABELS, Case, Stage, Verb
from normalizer.case import OPEN as OWED
from normalizer.codes import CATEGORY_LABELS, KIND_LABELS, REJECT_LABELS, Kind
from normalizer.geo import Point, to_wgs
from normalizer.people import mask, mask_address, mask_name, mask_names, name_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.store.rows import EventRow

ZONE = ZoneInfo("Asia/Shanghai")
BLUR = 3
"""Decimals of a degree that are shown: about 100 m."""
OVER = (frozenset(Stage) - OWED - {Stage.DRAFT}) | {Stage.CLOSED_PENDING, Stage.VISITED, Stage.MERGED}
"""The stages that Open311 calls closed; all others are open."""
UNSEEN = frozenset({"R07", "R08", "R14"})
"""Refused for secrets, other people's privacy, indecency or abuse: the words themselves must not be shown."""

_ROOM = re.compile(r"[A-Za-z0-9一二三四五六七八九十]{1,6}(?=\s?(?:号楼|单元|室|户|楼|层|栋|幢|门牌))")


def may_be_seen(case: Case) -> bool:
    """Return whether a case may be shown to anybody at all."""
    if case.secret or case.matter.kind is Kind.REPORT or case.stage is Stage.DRAFT:
        return False
    return case.reject_code not in UNSEEN and not case.nonsense


def status(case: Case) -> str:
    """Return ``open`` or ``closed``."""
    return CLOSED if case.stage in OVER else OPEN


def stages(wanted: frozenset[str]) -> tuple[str, ...]:
    """Return the stages of some of the two statuses, empty for both."""
    if len(wanted) > 1:
        return ()
    return tuple(stage.value for stage in Stage if (stage in OVER) == (CLOSED in wanted))


def place(case: Case) -> Point | None:
    """Return where it is (WGS-84), blurred, None when that is not known."""
    matter = case.matter
    if matter.lon is None or matter.lat is None:
        return None
    there = to_wgs(Point(matter.lon, matter.lat))
    return Point(round(there.lon, BLUR), round(there.lat, BLUR))


def words(text: str, case: Case) -> str | None:
    """Return words about a case as anybody may read them, None for none."""
    text = mask_names(mask(text))
    for name in (case.complainant.name, name_in(text) or ""):
        if len(name) > 1:
            text = text.replace(name, mask_name(name))
    return _ROOM.sub("*", text) or None


def row(case: Case, moved_at: datetime) -> Row:
    """Return a case as a service request."""
    matter, there = case.matter, place(case)
    shown: dict[str, Any] = {
        "service_request_id": case.case_no,
        "status": status(case),
        "status_notes": notes(case),
        "service_name": CATEGORY_LABELS.get(matter.category),
        "service_code": matter.category or None,
        "description": words(matter.content, case),
        "agency_responsible": case.assignments[-1].unit_name if case.assignments else None,
        "service_notice": None,
        "requested_datetime": local(case.created_at),
        "updated_datetime": local(_updated(case, moved_at)),
        "expected_datetime": local(case.deadline_at) if case.deadline_at and status(case) == OPEN else None,
        "address": _address(case),
        "address_id": None,
        "zipcode": None,
        "lat": there.lat if there else None,
        "long": there.lon if there else None,
        # Photos are not shown: nobody has looked whether there is a face or a number plate in them.
        "media_url": None,
    }
    return shown


def more(case: Case, log: Sequence[EventRow]) -> Row:
    """Return what ``extensions=true`` adds: the matter by its codes, and what happened, without words."""
    told = [
        {"datetime": local(instant(event.at)), "description": CITIZEN_LABELS[Stage(event.after)]}
        for event in log
        if event.verb in NOTED
    ]
    matter = case.matter
    codes = {
        "stage": case.stage.value,
        "kind": matter.kind.value,
        "kind_name": KIND_LABELS[matter.kind],
        "field": matter.field or None,
    }
    return {"extended_attributes": codes, "notes": Many("note", told)}


def notes(case: Case) -> str:
    """Return how it stands, as the citizen is told it, with the answer or the reason."""
    label = CITIZEN_LABELS[case.stage]
    if case.stage is Stage.REJECTED:
        return f"{label}：{REJECT_LABELS.get(case.reject_code, '其他')}"
    answered = case.replies and case.stage in OVER
    said = words(case.replies[-1].text, case) if answered else None
    return f"{label}：{said}" if said else label


def local(at: datetime) -> str:
    """Return an instant as it is written here: 2026-11-24T10:00:00+08:00."""
    return at.astimezone(ZONE).isoformat(timespec="seconds")


NOTED = (
    *(Verb.SUBMIT, Verb.ACCEPT, Verb.ASK, Verb.ANSWER, Verb.DIVERT, Verb.REJECT, Verb.MERGE, Verb.UNMERGE),
    *(Verb.DISPATCH, Verb.DESIGNATE, Verb.SIGN, Verb.SUSPEND, Verb.RESUME, Verb.FINISH, Verb.REWORK),
    *(Verb.CLOSE, Verb.WITHDRAW, Verb.TERMINATE),
)
"""The moves that are told to anybody; returns, disputes and supervision are the hotline's own matter."""


def update(case: Case, event: EventRow) -> Row:
    """Return one move of a case as a service request update."""
    stage, verb = Stage(event.after), Verb(event.verb)
    answers = verb in {Verb.FINISH, Verb.ANSWER}
    said = next((r.text for r in reversed(case.replies) if r.at <= instant(event.at)), "") if answers else ""
    label = CITIZEN_LABELS[stage]
    text = words(said, case) if said else None
    return {
        "update_id": update_id(case.case_no, event.seq),
        "service_request_id": case.case_no,
        "status": _extended(case, stage),
        "updated_datetime": local(instant(event.at)),
        "description": f"{label}：{text}" if text else label,
        "media_url": None,
    }


def update_id(case_no: str, seq: int) -> str:
    """Return the name of one event of a case."""
    return f"{case_no}-{seq}"


def _extended(case: Case, stage: Stage) -> str:
    """Return a stage as FixMyStreet's clients know it (desk-and-open311.md 2, item 5)."""
    if stage is Stage.REJECTED:
        return "NOT_COUNCILS_RESPONSIBILITY" if case.reject_code in _OTHERS else "NO_FURTHER_ACTION"
    if stage is Stage.CLOSED_PENDING:
        solved = next((a.solved for a in reversed(case.assignments) if a.solved), "")
        return "FIXED" if solved == "已解决" else "CLOSED"
    return _EXTENDED.get(stage, "CLOSED" if stage in OVER else "OPEN")


_OTHERS = frozenset({"R09", "R10", "R12"})
_EXTENDED = {
    Stage.ACCEPTED: "INVESTIGATING",
    Stage.DISPATCHED: "ACTION_SCHEDULED",
    Stage.PROCESSING: "IN_PROGRESS",
    Stage.MERGED: "DUPLICATE",
    Stage.DIVERTED: "INTERNAL_REFERRAL",
    Stage.REWORK: "REOPEN",
}


def _updated(case: Case, moved_at: datetime) -> datetime:
    """Return when it last moved; of a closed one, when it was closed."""
    if status(case) == OPEN:
        return moved_at
    return case.ended_at or case.finished_at or moved_at


def _address(case: Case) -> str | None:
    text = case.matter.place_text
    return words(mask_address(text), case) if text else None
