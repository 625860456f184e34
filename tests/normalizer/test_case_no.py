from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import case_no
from normalizer.errors import InvalidInput

NUMBER = "37092611240001233"


def test_the_example_of_the_rule():
    assert case_no.make("370900", date(2026, 11, 24), 123) == NUMBER


def test_a_day_has_room_for_999999():
    with pytest.raises(InvalidInput):
        case_no.make("370900", date(2026, 11, 24), 1_000_000)


@pytest.mark.parametrize(
    "text", [NUMBER, "3709-261124-0001233", " 3709 261124 0001233 ", "３７０９２６１１２４０００１２３３"]
)
def test_a_number_is_read_however_it_is_written(text):
    assert case_no.parse(text) == NUMBER


@given(st.integers(0, 16), st.integers(1, 9))
def test_no_wrong_digit_goes_unseen(at, shift):
    wrong = NUMBER[:at] + str((int(NUMBER[at]) + shift) % 10) + NUMBER[at + 1 :]
    assert case_no.parse(wrong) is None
    assert case_no.looks_like(wrong)


@given(st.integers(1, 999_999), st.integers(0, 15))
def test_no_swap_of_neighbours_goes_unseen(counter, at):
    number = case_no.make("370900", date(2026, 3, 9), counter)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert (case_no.parse(swapped) is None) == (swapped != number)


@pytest.mark.parametrize(
    ("code", "good"),
    [("482913", True), ("000000", False), ("123456", False), ("112112", False), ("48291", False)],
)
def test_a_code_is_not_what_anybody_would_try_first(code, good):
    assert case_no.good_code(code) is good


def test_a_code_is_drawn_until_it_is_good():
    drawn = iter([0, 123456, 482913])
    assert case_no.make_code(lambda _: next(drawn)) == "482913"


def test_short_and_grouped_forms():
    assert case_no.short_form("0001233") == "0001233"
    assert case_no.short_form("12") is None
    assert case_no.grouped(NUMBER) == "3709-261124-0001233"
