"""How a case moves: the forty transitions of domain.md 3.2 and the amendment as one table, and the one function that makes a move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from normalizer import guards
from normalizer.case import (
    ENDED,
    OPEN,
    Assignment,
    Case,
    CaseEvent,
    Command,
    Extension,
    Part,
    Pause,
    Rating,
    Reply,
    Return,
    Role,
    Stage,
    Verb,
    Visit,
)
from normalizer.errors import Refused
from normalizer.evolve import evolve

Guard = Callable[[Case, Command, datetime], str | None]


@dataclass(frozen=True, slots=True)
class Move:
    """One row: its number in domain.md 3.2, the stages it leaves, where it leads (None: stays), who may, and what must hold."""

    number: int
    verb: Verb
    before: frozenset[Stage]
    after: Stage | None
    roles: frozenset[Role]
    guards: tuple[Guard, ...] = ()


def _m(
    number: int,
    verb: Verb,
    before: set[Stage] | frozenset[Stage],
    after: Stage | None,
    roles: str,
    *guarded: Guard,
) -> Move:
    return Move(
        number, verb, frozenset(before), after, frozenset(r for c in roles for r in _ROLES[c]), guarded
    )


# The letters of domain.md 3.2; whoever may act as an agent may act as a supervisor.
_ROLES = {
    "C": {Role.CITIZEN},
    "B": {Role.BOT},
    "A": {Role.AGENT, Role.SUPERVISOR},
    "S": {Role.SUPERVISOR},
    "U": {Role.UNIT},
    "T": {Role.TIMER},
    "X": {Role.PARTNER},
}
_S, _V, _G = Stage, Verb, guards

MOVES: tuple[Move, ...] = (
    _m(1, _V.DRAFT, set(), _S.DRAFT, "CB"),
    _m(2, _V.SUBMIT, {_S.DRAFT}, _S.SUBMITTED, "CA", _G.complete),
    _m(3, _V.ASK, {_S.SUBMITTED}, _S.NEED_INFO, "AB", _G.reasoned),
    _m(4, _V.SUPPLEMENT, {_S.NEED_INFO}, _S.SUBMITTED, "CA"),
    _m(4, _V.SUPPLEMENT, OPEN - {_S.NEED_INFO}, None, "CA"),
    _m(5, _V.TERMINATE, {_S.NEED_INFO}, _S.TERMINATED, "TA"),
    _m(5, _V.SUPPLEMENT, {_S.TERMINATED}, _S.SUBMITTED, "C", _G.lapsed),
    _m(6, _V.ACCEPT, {_S.SUBMITTED}, _S.ACCEPTED, "AB", _G.bot_only_whitelisted),
    _m(7, _V.ANSWER, {_S.SUBMITTED}, _S.ANSWERED, "AB", _G.worded),
    _m(8, _V.DIVERT, {_S.SUBMITTED}, _S.DIVERTED, "AB", _G.reasoned),
    _m(9, _V.REJECT, {_S.SUBMITTED}, _S.REJECTED, "A", _G.reject_coded, _G.reasoned),
    _m(10, _V.OBJECT, {_S.REJECTED}, _S.SUBMITTED, "CS", _G.objection_open),
    _m(11, _V.MERGE, {_S.SUBMITTED, _S.ACCEPTED}, _S.MERGED, "A", _G.has_target),
    _m(12, _V.UNMERGE, {_S.MERGED}, _S.SUBMITTED, "A"),
    _m(13, _V.DISPATCH, {_S.ACCEPTED}, _S.DISPATCHED, "AB", _G.bot_only_whitelisted, _G.fit_unit),
    _m(14, _V.SIGN, {_S.DISPATCHED}, _S.PROCESSING, "U", _G.own_case),
    _m(14, _V.HANDLE, {_S.PROCESSING}, None, "U", _G.own_case),
    _m(15, _V.REMIND, OPEN, None, "T", _G.overdue),
    _m(16, _V.RETURN, {_S.DISPATCHED, _S.PROCESSING}, _S.RETURN_REVIEW, "U", _G.own_case, _G.may_return),
    _m(17, _V.UPHOLD, {_S.RETURN_REVIEW}, _S.ACCEPTED, "A"),
    _m(18, _V.OVERRULE, {_S.RETURN_REVIEW}, _S.PROCESSING, "A", _G.reasoned),
    _m(19, _V.DISPUTE, {_S.RETURN_REVIEW}, _S.DISPUTED, "AT"),
    _m(20, _V.DESIGNATE, {_S.DISPUTED}, _S.DISPATCHED, "S", _G.fit_unit, _G.reasoned),
    _m(21, _V.COHANDLE, {_S.PROCESSING}, None, "UA", _G.fit_unit),
    _m(22, _V.EXTEND, {_S.PROCESSING}, None, "U", _G.own_case, _G.may_extend),
    _m(23, _V.GRANT, {_S.PROCESSING}, None, "A", _G.extension_asked, _G.later_deadline),
    _m(23, _V.REFUSE, {_S.PROCESSING}, None, "A", _G.extension_asked, _G.reasoned),
    _m(24, _V.ASK, {_S.PROCESSING}, _S.NEED_INFO, "U", _G.own_case, _G.reasoned, _G.may_pause),
    _m(25, _V.SUSPEND, {_S.PROCESSING}, _S.SUSPENDED, "S", _G.reasoned, _G.worded),
    _m(26, _V.RESUME, {_S.SUSPENDED}, _S.PROCESSING, "UST"),
    _m(27, _V.REPLY, {_S.PROCESSING}, _S.REPLIED, "U", _G.own_case, _G.worded, _G.answered_well),
    _m(28, _V.REDO, {_S.REPLIED}, _S.PROCESSING, "A", _G.reasoned),
    _m(29, _V.FINISH, {_S.REPLIED}, _S.CLOSED_PENDING, "AT"),
    _m(30, _V.VISIT, {_S.CLOSED_PENDING}, _S.VISITED, "ABT"),
    _m(30, _V.RATE, {_S.CLOSED_PENDING, _S.VISITED}, _S.VISITED, "C", _G.rates_once),
    _m(31, _V.REWORK, {_S.VISITED}, _S.REWORK, "AT", _G.reasoned),
    _m(32, _V.DISPATCH, {_S.REWORK}, _S.DISPATCHED, "A", _G.fit_unit),
    _m(33, _V.CLOSE, {_S.VISITED}, _S.CLOSED, "TAC"),
    _m(34, _V.REWORK, {_S.CLOSED}, _S.REWORK, "CA", _G.reasoned, _G.reopen_open),
    _m(35, _V.ARCHIVE, {_S.CLOSED}, _S.ARCHIVED, "T"),
    _m(
        36,
        _V.WITHDRAW,
        {
            _S.SUBMITTED,
            _S.NEED_INFO,
            _S.ACCEPTED,
            _S.MERGED,
            _S.DISPATCHED,
            _S.RETURN_REVIEW,
            _S.DISPUTED,
            _S.PROCESSING,
        },
        _S.WITHDRAWN,
        "CA",
        _G.may_withdraw,
    ),
    _m(37, _V.TERMINATE, {_S.PROCESSING}, _S.TERMINATED, "A", _G.reasoned),
    _m(38, _V.URGE, OPEN, None, "CA", _G.may_urge),
    _m(39, _V.SUPERVISE, OPEN, None, "TS", _G.raises_level),
    _m(40, _V.RISK, frozenset(Stage) - {_S.DRAFT}, None, "BA", _G.reasoned),
    # Beyond domain.md 3.2: an agent puts the form right (智能填单, GB/T 44189 7.3.1); the original words stay.
    _m(41, _V.AMEND, OPEN, None, "A", _G.amended),
)

_BY_VERB: dict[Verb, tuple[Move, ...]] = {verb: tuple(m for m in MOVES if m.verb is verb) for verb in Verb}


def allowed(case: Case, command: Command, now: datetime) -> str | None:
    """Return None when the case may move so, else the code of what forbids it."""
    found = _find(case, command)
    if isinstance(found, str):
        return found
    return next((code for guard in found.guards if (code := guard(case, command, now))), None)


def advance(case: Case, command: Command, now: datetime) -> tuple[Case, CaseEvent]:
    """Move a case and return it with the event that says so; raises Refused."""
    if (code := allowed(case, command, now)) is not None:
        raise Refused(code, f"{command.verb} is refused: {code}")
    move = _find(case, command)
    assert isinstance(move, Move)
    event = CaseEvent(
        case_no=case.case_no,
        seq=case.events + 1,
        at=now,
        verb=command.verb,
        actor=command.actor,
        before=case.stage,
        after=_after(case, move),
        command=command,
    )
    return fold(case, event), event


def fold(case: Case, event: CaseEvent) -> Case:
    """Apply an event that ``advance`` made; replaying a log gives the same case."""
    change = _CHANGES.get(event.verb)
    if change is not None:
        case = change(case, event)
    ended = event.at if event.after in ENDED and event.before not in ENDED else case.ended_at
    return evolve(
        case,
        stage=event.after,
        rev=case.rev + 1,
        events=event.seq,
        ended_at=ended if event.after in ENDED else None,
        assignments=_closed(case.assignments) if event.after in _NO_UNIT else case.assignments,
        deadline_at=None if event.after in _NO_CLOCK else case.deadline_at,
    )


def replay(case: Case, events: tuple[CaseEvent, ...]) -> Case:
    """Apply a whole log."""
    for event in events:
        case = fold(case, event)
    return case


_NO_UNIT = ENDED | {
    Stage.ACCEPTED,
    Stage.MERGED,
    Stage.REWORK,
    Stage.SUBMITTED,
    Stage.CLOSED_PENDING,
    Stage.VISITED,
}
_NO_CLOCK = (ENDED - {Stage.CLOSED, Stage.ARCHIVED}) | {Stage.MERGED}


def _find(case: Case, command: Command) -> Move | str:
    here = [move for move in _BY_VERB[command.verb] if case.stage in move.before]
    if not here:
        return "not_now"
    return next((move for move in here if command.actor.role in move.roles), "not_yours")


def _after(case: Case, move: Move) -> Stage:
    if move.number == 4 and move.after is not None and case.main is not None:
        return Stage.PROCESSING
    return move.after or case.stage


def _closed(assignments: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
    return tuple(replace(a, open=False) if a.open else a for a in assignments)


def _on_main(case: Case, **changes: object) -> Case:
    main = case.main
    assert main is not None
    changed = replace(main, **changes)  # type: ignore[arg-type]
    return evolve(case, assignments=tuple(changed if a is main else a for a in case.assignments))


def _supplement(case: Case, event: CaseEvent) -> Case:
    command = event.command
    pauses, lasted = guards.shifted(case, event.at)
    deadline = case.deadline_at + lasted if case.deadline_at else None
    matter = replace(case.matter, attachments=case.matter.attachments + command.attachments)
    # A supplement may be the wish to be kept confidential (domain.md 4.4, BM); only an agent takes that back.
    secret = case.secret or command.flag
    return evolve(case, matter=matter, pauses=pauses, deadline_at=deadline, reject_code="", secret=secret)


def _dispatch(case: Case, event: CaseEvent) -> Case:
    command = event.command
    assert command.due is not None
    earlier = [a for a in case.assignments if a.unit == command.unit]
    assignment = Assignment(
        unit=command.unit,
        unit_name=command.unit_name,
        dispatched_at=event.at,
        deadline_at=command.due,
        sign_due=command.sign_due,
        return_count=earlier[-1].return_count if earlier else 0,
        forbid_return=event.verb is Verb.DESIGNATE,
    )
    return evolve(
        case,
        assignments=(*_closed(case.assignments), assignment),
        deadline_at=command.due,
        limit_rule=command.rule,
        handle_mode="转办",
        rework_round=case.rework_round + (event.before is Stage.REWORK),
        supervision=0 if event.before is Stage.REWORK else case.supervision,
        overdue_told=False if event.before is Stage.REWORK else case.overdue_told,
    )


def _sign(case: Case, event: CaseEvent) -> Case:
    return _on_main(case, signed_at=event.at, signer=event.actor.id)


def _handle(case: Case, event: CaseEvent) -> Case:
    return _on_main(case, contacted_at=event.at) if event.command.flag else case


def _return(case: Case, event: CaseEvent) -> Case:
    command, main = event.command, case.main
    assert main is not None
    made = Return(main.unit, command.code, command.reason, command.target, event.at)
    return evolve(_on_main(case, return_count=main.return_count + 1), returns=(*case.returns, made))


def _decided(*, upheld: bool) -> Callable[[Case, CaseEvent], Case]:
    def change(case: Case, event: CaseEvent) -> Case:
        last = replace(case.returns[-1], upheld=upheld)
        case = evolve(case, returns=(*case.returns[:-1], last))
        signed = case.main is not None and case.main.signed_at is None and not upheld
        return _on_main(case, signed_at=event.at) if signed else case

    return change


def _cohandle(case: Case, event: CaseEvent) -> Case:
    command = event.command
    assert command.due is not None
    child = Assignment(command.unit, command.unit_name, event.at, command.due, part=Part.CO)
    return evolve(case, assignments=(*case.assignments, child))


def _extend(case: Case, event: CaseEvent) -> Case:
    asked = Extension(event.command.days, event.command.reason, event.at)
    return evolve(case, extensions=(*case.extensions, asked))


def _extension(*, granted: bool) -> Callable[[Case, CaseEvent], Case]:
    def change(case: Case, event: CaseEvent) -> Case:
        last = replace(case.extensions[-1], granted=granted, decided_at=event.at)
        case = evolve(case, extensions=(*case.extensions[:-1], last))
        if not granted:
            return case
        return evolve(_on_main(case, deadline_at=event.command.due), deadline_at=event.command.due)

    return change


def _ask(case: Case, event: CaseEvent) -> Case:
    case = evolve(case, asked_at=event.at)
    if event.before is not Stage.PROCESSING:
        return case
    return evolve(case, pauses=(*case.pauses, Pause(event.at)))


def _remind(case: Case, event: CaseEvent) -> Case:
    return evolve(case, overdue_told=True) if event.command.flag else _on_main(case, reminded=True)


def _reply(case: Case, event: CaseEvent) -> Case:
    command = event.command
    case = _on_main(
        case,
        reply_public=command.text,
        solved=command.code,
        unsolved_reason=command.reason,
        finished_at=event.at,
    )
    return evolve(case, replies=(*case.replies, Reply(command.text, event.actor.unit, event.at)))


def _visit(case: Case, event: CaseEvent) -> Case:
    return evolve(case, visits=(*case.visits, Visit(event.command.code, event.at, event.command.flag)))


def _rate(case: Case, event: CaseEvent) -> Case:
    command = event.command
    rating = Rating(command.score, command.reasons, command.text, case.rework_round, event.at)
    return evolve(case, ratings=(*case.ratings, rating))


def _amend(case: Case, event: CaseEvent) -> Case:
    person, matter = event.command.complainant, event.command.matter
    assert person is not None
    assert matter is not None
    return evolve(case, complainant=person, matter=matter, secret=event.command.flag)


def _reject(case: Case, event: CaseEvent) -> Case:
    return evolve(case, reject_code=event.command.code, rejected_by=event.actor.id)


def _terminate(case: Case, event: CaseEvent) -> Case:
    return evolve(case, reject_code="R15" if event.before is Stage.NEED_INFO else event.command.code)


_CHANGES: dict[Verb, Callable[[Case, CaseEvent], Case]] = {
    Verb.SUPPLEMENT: _supplement,
    Verb.DISPATCH: _dispatch,
    Verb.DESIGNATE: _dispatch,
    Verb.SIGN: _sign,
    Verb.HANDLE: _handle,
    Verb.RETURN: _return,
    Verb.UPHOLD: _decided(upheld=True),
    Verb.OVERRULE: _decided(upheld=False),
    Verb.COHANDLE: _cohandle,
    Verb.EXTEND: _extend,
    Verb.GRANT: _extension(granted=True),
    Verb.REFUSE: _extension(granted=False),
    Verb.ASK: _ask,
    Verb.REMIND: _remind,
    Verb.REPLY: _reply,
    Verb.FINISH: lambda case, event: evolve(case, finished_at=event.at),
    Verb.VISIT: _visit,
    Verb.RATE: _rate,
    Verb.REJECT: _reject,
    Verb.AMEND: _amend,
    Verb.TERMINATE: _terminate,
    Verb.ANSWER: lambda case, event: evolve(
        case, handle_mode="直办", replies=(*case.replies, Reply(event.command.text, event.actor.id, event.at))
    ),
    Verb.MERGE: lambda case, event: evolve(
        case, matter=replace(case.matter, master_case_no=event.command.target)
    ),
    Verb.UNMERGE: lambda case, event: evolve(case, matter=replace(case.matter, master_case_no="")),
    Verb.URGE: lambda case, event: evolve(case, urges=(*case.urges, event.at)),
    Verb.SUPERVISE: lambda case, event: evolve(case, supervision=event.command.score),
    Verb.RISK: lambda case, event: evolve(
        case, matter=replace(case.matter, risk_flags=(*case.matter.risk_flags, event.command.reason))
    ),
}


_NEEDS: Mapping[Guard, tuple[str, ...]] = {
    _G.reasoned: ("reason",),
    _G.worded: ("text",),
    _G.reject_coded: ("code",),
    _G.may_return: ("code", "reason"),
    _G.may_extend: ("days", "reason"),
    _G.fit_unit: ("unit_name",),
    _G.rates_once: ("score",),
    _G.raises_level: ("score",),
}
"""The fields of a command that a guard asks for."""


def needs(stage: Stage, verb: Verb, role: Role) -> tuple[str, ...]:
    """Return the fields of a command without which a case in a stage is not moved so by a role (domain.md 3.2)."""
    move = next((m for m in MOVES if m.verb is verb and stage in m.before and role in m.roles), None)
    guards = move.guards if move is not None else ()
    return tuple(dict.fromkeys(field for guard in guards for field in _NEEDS.get(guard, ())))
