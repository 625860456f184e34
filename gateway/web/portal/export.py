"""One's own data as one value that a program can read (PIPL 45). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.web.portal.told import TOLD, note
from normalizer.case import CITIZEN_LABELS
from normalizer.codes import CATEGORY_LABELS, KIND_LABELS
from normalizer.people import mask, mask_email, mask_name, mask_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from gateway.web.portal.form import Form
    from gateway.web.said import Said
    from normalizer.case import Case, CaseEvent

VERSION = 1


def export(
    *,
    phone: str,
    form: Form | None,
    cases: Sequence[tuple[Case, Sequence[CaseEvent]]],
    talk: Iterable[Said],
    requests: Iterable[tuple[str, str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """Return the data; without a proved telephone names, numbers and addresses of mail are masked."""
    hide: Callable[[str], str] = str if phone else mask
    return {
        "version": VERSION,
        "at": now.isoformat(),
        "phone": phone,
        "draft": hide(form.order.text) if form is not None else "",
        "cases": [_case(case, log, whole=bool(phone)) for case, log in cases],
        "talk": [
            {"at": said.at.isoformat(), "by": "me" if said.mine else "hotline", "text": hide(said.text)}
            for said in talk
        ],
        "requests": [{"kind": kind, "state": state, "at": at.isoformat()} for kind, state, at in requests],
    }


def _case(case: Case, log: Sequence[CaseEvent], *, whole: bool) -> dict[str, Any]:
    matter = case.matter
    hide: Callable[[str], str] = str if whole else mask
    return {
        "case_no": case.case_no,
        "stage": CITIZEN_LABELS[case.stage],
        "kind": KIND_LABELS[matter.kind],
        "category": CATEGORY_LABELS.get(matter.category, ""),
        "created_at": case.created_at.isoformat(),
        "secret": case.secret,
        "text": hide(matter.original or matter.content),
        "place": hide(matter.place_text),
        "when": matter.occurred,
        "demand": hide(matter.demand),
        "person": _person(case, whole=whole),
        "attachments": [each.name or each.kind for each in matter.attachments],
        "replies": [{"at": reply.at.isoformat(), "text": reply.text} for reply in case.replies],
        "course": [
            {"at": event.at.isoformat(), "what": TOLD[event.verb], "note": hide(note(event))}
            for event in log
            if event.verb in TOLD
        ],
    }


def _person(case: Case, *, whole: bool) -> dict[str, Any]:
    who = case.complainant
    return {
        "name": who.name if whole or not who.name else mask_name(who.name),
        "phone": who.phone if whole or not who.phone else mask_phone(who.phone),
        "email": who.email if whole or not who.email else mask_email(who.email),
        "org_name": who.org_name,
        "uscc": who.uscc,
        "agent_for": who.agent_for if whole or not who.agent_for else mask_name(who.agent_for),
        "anonymous": who.anonymous,
    }
