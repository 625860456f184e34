"""Which matters are offered as one."""

from datetime import timedelta

import pytest

from normalizer.case import Matter
from normalizer.duplicates import SAME, common_street, likeness, sketch
from tests.kit.cases import NOW

HOLE = Matter(
    original="东岳大街88号门前井盖丢失，晚上很危险", place_text="泰山区东岳大街88号", category="D05"
)
LON, LAT = 117.1200, 36.1900


def of(text, place="", category="D05", days=0.0, lon=None, lat=None):
    matter = Matter(original=text, place_text=place, category=category, lon=lon, lat=lat)
    return sketch(matter, NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("same", "why", "other"),
    [
        (True, "the very same", of(HOLE.original, HOLE.place_text)),
        (True, "in other words", of("东岳大街88号的井盖不见了，晚上走路太危险", "东岳大街88号")),
        (True, "shorter", of("东岳大街88号井盖丢了", "东岳大街88号")),
        (True, "without the door", of("东岳大街井盖丢失很危险", "东岳大街")),
        (True, "ten days later", of("东岳大街88号门前井盖还是丢失的", "东岳大街88号", days=10)),
        (True, "traditional and wide", of("東岳大街８８号門前井蓋丟失，很危險", "東岳大街８８号")),
        (True, "somebody tells where he lives", of("我住东岳大街88号，门前井盖丢失很危险")),
        (True, "the place stands in the words only", of("东岳大街88号门前井盖丢失，晚上很危险")),
        (False, "another street", of("迎胜路66号门前井盖丢失，晚上很危险", "迎胜路66号")),
        (False, "another category", of(HOLE.original, HOLE.place_text, category="C04")),
        (False, "no category", of(HOLE.original, HOLE.place_text, category="")),
        (False, "two months later", of(HOLE.original, HOLE.place_text, days=60)),
        (False, "another thing on the street", of("东岳大街300号下水道堵了污水外流", "东岳大街300号")),
        (
            False,
            "another thing at the same door",
            of("东岳大街88号的路灯坏了好几天，晚上很黑", "东岳大街88号"),
        ),
        (False, "another thing at the same door today", of("东岳大街88号自来水管漏水", "东岳大街88号")),
        (False, "nothing in common but the category", of("污水流到马路上，臭气熏天")),
    ],
)
def test_what_is_offered_as_the_same_matter(same, why, other):
    assert (likeness(sketch(HOLE, NOW), other) >= SAME) is same, likeness(sketch(HOLE, NOW), other)


@pytest.mark.parametrize(
    ("metres_north", "same"), [(0, True), (100, True), (200, True), (600, False), (5000, False)]
)
def test_degrees_say_more_than_words(metres_north, same):
    here = of("门前井盖丢失很危险", "老李家门口", lon=LON, lat=LAT)
    there = of("井盖丢失，很危险", "新华书店东边", lon=LON, lat=LAT + metres_north / 111_195)
    assert (likeness(here, there) >= SAME) is same


def test_it_is_the_same_either_way():
    one, other = sketch(HOLE, NOW), of("东岳大街井盖丢了", "东岳大街", days=3)
    assert likeness(one, other) == likeness(other, one)


def test_the_street_that_both_name_is_all_that_is_told():
    mine, theirs = sketch(HOLE, NOW), of("我是张三，住东岳大街12号，井盖没了", "东岳大街12号张三家")
    assert common_street(mine, theirs) == "东岳大街"
    assert common_street(mine, of("井盖没了，我住东岳大街")) == "东岳大街"
    assert common_street(mine, of("井盖没了", "张三家门口")) == ""


def test_t34_matters_of_which_nothing_is_known_are_never_offered_as_one():
    nothing = sketch(Matter(), NOW)
    assert likeness(nothing, nothing) == 0.0
