from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.case import ENDED, OPEN, Actor, Case, Command, Part, Role, Stage, Verb
from normalizer.codes import Kind
from normalizer.errors import Refused
from normalizer.moves import MOVES, advance, allowed, needs, replay
from tests.kit import cases as kit
from tests.kit.cases import AGENT, CITIZEN, CLOCK, DISPATCH, DUE, NOW, REPLY, SUPERVISOR, UNIT, a_case

LATER = NOW + timedelta(hours=1)
BOT = kit.BOT
C = Command

ROWS = [
    # number, stage before, command, stage after
    (3, Stage.SUBMITTED, C(Verb.ASK, BOT, reason="地点"), Stage.NEED_INFO),
    (4, Stage.NEED_INFO, C(Verb.SUPPLEMENT, CITIZEN, text="在东门"), Stage.SUBMITTED),
    (4, Stage.PROCESSING, C(Verb.SUPPLEMENT, CITIZEN, text="在东门"), Stage.PROCESSING),
    (5, Stage.NEED_INFO, C(Verb.TERMINATE, CLOCK, code="R15"), Stage.TERMINATED),
    (5, Stage.TERMINATED, C(Verb.SUPPLEMENT, CITIZEN, text="在东门"), Stage.SUBMITTED),
    (6, Stage.SUBMITTED, C(Verb.ACCEPT, BOT, flag=True), Stage.ACCEPTED),
    (7, Stage.SUBMITTED, C(Verb.ANSWER, AGENT, text="可以办理"), Stage.ANSWERED),
    (8, Stage.SUBMITTED, C(Verb.DIVERT, AGENT, reason="110"), Stage.DIVERTED),
    (9, Stage.SUBMITTED, C(Verb.REJECT, AGENT, code="R01", reason="诉讼"), Stage.REJECTED),
    (10, Stage.REJECTED, C(Verb.OBJECT, CITIZEN, reason="没有起诉"), Stage.SUBMITTED),
    (11, Stage.ACCEPTED, C(Verb.MERGE, AGENT, target="37092611240000019"), Stage.MERGED),
    (12, Stage.MERGED, C(Verb.UNMERGE, AGENT), Stage.SUBMITTED),
    (13, Stage.ACCEPTED, DISPATCH, Stage.DISPATCHED),
    (14, Stage.DISPATCHED, C(Verb.SIGN, UNIT), Stage.PROCESSING),
    (16, Stage.DISPATCHED, C(Verb.RETURN, UNIT, code="T2", reason="不在辖区"), Stage.RETURN_REVIEW),
    (17, Stage.RETURN_REVIEW, C(Verb.UPHOLD, AGENT), Stage.ACCEPTED),
    (18, Stage.RETURN_REVIEW, C(Verb.OVERRULE, AGENT, reason="属于职责"), Stage.PROCESSING),
    (19, Stage.RETURN_REVIEW, C(Verb.DISPUTE, CLOCK), Stage.DISPUTED),
    (
        20,
        Stage.DISPUTED,
        replace(DISPATCH, verb=Verb.DESIGNATE, actor=SUPERVISOR, reason="指定"),
        Stage.DISPATCHED,
    ),
    (21, Stage.PROCESSING, replace(DISPATCH, verb=Verb.COHANDLE, unit="other"), Stage.PROCESSING),
    (22, Stage.PROCESSING, C(Verb.EXTEND, UNIT, days=3, reason="材料未到", flag=True), Stage.PROCESSING),
    (24, Stage.PROCESSING, C(Verb.ASK, UNIT, reason="地点"), Stage.NEED_INFO),
    (
        25,
        Stage.PROCESSING,
        C(Verb.SUSPEND, SUPERVISOR, reason="等待立项", text="已列入计划"),
        Stage.SUSPENDED,
    ),
    (26, Stage.SUSPENDED, C(Verb.RESUME, CLOCK), Stage.PROCESSING),
    (27, Stage.PROCESSING, REPLY, Stage.REPLIED),
    (28, Stage.REPLIED, C(Verb.REDO, AGENT, reason="答非所问"), Stage.PROCESSING),
    (29, Stage.REPLIED, C(Verb.FINISH, AGENT), Stage.CLOSED_PENDING),
    (30, Stage.CLOSED_PENDING, C(Verb.VISIT, BOT), Stage.VISITED),
    (30, Stage.CLOSED_PENDING, C(Verb.RATE, CITIZEN, score=5), Stage.VISITED),
    (31, Stage.VISITED, C(Verb.REWORK, CLOCK, reason="评价不满意"), Stage.REWORK),
    (32, Stage.REWORK, DISPATCH, Stage.DISPATCHED),
    (33, Stage.VISITED, C(Verb.CLOSE, CLOCK), Stage.CLOSED),
    (34, Stage.CLOSED, C(Verb.REWORK, CITIZEN, reason="又坏了"), Stage.REWORK),
    (35, Stage.CLOSED, C(Verb.ARCHIVE, CLOCK), Stage.ARCHIVED),
    (36, Stage.PROCESSING, C(Verb.WITHDRAW, CITIZEN), Stage.WITHDRAWN),
    (37, Stage.PROCESSING, C(Verb.TERMINATE, AGENT, reason="拒绝配合"), Stage.TERMINATED),
    (38, Stage.PROCESSING, C(Verb.URGE, CITIZEN), Stage.PROCESSING),
    (39, Stage.PROCESSING, C(Verb.SUPERVISE, CLOCK, score=1), Stage.PROCESSING),
    (40, Stage.PROCESSING, C(Verb.RISK, BOT, reason="群体性"), Stage.PROCESSING),
]


