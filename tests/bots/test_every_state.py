"""Every question the bot can have open: a person is one key away, danger comes first, and the memory keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.contract import Alert, Handoff, Known, Owner
from bots.state import Flow, State, Step, dump, load
from normalizer.message import EventKind, Part, PartKind, SourceChannel
from tests.bots.player import START, Citizen, _case, served

PAST_CODE = "37092611240001233"
BEGUN = ("2", "小区的路灯全都不亮了")
WHERE = (*BEGUN, "泰山区青年路5号")
WHEN = (*WHERE, "3")
REPORTED = ("举报岱岳区粥店街道人民路88号老王饭店偷排污水", "今天", "查处")
ALL = "泰山区东岳大街88号门前井盖丢失很危险，我叫李四，电话13812345678"

Place = tuple[Flow, Step]
WAYS: dict[Place, tuple[str, ...]] = {
    (Flow.NONE, Step.NONE): ("你好",),
    (Flow.NONE, Step.DONE): (ALL, "1"),
    (Flow.ORDER, Step.TEXT): ("2",),
    (Flow.ORDER, Step.PLACE): BEGUN,
    (Flow.ORDER, Step.WHEN): WHERE,
    (Flow.ORDER, Step.DEMAND): WHEN,
    (Flow.ORDER, Step.KIND): ("2", "小区里面有人养了很多的鸡", "泰山区花园小区3号楼", "3", "搬走"),
    (Flow.ORDER, Step.CONTACT): REPORTED,
    (Flow.ORDER, Step.SECRET): (*REPORTED, "13812345678"),
    (Flow.ORDER, Step.REPLY): (*REPORTED, "13812345678", "1"),
    (Flow.ORDER, Step.MATERIALS): (*REPORTED, "13812345678", "1", "1"),
    (Flow.ORDER, Step.REVIEW): (ALL,),
    (Flow.ORDER, Step.ITEM): (ALL, "2"),
    (Flow.RESUME, Step.NONE): (*BEGUN, "你好"),
    (Flow.AGAIN, Step.PICK): (ALL, "1", "东岳大街88号门前井盖丢失，怎么还没人来修"),
    (Flow.BEYOND, Step.CONFIRM): ("我要起诉开发商延期交房",),
    (Flow.OBJECT, Step.COLLECT): ("异议",),
    (Flow.MINE, Step.CONFIRM): ("删除我的信息",),
    (Flow.MINE, Step.CONTACT): ("改电话",),
    (Flow.CONSULT, Step.NONE): ("公积金怎么提取",),
    (Flow.CONSULT, Step.CONFIRM): ("公积金怎么提取",),
    (Flow.CONSULT, Step.PICK): ("公积金怎么提取",),
    (Flow.PROGRESS, Step.NONE): ("查进度",),
    (Flow.CODE, Step.NONE): (PAST_CODE,),
    (Flow.SUPPLEMENT, Step.PICK): ("补充",),
    (Flow.SUPPLEMENT, Step.COLLECT): ("补充", "1"),
    (Flow.URGE, Step.PICK): ("催办",),
    (Flow.WITHDRAW, Step.PICK): ("撤回",),
    (Flow.WITHDRAW, Step.CONFIRM): ("撤回", "1"),
    (Flow.CONFIDE, Step.PICK): ("BM",),
    (Flow.RATE, Step.NONE): ("评价",),
    (Flow.REASONS, Step.NONE): ("评价", "1"),
    (Flow.CALLBACK, Step.NONE): ("0", "2"),
    (Flow.NOTE, Step.NONE): ("0", "3"),
    (Flow.SERVICE, Step.NONE): (),
}
ANYWHERE = pytest.mark.parametrize(
    "place", WAYS, ids=lambda place: f"{place[0] or 'idle'}-{place[1] or 'open'}"
)


@ANYWHERE
@pytest.mark.parametrize("key", ["0", "０", "人工", "转人工", "我要找人工客服"])
def test_a_person_is_one_word_away(place: Place, key: str) -> None:
    citizen = led_to(place)
    waited = citizen.owner is Owner.QUEUED
    done = citizen.says(Part(PartKind.TEXT, text=key))
    assert waited or [type(effect) for effect in done.effects] == [Handoff]
    assert citizen.owner is Owner.QUEUED
    assert "12345" in "".join(done.replies)


@ANYWHERE
@pytest.mark.parametrize("text", ["转人工", "着火了快来人", "2"])
def test_t17_whatever_leads_to_a_person_says_so_once(place: Place, text: str) -> None:
    citizen = led_to(place)
    waited = citizen.owner is Owner.QUEUED
    done = citizen.says(Part(PartKind.TEXT, text=text))
    told = "".join(done.replies)
    handed = [effect for effect in done.effects if isinstance(effect, Handoff)]
    assert len(handed) <= 1
    assert sum(told.count(words) for words in ("已为您登记转人工", "您已在排队", "我已提醒值班人员")) <= 1
    assert not handed or waited or told


@ANYWHERE
def test_a_person_is_one_button_away(place: Place) -> None:
    citizen = led_to(place)
    citizen.says(Part(PartKind.EVENT, event=EventKind.CLICK, key="HUMAN"))
    assert citizen.owner is Owner.QUEUED


@ANYWHERE
def test_danger_comes_first_and_leaves_the_question_open(place: Place) -> None:
    citizen = led_to(place)
    done = citizen.says(Part(PartKind.TEXT, text="着火了快来人"))
    assert [type(effect) for effect in done.effects] == [Alert, Handoff]
    assert done.replies[0].startswith("您说的情况可能危及人身安全")
    # Whom danger leads back into the queue is not asked how he was served before.
    left = (Flow.NONE, Step.NONE) if place[0] is Flow.SERVICE else place
    assert (citizen.state.flow, citizen.state.step) == left


@ANYWHERE
def test_the_memory_keeps_every_question(place: Place) -> None:
    state = led_to(place).state
    assert load(dump(state)) == state


@ANYWHERE
@pytest.mark.parametrize("text", ["", "👍", "嗯", "99", "啊啊啊", "泰山区花园小区停水两天了影响生活"])
@pytest.mark.parametrize("elderly", [False, True], ids=["plain", "elderly"])
def test_whatever_comes_is_answered_briefly(place: Place, text: str, elderly: bool) -> None:  # noqa: FBT001
    citizen = led_to(place)
    citizen.state = replace(citizen.state, elderly=elderly)
    # The player measures every reply.
    citizen.says(Part(PartKind.TEXT, text=text))


@ANYWHERE
def test_nobody_is_held_in_a_question(place: Place) -> None:
    citizen = led_to(place)
    citizen.owner = Owner.BOT
    for _ in range(4):
        citizen.says(Part(PartKind.TEXT, text="取消"))
    assert citizen.state.flow is Flow.NONE


BY_SMS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "solved": ("公积金怎么提取",),
    "what": ("路灯坏了",),
    "where": ("小区的路灯全都不亮了",),
    "who": ("泰山区青年路路灯坏了影响出行",),
    "list": ("CX",),
    "code": (PAST_CODE,),
    "which to supplement": ("BC 又坏了",),
    "what to supplement": ("BC 0000010",),
    "withdraw": ("CH 0000010",),
    "rate": ("PJ",),
    "why": ("PJ 1",),
    "telephone": ("改电话",),
    "beyond": ("我要起诉开发商延期交房",),
    "all deleted": ("删除我的信息",),
    "the same": ("人民路井盖丢失，怎么还没人来修",),
    "person": ("RG",),
    "how to wait": ("RG", "RG"),
    "danger": ("着火了快来人",),
}


@pytest.mark.parametrize("led", BY_SMS.values(), ids=BY_SMS.keys())
@pytest.mark.parametrize(
    "text",
    [
        *("", "👍", "嗯", "99", "1", "ABC", "Y", "N", "?", "CX", "CB", "BC", "BM", "YZ", "YZ 135790", "TD", "RG", "0"),
        *("取消", "返回", "重新开始", "咨询", "投诉", "长辈模式", "你好", "谢谢", "照片怎么发", "你们这帮混蛋"),
        *("37092611240001234", "CX 37092611240001233 111112", "停水", "泰山区花园小区停水两天了影响生活"),
        *("着火了快来人", "I need some help please", "не работает свет", "绑定手机", "公积金怎么提取需要什么材料"),
    ],
)  # fmt: skip
def test_whatever_comes_by_sms_is_answered_in_segments(led: tuple[str, ...], text: str) -> None:
    citizen = Citizen(source=SourceChannel.SMS, sender="13812345678")
    citizen.known = [_LONGEST]
    for stage in ("processing", "processing", "closed_pending"):
        _case(citizen, stage)
    # The player measures every reply.
    for word in (*led, text):
        citizen.says(Part(PartKind.TEXT, text=word))
    assert load(dump(citizen.state)) == citizen.state


@pytest.mark.parametrize(
    "about", ["", "37092611200000010", "37092611240001233"], ids=["new", "own", "another"]
)
@pytest.mark.parametrize("stage", ["processing", "closed_pending", "closed", "rejected", "need_info"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "👍", "5", "0", "9", "查询", "补充", "催办", "撤回", "确认撤回", "评价", "评价 1", "人工", "退订", "保密"),
        *("谢谢", "你好", "绑定手机", "查询 37092611240001234", "补充 又坏了一盏", "CX", "BC 又坏了", "取消", "菜单"),
        *("没有解决，还是老样子没人来", "着火了快来人", "не работает свет", "hello there my friend", "路灯"),
    ],
)  # fmt: skip
def test_whatever_comes_by_mail_is_answered_at_most_once(text: str, stage: str, about: str) -> None:
    citizen = Citizen(source=SourceChannel.EMAIL, sender="zhang@example.com")
    _case(citizen, stage)
    for _ in range(2):
        citizen.letter = {"about": about}
        done = citizen.says(Part(PartKind.TEXT, text=text))
        assert len(done.replies) <= 1
        assert about[-1:] != "3" or "人民路" not in "".join(done.replies)


def test_every_flow_is_led_to() -> None:
    assert {flow for flow, _ in WAYS} == set(Flow)
    assert {step for _, step in WAYS} == set(Step)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="a list"),
        pytest.param('{"flow": "safe", "welcomed": true}', id="an older flow"),
        pytest.param('{"order": {"kind": "77"}}', id="a kind that is none"),
        pytest.param('{"step": 5}', id="another type"),
    ],
)
def test_a_memory_of_another_shape_begins_anew(text: str) -> None:
    assert load(text) == State()


def test_a_memory_with_more_in_it_keeps_what_is_known() -> None:
    assert load('{"elderly": true, "colour": "red"}') == State(elderly=True)


def led_to(place: Place) -> Citizen:
    citizen = Citizen()
    for stage in ("processing", "processing", *_MORE.get(place[0], ())):
        _case(citizen, stage)
    citizen.known = KNOWN.get(place, [])
    for word in WAYS[place]:
        citizen.says(Part(PartKind.TEXT, text=word))
    if place[0] is Flow.SERVICE:
        served(citizen)
    assert (citizen.state.flow, citizen.state.step) == place
    return citizen


_LONGEST = Known("gjj", "公" * 60, "答" * 120, "据" * 60, "市公积金管理中心", START.date(), sure=True)
KNOWN = {
    (Flow.CONSULT, Step.CONFIRM): [_LONGEST],
    (Flow.CONSULT, Step.PICK): [replace(_LONGEST, entry=f"{n}", sure=False) for n in range(3)],
}
_MORE = {Flow.RATE: ("closed_pending",), Flow.REASONS: ("closed_pending",), Flow.OBJECT: ("rejected",)}
"""Cases that a question is about, beside two that are under way."""
