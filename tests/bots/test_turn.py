"""Single turns: what the bot asks, promises and hands on, where a script would not show it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots import answers
from bots.contract import (
    AskAnswers,
    AskFound,
    AskNumber,
    AskOwn,
    AskQueue,
    Facts,
    Found,
    Known,
    Moment,
    NewNumber,
    Submit,
    Turn,
)
from bots.router import turn
from bots.scene import Scene
from bots.state import Flow, Order, State, Step
from normalizer.case import Stage
from normalizer.codes import Kind
from normalizer.draft import CaseDraft, draft
from normalizer.message import InboundMessage, Part, PartKind, SourceChannel
from tests.bots.player import PROFILES, START
from tests.kit.cases import a_case

MOMENT = Moment(START, PROFILES.city)
NUMBER = NewNumber("37092611240000019", "482913")
KNOWN = State(notice_version=PROFILES.city.notice_version)
READY = Order(
    text="东岳大街88号门前井盖丢失很危险", place="东岳大街88号", kind=Kind.HELP, category="D05", sure=True,
    name="李四", phone="13812345678", brief=True, since=START,
)  # fmt: skip
REVIEW = replace(KNOWN, flow=Flow.ORDER, step=Step.REVIEW, order=READY)


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        pytest.param({}, True, id="a listed category beyond doubt"),
        pytest.param({"sure": False}, False, id="a category that is only likely"),
        pytest.param({"category": "C07"}, False, id="a category that is not listed"),
        pytest.param({"category": ""}, False, id="no category"),
        pytest.param({"kind": Kind.REPORT, "secret": False}, False, id="a report"),
        pytest.param({"kind": Kind.SUGGESTION}, False, id="a suggestion"),
        pytest.param({"kind": Kind.COMPLAINT}, True, id="a complaint"),
    ],
)
def test_the_bot_accepts_only_what_the_city_lets_it(changes: dict[str, object], accepted: bool) -> None:  # noqa: FBT001
    order = replace(READY, **changes)  # type: ignore[arg-type]
    submit = _submitted(replace(REVIEW, order=order))
    assert submit.accept is accepted


def test_nothing_personal_is_left_open_in_the_matter() -> None:
    order = replace(READY, text=f"{READY.text}，找13912345678", demand="请打13912345678")
    matter = _submitted(replace(REVIEW, order=order)).matter
    assert "13912345678" not in matter.content + matter.title + matter.demand
    assert "13912345678" in matter.original


def test_a_submitted_order_leaves_nothing_of_itself_but_the_contact() -> None:
    done = turn(REVIEW, said("1"), Facts(source="05", number=NUMBER), MOMENT)
    assert isinstance(done, Turn)
    assert done.state.order == Order()
    assert (done.state.name, done.state.phone) == ("李四", "13812345678")


@pytest.mark.parametrize(
    ("state", "text", "asks"),
    [
        pytest.param(REVIEW, "1", AskNumber(), id="submitting asks for a number"),
        pytest.param(KNOWN, "查进度", AskOwn(), id="progress asks for one's own"),
        pytest.param(KNOWN, "催办", AskOwn(), id="urging asks for one's own"),
        pytest.param(KNOWN, "0", AskQueue(), id="a person asks for the queue"),
        pytest.param(KNOWN, "37092611240001233 482913", AskOwn(), id="a number is first looked for among one's own"),
    ],
)  # fmt: skip
def test_what_must_be_known_is_asked_for(state: State, text: str, asks: object) -> None:
    assert turn(state, said(text), Facts(source="05"), MOMENT) == asks


def test_another_s_case_is_asked_for_by_number_and_code() -> None:
    asks = turn(KNOWN, said("37092611240001233，482913"), Facts(own=()), MOMENT)
    assert asks == AskFound("37092611240001233", "482913")


def test_a_stranger_learns_nothing_of_a_confidential_case_but_its_stage() -> None:
    case = replace(a_case(Stage.PROCESSING), secret=True)
    done = turn(KNOWN, said("37092611240001233 482913"), Facts(own=(), found=Found(case)), MOMENT)
    assert isinstance(done, Turn)
    assert "办理中" in done.replies[0]
    assert not [word for word in ("市城市管理局", "12月1日", "井盖") if word in done.replies[0]]


def test_the_least_a_stranger_learns_is_the_same_for_wrong_code_and_no_case() -> None:
    done = [
        turn(KNOWN, said(f"{number} 111112"), Facts(own=(), found=Found(None)), MOMENT)
        for number in ("37092611240001233", "37092611240000019")
    ]
    assert all(isinstance(each, Turn) for each in done)
    assert len({each.replies for each in done if isinstance(each, Turn)}) == 1


@pytest.mark.parametrize("text", ["人民路的路灯坏了好几盏", "1", "0", "催办", "着火了快来人", "👍"])
def test_the_same_message_leads_to_the_same_turn(text: str) -> None:
    facts = Facts(source="05", own=(a_case(Stage.PROCESSING),), number=NUMBER)
    assert turn(KNOWN, said(text), facts, MOMENT) == turn(KNOWN, said(text), facts, MOMENT)


def test_a_new_notice_is_shown_to_whoever_saw_the_old_one() -> None:
    done = turn(replace(KNOWN, notice_version="2020-1"), said("菜单"), Facts(source="05"), MOMENT)
    assert isinstance(done, Turn)
    assert "仅用于办理诉求" in done.replies[0]
    assert done.state.notice_version == PROFILES.city.notice_version


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        ("公积金怎么提取", True),
        ("请问公积金怎么提取？", True),
        ("路灯坏了找谁修", True),
        ("路灯坏了", False),
        ("你好", False),
        ("1", False),
        ("投诉", False),
        ("人民路与建设路交叉口的路灯坏了三天，请尽快派人来修", False),
        ("路灯坏了怎么还不修", False),
        ("为什么路灯没人管", False),
        ("路灯什么时候能修好", False),
        ("我要投诉物业乱收费怎么没人管", False),
        ("老板拖欠工资三个月，多次讨要不给，请问怎么办", False),
        ("家里燃气泄漏怎么办", False),
        ("怎么", False),
        ("张三 13812345678", False),
        ("谢谢", False),
    ],
)
def test_only_a_question_that_complains_of_nothing_is_looked_up(text: str, looked_up: bool) -> None:  # noqa: FBT001
    assert isinstance(turn(KNOWN, said(text), Facts(), MOMENT), AskAnswers) is looked_up


def test_a_letter_that_asks_gets_the_answer_in_the_letter() -> None:
    known = Known("gjj", "公积金怎么提取", "到公积金中心办理。", "条例", "示例", START.date(), sure=True)
    letter = Scene(KNOWN, said("公积金怎么提取"), Facts(source="03"), MOMENT, None)
    assert answers.letter(letter) == AskAnswers("公积金怎么提取")
    told = replace(letter, facts=Facts(source="03", answers=(known,)))
    assert answers.letter(told) == "到公积金中心办理。\n依据：条例 来源：示例 更新：2026-11-24"
    near = replace(letter, facts=Facts(source="03", answers=(replace(known, sure=False),)))
    assert answers.letter(near) == ""
    assert answers.letter(replace(letter, reading=said("路灯坏了三天没人修"))) == ""


def said(text: str) -> CaseDraft:
    parts = (Part(PartKind.TEXT, text),)
    return draft(InboundMessage("wx", "o1", "1", SourceChannel.WECHAT, START, START, parts, b""))


def _submitted(state: State) -> Submit:
    done = turn(state, said("1"), Facts(source="05", number=NUMBER), MOMENT)
    assert isinstance(done, Turn)
    (effect,) = done.effects
    assert isinstance(effect, Submit)
    return effect
