import re
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.calendar import Calendar
from gateway.profile import DEFAULT, Limit, Unit, load
from normalizer.case import Stage
from normalizer.codes import Kind
from normalizer.errors import Misconfigured
from tests.kit.cases import a_case

ZONE = ZoneInfo("Asia/Shanghai")
PROFILE = load(None).current
CALENDAR = Calendar.of(PROFILE)

VECTORS = """
2026-03-02 10:15 | 5 workday | 2026-03-09 17:30
2026-03-06 20:40 | 5 workday | 2026-03-13 17:30
2026-02-12 09:00 | 5 workday | 2026-02-26 17:30
2026-09-29 16:00 | 5 workday | 2026-10-12 17:30
2026-10-03 11:00 | 1 workday | 2026-10-08 17:30
2026-10-10 11:00 | 1 workday | 2026-10-12 17:30
2026-04-20 09:00 | 15 workday | 2026-05-13 17:30
2026-03-02 11:00 | 2 workhour | 2026-03-02 15:00
2026-03-02 17:00 | 2 workhour | 2026-03-03 10:00
2026-03-06 17:00 | 2 workhour | 2026-03-09 10:00
2026-03-08 10:00 | 2 workhour | 2026-03-09 10:30
2026-03-07 23:30 | 2 h | 2026-03-08 01:30
2026-10-01 09:00 | 24 h | 2026-10-02 09:00
2026-09-25 09:00 | 7 day | 2026-10-08 23:59:59
2026-03-02 09:00 | 7 day | 2026-03-09 23:59:59
"""


@pytest.mark.parametrize("line", VECTORS.strip().splitlines())
def test_a_limit_ends_when_the_rule_says(line):
    start, limit, end = (part.strip() for part in line.split("|"))
    amount, unit = limit.split()
    reached = CALENDAR.add(_at(start), Limit(amount=int(amount), unit=Unit(unit)))
    assert reached == _at(end)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-14", True),
        ("2026-02-16", False),
        ("2026-10-10", True),
        ("2025-01-26", True),
        ("2025-10-08", False),
        ("2026-03-07", False),
    ],
)
def test_holidays_and_make_up_days(day, works):
    assert CALENDAR.works(date.fromisoformat(day)) is works


def test_a_year_without_its_notice_is_not_known():
    assert CALENDAR.knows(2026)
    assert not CALENDAR.knows(2030)
    assert Calendar(CALENDAR._windows, off=frozenset({date(2030, 1, 1)})).knows(2030)


@pytest.mark.parametrize(
    ("key", "kind", "amount"),
    [
        ("handle", Kind.COMPLAINT, 5),
        ("handle", Kind.INQUIRY, 1),
        ("handle", Kind.REPORT, 15),
        ("ack", Kind.HELP, 3),
    ],
)
def test_the_first_limit_that_matches_wins(key, kind, amount):
    assert PROFILE.limit(key, a_case(Stage.SUBMITTED, kind)).amount == amount


def test_the_figures_of_the_norm_are_the_defaults():
    case = a_case()
    assert (PROFILE.limit("ack", case).amount, PROFILE.limit("ack", case).unit) == (3, Unit.MIN)
    assert PROFILE.limits.ack[0].source == "03"
    assert (PROFILE.limits.ack[0].amount, PROFILE.limits.ack[0].unit) == (24, Unit.H)


def test_a_case_keeps_the_version_it_was_accepted_under(tmp_path):
    text = Path("gateway/profiles", DEFAULT).read_text("utf-8")
    (tmp_path / "old.toml").write_text(text)
    (tmp_path / "new.toml").write_text(text.replace("taian-2026-1", "taian-2027-1"))
    cities = load(tmp_path / "new.toml")
    assert cities.current.version == "taian-2027-1"
    assert cities.at("taian-2026-1").version == "taian-2026-1"
    assert cities.at("unknown") is cities.current


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        ('region = "370900"', 'region = "37"', "profile.region"),
        ("draft_hours = 24", "draft_hours = 0", "profile.draft_hours"),
        ('acceptable = ["D01"', 'acceptable = ["Z99"', "profile.acceptable"),
        ('unit = "workhour"', 'unit = "moon"', "profile.limits"),
        ("version =", "verzion =", "profile"),
    ],
)
def test_a_wrong_profile_is_named(tmp_path, old, new, setting):
    path = tmp_path / "city.toml"
    path.write_text(Path("gateway/profiles", DEFAULT).read_text("utf-8").replace(old, new, 1))
    with pytest.raises(Misconfigured) as wrong:
        load(path)
    assert wrong.value.setting.startswith(setting)


def _at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("elsewhere", "wrong"),
    [
        ('[elsewhere.R77]\nlong = "去别处"\nshort = "去别处"\n', "R77"),
        ('[elsewhere.R01]\nlong = "请打{moon}"\nshort = "请打"\n', "moon"),
        ('[elsewhere.R01]\nlong = "请打"\nshort = "' + "远" * 46 + '"\n', "short"),
    ],
)
def test_where_to_turn_must_be_said_rightly(tmp_path, elsewhere, wrong):
    words = resources.files("gateway").joinpath("profiles/taian.toml").read_text("utf-8")
    kept = re.sub(r"\[elsewhere\.R01\]\n(?:.+\n){2}", "", words)
    file = tmp_path / "city.toml"
    file.write_text(kept + elsewhere)
    with pytest.raises(Misconfigured, match=wrong):
        load(file)


def test_a_refusal_tells_where_to_turn():
    words = load(None).current.paths("R01")[0]
    assert "12368" in words
    assert load(None).current.paths("R99") == ("", "")
