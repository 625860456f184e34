"""Whether a question finds its entry: measured on the example entries, and rules that hold for any."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

import pytest

from gateway.knowledge.entry import SHORT, Entry, Security, Status, served
from gateway.knowledge.exchange import read_json
from gateway.knowledge.search import APART, FLOOR, NEAR, Hit, Index, sure
from normalizer.people import find
from normalizer.text import han_count
from tests.gateway.paraphrases import FRESH, QUESTIONS, rows

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
STARTER = read_json(resources.files("gateway").joinpath("knowledge/starter.json").read_text("utf-8"))
INDEX = Index(STARTER)


def near(text, index=INDEX, limit=3):
    return index.near(text, suits=lambda entry: True, limit=limit)


@pytest.mark.parametrize(
    ("table", "precision"), [(QUESTIONS, 0.95), (FRESH, 0.9)], ids=["chosen on", "fresh"]
)
def test_of_the_answers_above_the_floor_nearly_all_are_right(table, precision):
    found = [(ids, near(question)) for question, ids in rows(table)]
    answered = [(ids, hits[0].entry.id) for ids, hits in found if sure(hits)]
    right = sum(entry in ids for ids, entry in answered)
    assert right / len(answered) >= precision
    assert sum(not ids for ids, _ in answered) <= 1, "answers to what no entry answers"


@pytest.mark.parametrize(
    ("scores", "answers"),
    [
        ((), False),
        ((FLOOR,), True),
        ((FLOOR - 0.01,), False),
        ((FLOOR + APART * 1.1, FLOOR), True),
        ((FLOOR + APART / 2, FLOOR), False),
        ((1.0, 1.0), False),
    ],
)
def test_of_two_that_are_as_near_none_is_the_answer(scores, answers):
    assert sure([Hit(STARTER[0], score) for score in scores]) is answers


@pytest.mark.parametrize("table", [QUESTIONS, FRESH], ids=["chosen on", "fresh"])
def test_a_question_put_otherwise_finds_its_entry(table):
    asked = [(ids, near(question)) for question, ids in rows(table) if ids]
    answered = sum(sure(hits) and hits[0].entry.id in ids for ids, hits in asked)
    offered = sum(any(h.entry.id in ids and h.score >= NEAR for h in hits) for ids, hits in asked)
    assert answered / len(asked) >= 0.5
    assert offered / len(asked) >= 0.8


def test_the_questions_are_many():
    assert len([ids for _, ids in rows(QUESTIONS + FRESH.lstrip()) if ids]) >= 120
    assert len([ids for _, ids in rows(QUESTIONS + FRESH.lstrip()) if not ids]) >= 40


MATTERS = [
    "昨天晚上人民路与建设路交叉口的路灯坏了三盏，走路看不清，请派人来修",
    "我家暖气不热已经三天了，打电话给供热公司没有人来，家里有老人和孩子",
    "楼上半夜装修吵得睡不着，物业说了也没用，请有关部门来处理一下这件事",
    "老板拖欠我们十几个农民工三个月的工资，一共八万多，人也联系不上了",
    "小区门口的井盖丢了，孩子上学差点掉进去，已经用树枝拦着",
    "健身房关门跑路了，我充的两千块钱退不回来，老板手机也关机",
    "快递员把包裹扔在门口被偷了，快递公司不肯赔偿",
]


@pytest.mark.parametrize("matter", MATTERS)
def test_a_story_is_near_to_no_answer(matter):
    assert [hit.entry.title for hit in near(matter) if hit.score >= FLOOR] == []


def test_every_way_to_ask_finds_its_own_entry():
    ways = [(entry.id, way) for entry in STARTER for way in (entry.title, *entry.variants)]
    lost = [(way, near(way)[0].entry.id) for entry, way in ways if near(way)[0].entry.id != entry]
    assert lost == []


@pytest.mark.parametrize("text", ["", " ", "？", "😀😀", "的", "a" * 5000, "怎么" * 2000, "\x00"])
def test_nothing_to_go_by_finds_nothing_sure(text):
    assert [hit for hit in near(text) if hit.score >= FLOOR] == []


def test_traditional_wide_and_polite_words_make_no_difference():
    for text in ("請問公積金怎麼提取", "您好，公积金怎么提取？谢谢", "公积金  怎么提取"):
        assert near(text)[0].entry.id == "fund-withdraw"
        assert near(text)[0].score >= FLOOR


def test_an_entry_that_does_not_suit_is_as_if_it_were_not_there():
    hits = INDEX.near("公积金怎么提取", suits=lambda entry: entry.id != "fund-withdraw", limit=5)
    assert hits
    assert "fund-withdraw" not in {hit.entry.id for hit in hits}


def test_the_nearest_comes_first_and_no_more_than_asked_for():
    hits = near("公积金", limit=2)
    assert len(hits) == 2
    assert 1.0 >= hits[0].score >= hits[1].score > 0


def test_an_empty_base_finds_nothing():
    assert near("公积金怎么提取", Index(())) == ()


def test_one_entry_alone_is_found_and_is_not_the_answer_to_everything():
    alone = Index([Entry("a", "公积金怎么提取", "到中心办理。")])
    assert near("公积金怎么提取", alone)[0].score >= FLOOR
    assert [hit for hit in near("社保卡怎么补办", alone) if hit.score >= FLOOR] == []


def test_the_example_entries_are_many_marked_and_fit_to_be_read():
    assert len(STARTER) >= 60
    for entry in STARTER:
        assert served(entry, NOW, "370900"), entry.id
        assert (entry.status, entry.security) == (Status.PUBLISHED, Security.PUBLIC)
        assert (entry.source_unit, entry.region) == ("示例", "")
        assert entry.category
        assert len(entry.variants) >= 4
        assert len(entry.answer_short) <= SHORT
        assert han_count(entry.answer_short) <= 120
        assert not find(entry.answer_short), "personal data"


@pytest.mark.parametrize("word", ["不知道", "不归我们管", "没办法", "保证能", "一定能"])
def test_no_example_turns_anybody_away_or_promises(word):
    assert [entry.id for entry in STARTER if word in entry.answer_short] == []


def test_an_entry_known_twice_is_two_entries():
    twin = replace(STARTER[0], id="twin")
    assert {hit.entry.id for hit in near(STARTER[0].title, Index([STARTER[0], twin]))} == {
        STARTER[0].id,
        "twin",
    }