@pytest.mark.parametrize(("number", "before", "command", "after"), ROWS, ids=lambda value: str(value)[:40])
def test_every_row_of_the_table_leads_where_it_says(number, before, command, after):
    case, event = advance(a_case(before), command, LATER)
    assert case.stage is after
    assert (event.before, event.after) == (before, after)
    assert number in {move.number for move in MOVES if move.verb is command.verb}


def test_all_forty_rows_and_the_amendment_stand_in_the_table():
    assert {move.number for move in MOVES} == set(range(1, 42))


def _amended(case, **changes):
    return C(
        Verb.AMEND,
        AGENT,
        complainant=case.complainant,
        matter=replace(case.matter, **changes),
        flag=case.secret,
    )


def test_an_agent_puts_the_form_right_and_the_case_stays_where_it_is():
    case = a_case(Stage.PROCESSING)
    after, event = advance(case, _amended(case, title="人民路井盖缺失", category="D05"), LATER)
    assert (after.matter.title, after.stage, event.seq) == (
        "人民路井盖缺失",
        Stage.PROCESSING,
        case.events + 1,
    )
    assert after.matter.original == case.matter.original


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"original": "别的话"}, "form_missing", id="the citizen's words are his"),
        pytest.param({"content": "坏了"}, "content_too_short", id="nothing that could not be submitted"),
        pytest.param({"reflect_name": "城市管理局"}, "conflict_of_interest", id="about the unit that has it"),
    ],
)
def test_an_amendment_that_breaks_the_case_is_refused(changes, why):
    case = a_case(Stage.PROCESSING)
    assert allowed(case, _amended(case, **changes), LATER) == why


def test_a_bot_and_a_unit_amend_nothing():
    case = a_case(Stage.PROCESSING)
    for actor in (BOT, kit.UNIT):
        assert allowed(case, replace(_amended(case), actor=actor), LATER) == "not_yours"


