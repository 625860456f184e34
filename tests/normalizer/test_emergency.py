import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import emergency
from normalizer.emergency import EmergencyKind, detect
from tests.normalizer.emergencies import DANGER, NO_DANGER


@pytest.mark.parametrize("text", DANGER)
def test_present_danger_is_never_missed(text):
    assert detect(text) is not None


@pytest.mark.parametrize("text", NO_DANGER)
def test_what_only_sounds_like_danger_raises_no_alarm(text):
    assert detect(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("楼下着火了", EmergencyKind.FIRE, "119"),
        ("有人拿刀砍人", EmergencyKind.POLICE, "110"),
        ("我爸昏迷了", EmergencyKind.MEDICAL, "120"),
        ("前面车祸了", EmergencyKind.TRAFFIC, "122"),
        ("我不想活了，家里还着火了", EmergencyKind.SELF_HARM, "120"),
    ],
)
def test_the_danger_names_the_line_to_call(text, kind, number):
    found = detect(text)
    assert found is not None
    assert (found.kind, found.number) == (kind, number)


def test_over_a_hundred_of_each():
    assert len(DANGER) >= 90
    assert len(NO_DANGER) >= 90


@given(st.text(max_size=200))
def test_nothing_that_can_be_written_breaks_the_detector(text):
    detect(text)


@pytest.mark.parametrize("text", DANGER)
def test_the_quick_look_lets_through_whatever_the_full_one_finds(text):
    assert emergency._LIKELY.search(emergency.for_matching(text))
