import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.text import clean, for_matching, han_count, is_empty, sentences


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        pytest.param("  井盖　丢了  ", "井盖 丢了", id="wide and doubled blanks"),
        pytest.param("１３８ＡＢ", "138AB", id="wide digits and letters"),
        pytest.param("您好，在吗？", "您好，在吗？", id="Chinese punctuation stays"),
        pytest.param("井\u200b盖\u202e丢\ufeff了", "井盖丢了", id="hidden and turning characters"),
        pytest.param("一\r\n\r\n\r\n\r\n二", "一\n\n二", id="line ends and empty lines"),
        pytest.param("a\x00b\x07c", "abc", id="control characters"),
    ],
)
def test_cleaning_leaves_what_the_citizen_wrote(raw, cleaned):
    assert clean(raw) == cleaned


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_more(text):
    once = clean(text, limit=100)
    assert clean(once, limit=100) == once
    assert len(once) <= 100


def test_a_cut_never_falls_inside_a_joined_picture():
    assert clean("字" * 9 + "👨\u200d👩", limit=10) == "字" * 9


@pytest.mark.parametrize(
    ("raw", "folded"),
    [("電線著火ABC", "电线著火abc"), ("ＡＢＣ　１２３", "abc 123"), ("水管", "水管")],
)
def test_matching_folds_width_case_and_tradition(raw, folded):
    assert for_matching(raw) == folded


def test_sentences_keep_their_marks():
    assert sentences("井盖丢了。很危险！尽快处理") == ("井盖丢了。", "很危险！", "尽快处理")


def test_han_characters_are_counted_without_the_rest():
    assert han_count("井盖 ABC 丢了1") == 4


@pytest.mark.parametrize(
    ("text", "empty"), [("……！？", True), ("👍👍", True), ("", True), ("1", False), ("好", False)]
)
def test_pictures_and_marks_alone_are_empty(text, empty):
    assert is_empty(text) is empty