REFUSED = [
    pytest.param(
        Stage.SUBMITTED, C(Verb.REJECT, BOT, code="R01", reason="诉讼"), "not_yours", id="no machine refuses"
    ),
    pytest.param(
        Stage.SUBMITTED, C(Verb.REJECT, AGENT, reason="诉讼"), "code_missing", id="refusal without code"
    ),
    pytest.param(
        Stage.SUBMITTED, C(Verb.ACCEPT, BOT), "not_whitelisted", id="the bot accepts only what is listed"
    ),
    pytest.param(Stage.SUBMITTED, C(Verb.ASK, AGENT), "reason_missing", id="asking without saying what"),
    pytest.param(Stage.SUBMITTED, REPLY, "not_now", id="a reply before handling"),
    pytest.param(
        Stage.ACCEPTED,
        replace(DISPATCH, unit_name="某某物业公司"),
        "conflict_of_interest",
        id="to whom it is about",
    ),
    pytest.param(
        Stage.ACCEPTED, replace(DISPATCH, due=None), "unit_or_deadline_missing", id="dispatch without limit"
    ),
    pytest.param(
        Stage.ACCEPTED, replace(DISPATCH, due=NOW), "unit_or_deadline_missing", id="a limit in the past"
    ),
    pytest.param(Stage.DISPATCHED, C(Verb.SIGN, kit.OTHER_UNIT), "not_your_case", id="another unit signs"),
    pytest.param(
        Stage.DISPATCHED,
        C(Verb.RETURN, UNIT, code="T1", reason="依据"),
        "unit_suggestion_missing",
        id="T1 without suggestion",
    ),
    pytest.param(
        Stage.DISPATCHED, C(Verb.RETURN, UNIT, code="T2"), "basis_missing", id="return without basis"
    ),
    pytest.param(Stage.DISPATCHED, C(Verb.REMIND, CLOCK), "not_overdue", id="reminder before its time"),
    pytest.param(
        Stage.PROCESSING,
        C(Verb.EXTEND, UNIT, days=3, reason="材料"),
        "citizen_not_contacted",
        id="extension behind the citizen's back",
    ),
    pytest.param(Stage.PROCESSING, C(Verb.GRANT, AGENT, due=DUE), "nothing_asked", id="nothing to grant"),
    pytest.param(
        Stage.PROCESSING, replace(REPLY, code=""), "solved_missing", id="reply that says not whether solved"
    ),
    pytest.param(
        Stage.PROCESSING, replace(REPLY, code="未解决"), "reason_missing", id="unsolved without reason"
    ),
    pytest.param(Stage.PROCESSING, C(Verb.RATE, CITIZEN, score=5), "not_now", id="rating before the end"),
    pytest.param(Stage.CLOSED_PENDING, C(Verb.RATE, CITIZEN, score=6), "score_missing", id="no sixth star"),
    pytest.param(
        Stage.CLOSED_PENDING, C(Verb.RATE, AGENT, score=5), "not_yours", id="nobody rates for the citizen"
    ),
    pytest.param(Stage.CLOSED, C(Verb.WITHDRAW, CITIZEN), "not_now", id="withdrawing what is over"),
    pytest.param(
        Stage.DISPUTED,
        replace(DISPATCH, verb=Verb.DESIGNATE, reason="指定"),
        "not_yours",
        id="only a supervisor designates",
    ),
]


@pytest.mark.parametrize(("stage", "command", "code"), REFUSED)
def test_what_a_rule_forbids_is_refused_by_name(stage, command, code):
    case = a_case(stage)
    assert allowed(case, command, LATER) == code
    with pytest.raises(Refused) as refused:
        advance(case, command, LATER)
    assert refused.value.reason == code


def test_a_designated_unit_must_not_return():
    case, _ = advance(
        a_case(Stage.DISPUTED), replace(DISPATCH, verb=Verb.DESIGNATE, actor=SUPERVISOR, reason="指定"), LATER
    )
    assert allowed(case, C(Verb.RETURN, UNIT, code="T2", reason="不在辖区"), LATER) == "return_forbidden"


def test_urging_twice_in_a_day_is_counted_once():
    case, _ = advance(a_case(Stage.PROCESSING), C(Verb.URGE, CITIZEN), LATER)
    assert allowed(case, C(Verb.URGE, CITIZEN), LATER + timedelta(hours=23)) == "urged_lately"
    assert allowed(case, C(Verb.URGE, CITIZEN), LATER + timedelta(hours=24)) is None
    assert allowed(case, C(Verb.URGE, CITIZEN), DUE + timedelta(minutes=1)) is None


def test_a_report_under_check_is_not_withdrawn_by_the_citizen_alone():
    case = a_case(Stage.PROCESSING, Kind.REPORT)
    assert allowed(case, C(Verb.WITHDRAW, CITIZEN), LATER) == "report_under_check"
    assert allowed(case, C(Verb.WITHDRAW, AGENT), LATER) is None
    assert allowed(a_case(Stage.SUBMITTED, Kind.REPORT), C(Verb.WITHDRAW, CITIZEN), LATER) is None


def test_one_rating_a_round():
    case, _ = advance(a_case(Stage.CLOSED_PENDING), C(Verb.RATE, CITIZEN, score=1), LATER)
    assert allowed(case, C(Verb.RATE, CITIZEN, score=5), LATER) == "rated_before"


def test_the_clock_stands_still_while_a_unit_waits_for_the_citizen():
    case, _ = advance(a_case(Stage.PROCESSING), C(Verb.ASK, UNIT, reason="地点"), LATER)
    case, _ = advance(case, C(Verb.SUPPLEMENT, CITIZEN, text="东门"), LATER + timedelta(hours=5))
    assert case.stage is Stage.PROCESSING
    assert case.deadline_at == DUE + timedelta(hours=5)


def test_an_order_without_matter_is_no_case():
    short = replace(kit.a_draft(), matter=replace(kit.a_draft().matter, content="坏了"))
    assert allowed(short, C(Verb.SUBMIT, CITIZEN), NOW) == "content_too_short"


