"""What stays of a case when its record's time is over: what the figures are made of, and nothing of anybody (domain.md 1.10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from normalizer.case import Actor, Case, CaseEvent, Command, Complainant, Matter

if TYPE_CHECKING:
    from normalizer.case import Assignment


def anonymous(case: Case) -> Case:
    """Return a case without people, places finer than their area, files, and anybody's words."""
    whose, what = case.complainant, case.matter
    return replace(
        case,
        complainant=Complainant(
            person_type=whose.person_type,
            anonymous=whose.anonymous,
            need_reply=whose.need_reply,
            lang=whose.lang,
        ),
        matter=Matter(
            kind=what.kind,
            place_area=what.place_area,
            category=what.category,
            item_code=what.item_code,
            urgency=what.urgency,
            old_case_no=what.old_case_no,
            master_case_no=what.master_case_no,
            similar=what.similar,
        ),
        ext_nos=(),
        source_messages=(),
        assignments=tuple(map(_assignment, case.assignments)),
        extensions=tuple(replace(each, reason="") for each in case.extensions),
        returns=tuple(replace(each, basis="") for each in case.returns),
        rejected_by="",
        replies=tuple(replace(each, text="", by="") for each in case.replies),
        visits=tuple(replace(each, opinion="") for each in case.visits),
        ratings=tuple(replace(each, opinion="") for each in case.ratings),
        public_reply="",
    )


def anonymous_event(event: CaseEvent) -> CaseEvent:
    """Return a line of a case's log without who acted and without anybody's words."""
    actor, command = _actor(event.actor), event.command
    said = Command(
        verb=command.verb,
        actor=actor,
        code=command.code,
        unit=command.unit,
        unit_name=command.unit_name,
        days=command.days,
        score=command.score,
        reasons=command.reasons,
        due=command.due,
        sign_due=command.sign_due,
        rule=command.rule,
        target=command.target,
        flag=command.flag,
    )
    return replace(event, actor=actor, command=said, notes={})


def _actor(actor: Actor) -> Actor:
    return Actor(actor.role, unit=actor.unit)


def _assignment(assignment: Assignment) -> Assignment:
    return replace(assignment, signer="", reply_public="", reply_internal="", unsolved_reason="")
