"""Cases and commands for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from normalizer.case import Actor, Case, Command, Complainant, Matter, Role, Stage, Verb
from normalizer.codes import Kind
from normalizer.moves import advance

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CITIZEN = Actor(Role.CITIZEN)
BOT = Actor(Role.BOT, "bot")
AGENT = Actor(Role.AGENT, "a1")
OTHER_AGENT = Actor(Role.AGENT, "a2")
SUPERVISOR = Actor(Role.SUPERVISOR, "s1")
UNIT = Actor(Role.UNIT, "u1", "city")
OTHER_UNIT = Actor(Role.UNIT, "u2", "other")
CLOCK = Actor(Role.TIMER, "clock")
DUE = NOW + timedelta(days=7)

DISPATCH = Command(
    Verb.DISPATCH, AGENT, unit="city", unit_name="市城市管理局", due=DUE, sign_due=NOW + timedelta(hours=2)
)
REPLY = Command(Verb.REPLY, UNIT, text="已处理完毕。", code="已解决")
STEPS = {
    Stage.SUBMITTED: (),
    Stage.ACCEPTED: (Command(Verb.ACCEPT, AGENT),),
    Stage.DISPATCHED: (Command(Verb.ACCEPT, AGENT), DISPATCH),
    Stage.PROCESSING: (Command(Verb.ACCEPT, AGENT), DISPATCH, Command(Verb.SIGN, UNIT)),
    Stage.REPLIED: (Command(Verb.ACCEPT, AGENT), DISPATCH, Command(Verb.SIGN, UNIT), REPLY),
}
STEPS[Stage.CLOSED_PENDING] = (*STEPS[Stage.REPLIED], Command(Verb.FINISH, AGENT))
STEPS[Stage.VISITED] = (*STEPS[Stage.CLOSED_PENDING], Command(Verb.VISIT, AGENT))
STEPS[Stage.CLOSED] = (*STEPS[Stage.VISITED], Command(Verb.CLOSE, CLOCK))
STEPS[Stage.REWORK] = (*STEPS[Stage.VISITED], Command(Verb.REWORK, AGENT, reason="未解决"))
STEPS[Stage.ANSWERED] = (Command(Verb.ANSWER, AGENT, text="带身份证到窗口办理。"),)
STEPS[Stage.NEED_INFO] = (Command(Verb.ASK, AGENT, reason="具体地点"),)
STEPS[Stage.REJECTED] = (Command(Verb.REJECT, AGENT, code="R01", reason="诉讼"),)
STEPS[Stage.MERGED] = (Command(Verb.MERGE, AGENT, target="37092611240000019"),)
STEPS[Stage.SUSPENDED] = (
    *STEPS[Stage.PROCESSING],
    Command(Verb.SUSPEND, SUPERVISOR, reason="等待立项", text="已列入明年计划"),
)
STEPS[Stage.RETURN_REVIEW] = (
    *STEPS[Stage.DISPATCHED],
    Command(Verb.RETURN, UNIT, code="T1", reason="依据三定方案", target="other"),
)
STEPS[Stage.DISPUTED] = (*STEPS[Stage.RETURN_REVIEW], Command(Verb.DISPUTE, AGENT))
STEPS[Stage.TERMINATED] = (
    *STEPS[Stage.NEED_INFO],
    Command(Verb.TERMINATE, CLOCK, reason="逾期未补充", code="R15"),
)


def a_draft(kind: Kind = Kind.HELP) -> Case:
    return Case(
        case_no="37092611240001233",
        source_channel="05",
        region="370900",
        created_at=NOW,
        profile_version="taian-2026-1",
        complainant=Complainant(name="张三", phone="13812345678"),
        matter=Matter(
            kind=kind,
            title="人民路井盖丢失",
            content="人民路与建设路交叉口井盖丢失很危险",
            original="人民路与建设路交叉口井盖丢失很危险",
            category="D05",
            reflect_name="某某物业公司",
        ),
    )


def a_case(stage: Stage = Stage.SUBMITTED, kind: Kind = Kind.HELP) -> Case:
    case, _ = advance(a_draft(kind), Command(Verb.SUBMIT, CITIZEN), NOW)
    for command in STEPS[stage]:
        case, _ = advance(case, command, NOW + timedelta(minutes=1))
    assert case.stage is stage
    return case