_ACTORS = (CITIZEN, BOT, AGENT, SUPERVISOR, UNIT, CLOCK)
_COMMANDS = st.builds(
    Command,
    verb=st.sampled_from([verb for verb in Verb if verb not in {Verb.DRAFT, Verb.SUBMIT}]),
    actor=st.sampled_from(_ACTORS),
    reason=st.sampled_from(["", "理由"]),
    code=st.sampled_from(["", "R01", "T2", "已解决", "未解决"]),
    unit=st.sampled_from(["city", "other"]),
    unit_name=st.sampled_from(["市城市管理局", "某某物业公司"]),
    text=st.sampled_from(["", "内容"]),
    days=st.integers(0, 5),
    score=st.integers(0, 5),
    due=st.sampled_from([None, DUE, DUE + timedelta(days=30)]),
    target=st.sampled_from(["", "37092611240000019"]),
    flag=st.booleans(),
)
_ASSIGNED = {
    Stage.DISPATCHED,
    Stage.RETURN_REVIEW,
    Stage.DISPUTED,
    Stage.PROCESSING,
    Stage.SUSPENDED,
    Stage.REPLIED,
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_COMMANDS, st.integers(1, 72)), max_size=60))
def test_whatever_is_tried_the_case_stays_sound(tries):
    start = case = kit.a_draft()
    case, event = advance(case, C(Verb.SUBMIT, CITIZEN), NOW)
    log, now = [event], NOW
    for command, hours in tries:
        now += timedelta(hours=hours)
        if allowed(case, command, now) is not None:
            with pytest.raises(Refused):
                advance(case, command, now)
            continue
        case, event = advance(case, command, now)
        log.append(event)
        _is_sound(case, event)
    assert replay(start, tuple(log)) == case
    assert [event.seq for event in log] == list(range(1, len(log) + 1))


def _is_sound(case: Case, event) -> None:
    mains = [a for a in case.assignments if a.open and a.part is Part.MAIN]
    assert len(mains) == (
        1 if case.stage in _ASSIGNED else len(mains) if case.stage is Stage.NEED_INFO else 0
    )
    assert all(a.deadline_at >= a.dispatched_at for a in case.assignments)
    assert not any(a.unit_name == case.matter.reflect_name for a in case.assignments)
    if case.stage is Stage.REJECTED:
        assert case.reject_code
        assert event.actor.role in {Role.AGENT, Role.SUPERVISOR} or event.verb is not Verb.REJECT
    if case.stage in ENDED - {Stage.CLOSED, Stage.ARCHIVED}:
        assert case.deadline_at is None
    if case.stage is Stage.MERGED:
        assert not mains
    paused = sum(((p.until or event.at) - p.since for p in case.pauses), timedelta())
    assert paused <= event.at - NOW


def test_every_state_has_a_way_out_or_is_an_end():
    left = {stage for move in MOVES for stage in move.before}
    assert (
        set(Stage) - left <= {Stage.ANSWERED, Stage.DIVERTED, Stage.ARCHIVED, Stage.WITHDRAWN} | OPEN - OPEN
    )


def test_a_wish_to_be_kept_confidential_holds_until_an_agent_takes_it_back():
    case = a_case(Stage.PROCESSING)
    wish = Command(Verb.SUPPLEMENT, CITIZEN, text="本人要求保密", flag=True)
    case, event = advance(case, wish, NOW)
    assert (case.secret, event.command.text) == (True, "本人要求保密")
    case, _ = advance(case, Command(Verb.SUPPLEMENT, CITIZEN, text="本人不再要求保密"), NOW)
    assert case.secret


@pytest.mark.parametrize("move", [move for move in MOVES if move.before and move.verb is not Verb.SUBMIT])
def test_what_a_verb_needs_is_what_its_guards_refuse_it_without(move):
    stage, role = min(move.before), min(move.roles)
    wants = needs(stage, move.verb, role)
    without = {
        guard(a_case(stage), Command(move.verb, Actor(role, "x")), NOW)
        for row in MOVES
        if row.verb is move.verb and stage in row.before and role in row.roles
        for guard in row.guards
    }
    named = {
        "reason_missing": "reason",
        "text_missing": "text",
        "code_missing": "code",
        "score_missing": "score",
    }
    assert {named[code] for code in without & named.keys()} <= set(wants)
    full = {"reason": "理由", "text": "内容", "code": "R01", "unit_name": "住建局", "score": 5, "days": 3}
    given = Command(move.verb, Actor(role, "x"), **{name: full[name] for name in wants}, unit="u")
    still = {guard(a_case(stage), given, NOW) for guard in move.guards}
    assert not still & named.keys()
