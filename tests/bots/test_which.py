"""Which case somebody means: what he calls it, its place in a list, or all of them."""

from dataclasses import replace

import pytest

from bots import again, which
from bots.intent import Intent
from normalizer.case import Stage
from normalizer.draft import CaseDraft
from normalizer.text import for_matching
from tests.kit.cases import a_case


def wish(text):
    return which.wish_of(CaseDraft(text=text, matching=for_matching(text)))


def a_matter(words, place=""):
    case = a_case(Stage.PROCESSING)
    return replace(case, matter=replace(case.matter, original=words, title=words[:50], place_text=place))


HOLE = a_matter("东岳大街88号门前井盖丢失")
LAMP = a_matter("满庄镇政府门口路灯坏了三天了")
WATER = a_matter("财源小区停水两天了")
MINE = (HOLE, LAMP, WATER)


@pytest.mark.parametrize(
    ("text", "intent", "about"),
    [
        ("催一下路灯那个", Intent.URGE, "路灯"),
        ("路灯的事帮我催催", Intent.URGE, "路灯"),
        ("请再催办停水那件事", Intent.URGE, "停水"),
        ("撤回井盖的", Intent.WITHDRAW, "井盖"),
        ("把路灯那个撤了吧", Intent.WITHDRAW, "路灯"),
        ("停水那个不用管了", Intent.WITHDRAW, "停水"),
        ("井盖那个怎么样了", Intent.PROGRESS, "井盖"),
        ("路灯修好了没有", Intent.PROGRESS, "路灯"),
        ("查一下路灯的进度", Intent.PROGRESS, "路灯"),
        ("停水的事有结果了吗？", Intent.PROGRESS, "停水"),
        ("补充一下井盖的事", Intent.SUPPLEMENT, "井盖"),
        ("给路灯那个补充一下", Intent.SUPPLEMENT, "路灯"),
        ("不是这个，是停水那个", None, "停水"),
        ("不对，我说的是路灯那件", None, "路灯"),
    ],
)
def test_a_wish_names_its_case(text, intent, about):
    found = wish(text)
    assert found is not None
    assert found.intent is intent
    assert which.named(found.about, MINE) is which.named(about, MINE) is not None


@pytest.mark.parametrize(
    "text",
    [
        "路灯坏了三天了",
        "催了好几次都没有人管，路灯还是不亮，晚上出门看不见路",
        "我要反映路灯的问题",
        "公积金怎么提取",
        "小区门口的摊位撤走了又来，天天占道",
        "2",
        "",
    ],
)
def test_a_matter_is_no_wish(text):
    assert wish(text) is None


def test_what_is_added_goes_with_the_wish():
    assert wish("停水的事催一下，老人孩子都没法做饭").said == "老人孩子都没法做饭"
    assert wish("路灯的事怎么样了，我家门口的垃圾也一直没有人来清理") is None


@pytest.mark.parametrize(
    ("words", "case"),
    [
        ("路灯", LAMP),
        ("满庄那个", LAMP),
        ("东岳大街的", HOLE),
        ("关于停水的那件事", WATER),
        ("垃圾那个", None),
        ("那个", None),
        ("路灯和井盖", None),
    ],
)
def test_a_case_is_called_by_what_it_is_about(words, case):
    assert which.named(words, MINE) is case


@pytest.mark.parametrize(
    "text",
    [
        "都",
        "全部",
        "两个都撤",
        "这两件都催一下",
        "所有的工单",
        "都撤回吧",
        "三个都",
        "全都催",
        "把两个都给我撤了",
    ],
)
def test_all_are_meant(text):
    assert which.every(text)


@pytest.mark.parametrize("text", ["都没人管", "路灯都不亮", "两个小区都停水", "撤", "", "全是垃圾"])
def test_all_are_not_meant(text):
    assert not which.every(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("第二个", 2),
        ("就第三件吧", 3),
        ("2件", 2),
        ("最后一个", 3),
        ("最上面那个", 1),
        ("第四个", None),
        ("路灯", None),
    ],
)
def test_a_place_in_a_list(text, place):
    assert which.place(text, 3) == place


@pytest.mark.parametrize(
    "text",
    [
        "怎么还没修",
        "到现在没有人管",
        "半个月了没一个人来",
        "你们到底管不管",
        "一直没有回复",
        "三天了还没处理",
    ],
)
def test_who_waits_says_so(text):
    assert again.waits(text)


@pytest.mark.parametrize("text", ["路灯不亮", "没有井盖", "希望尽快处理", "不知道找谁", "这里没有人行道"])
def test_who_reports_does_not(text):
    assert not again.waits(text)
