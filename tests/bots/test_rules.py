import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.contract import Handoff, Known, Owner
from bots.state import State, dump, load
from bots.words import ZH, say
from bots.words_en import EN
from normalizer.message import Part, PartKind
from normalizer.text import han_count
from tests.bots.player import START, Citizen, _case

WORDS = [
    "你好",
    "2",
    "1",
    "3",
    "4",
    "5",
    "0",
    "泰山区青年路路灯坏了影响出行",
    "张三 13812345678",
    "取消",
    "上一步",
    "查进度",
    "催办",
    "补充",
    "撤回",
    "评价",
    "转人工",
    "返回",
    "长辈模式",
    "着火了",
    "公积金怎么提取",
    "👍",
    "",
    "hello",
    "废物",
    "37092611240001233",
    "37092611240001233 482913",
    "１",
    "好的",
    "不",
    "第二项",
    "重新开始",
    "退订",
    "菜单",
    "我们村",
    "不对",
    "地址错了",
    "昨天晚上",
    "尽快修好",
    "刘女士",
    "不方便",
    "东岳大街88号",
    "小区门口",
    "没解决，还是不亮",
    "人呢",
    "催一下吧都好几天了",
    "补充一下，晚上更严重",
    "那个事怎么样了",
]
KNOWN = [
    Known("gjj", "公积金怎么提取", "答" * 120, "条例", "示例", START.date(), sure=True),
    Known("sbk", "社保卡怎么补办", "答" * 60, "", "示例", START.date()),
]
NOT_ALLOWED = ("不知道", "不归我们管", "你去找别人", "这是规定", "没办法")


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=25),
    st.lists(st.sampled_from(["processing", "closed_pending", "accepted"]), max_size=3),
    st.lists(st.sampled_from(KNOWN), max_size=3),
)
def test_whatever_is_said_the_bot_answers_within_its_limits(
    words: list[str], stages: list[str], known: list[Known]
) -> None:
    citizen = Citizen(known=known)
    for stage in stages:
        _case(citizen, stage)
    for word in words:
        done = citizen.says(Part(PartKind.TEXT, text=word))
        assert load(dump(citizen.state)) == citizen.state
        assert sum(len(reply.encode()) for reply in done.replies) <= 2048
        assert not any(bad in reply for reply in done.replies for bad in NOT_ALLOWED)


@pytest.mark.parametrize(
    "piece",
    [
        "路上",
        "区",
        "你好",
        "好的",
        "我们",
        "催一下吧",
        "补充，",
        "昨天",
        "希望",
        "老王",
        "那个事",
        "满意",
        "1",
    ],
)
def test_no_text_keeps_the_bot_busy(piece: str) -> None:
    for before in ("", "我家停水了", "泰山区青年路路灯坏了影响出行", "评价", "咨询"):
        citizen = Citizen()
        _case(citizen, "closed_pending")
        for text in (before, piece * 1_000 + "x", piece * 1_000):
            assert citizen.says(Part(PartKind.TEXT, text=text)) is not None


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=12),
    st.sampled_from(["0", "人工", "转人工", "我要人工客服"]),
    st.lists(st.sampled_from(KNOWN), max_size=3),
)
def test_one_key_reaches_a_person_from_everywhere(words: list[str], key: str, known: list[Known]) -> None:
    citizen = Citizen(known=known)
    _case(citizen, "processing")
    for word in words:
        citizen.says(Part(PartKind.TEXT, text=word))
    waited = citizen.owner is Owner.QUEUED
    done = citizen.says(Part(PartKind.TEXT, text=key))
    # Whoever waits already keeps his place, and what was noted with it: a number to call, a danger.
    assert waited or any(isinstance(effect, Handoff) for effect in done.effects)
    assert done.replies
    assert citizen.owner is Owner.QUEUED


@given(st.text(max_size=120))
def test_a_memory_that_cannot_be_read_begins_anew(text: str) -> None:
    assert isinstance(load(text), State)


@pytest.mark.parametrize("key", ZH)
def test_every_sentence_is_short_civil_and_plain(key: str) -> None:
    text = re.sub(r"\{\w+\}", "", ZH[key])
    assert han_count(text) <= 120
    assert not any(bad in text for bad in NOT_ALLOWED)
    assert "你" not in text


@pytest.mark.parametrize("key", [key for key in ZH if re.search(r"\n?1 .*2 .*3 ", ZH[key]) and "menu" in key])
def test_menus_end_with_a_person(key: str) -> None:
    assert "0 转人工" in ZH[key]


@pytest.mark.parametrize("key", EN)
def test_the_english_sentence_takes_the_same_values(key: str) -> None:
    assert _fields(EN[key]) <= _fields(ZH[key]) | {"city", "hotline"}


def test_an_unknown_language_is_answered_in_chinese() -> None:
    assert say("ko", "menu") == ZH["menu"]


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
