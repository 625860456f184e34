"""When an entry may be shown, and how entries go out and come in."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.knowledge.entry import Entry, Security, Status, served
from gateway.knowledge.exchange import (
    COLUMNS,
    LISTS,
    BadFile,
    read_csv,
    read_json,
    write_csv,
    write_json,
)
from gateway.knowledge.shelf import ending
from normalizer.codes import CATEGORY_LABELS

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CITY = "370900"
ENTRY = Entry("gjj", "公积金怎么提取", "带身份证到公积金中心。", status=Status.PUBLISHED)


@pytest.mark.parametrize(
    ("what", "change", "shown"),
    [
        ("published, everywhere, for ever", {}, True),
        ("a draft", {"status": Status.DRAFT}, False),
        ("waiting for the unit", {"status": Status.REVIEW_UNIT}, False),
        ("waiting for the centre", {"status": Status.REVIEW_CENTRE}, False),
        ("to be checked again", {"status": Status.RECHECK}, False),
        ("taken off", {"status": Status.OFFLINE}, False),
        ("for agents only", {"security": Security.AGENTS}, False),
        ("for the unit only", {"security": Security.UNIT}, False),
        ("its last day", {"valid_until": date(2026, 11, 24)}, True),
        ("the day after its last", {"valid_until": date(2026, 11, 23)}, False),
        ("its first day", {"effective_from": date(2026, 11, 24)}, True),
        ("the day before its first", {"effective_from": date(2026, 11, 25)}, False),
        ("this city", {"region": "370900"}, True),
        ("its province", {"region": "370000"}, True),
        ("another province", {"region": "320000"}, False),
        ("another city", {"region": "370100"}, False),
        ("a district of it", {"region": "370902"}, False),
        ("past its review", {"review_due": date(2026, 1, 1)}, True),
    ],
)
def test_only_what_is_published_public_in_force_and_of_the_region_is_shown(what, change, shown):
    assert served(replace(ENTRY, **change), NOW, CITY) is shown


def test_an_entry_ends_at_midnight_of_the_city_not_of_greenwich():
    last = replace(ENTRY, valid_until=date(2026, 11, 24))
    assert served(last, datetime(2026, 11, 24, 15, 59, tzinfo=UTC), CITY)
    assert not served(last, datetime(2026, 11, 24, 16, 0, tzinfo=UTC), CITY)


@pytest.mark.parametrize(
    ("tags", "asked", "shown"),
    [
        ((), (), True),
        ((), ("企业",), True),
        (("企业",), (), True),
        (("企业",), ("企业", "外籍"), True),
        (("老年人",), ("企业",), False),
    ],
)
def test_who_names_an_audience_is_not_shown_what_concerns_another(tags, asked, shown):
    assert served(replace(ENTRY, audience=tags), NOW, CITY, asked) is shown


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)
LINES = WORDS.filter(str.strip)
DAYS = st.none() | st.dates()
ENTRIES = st.builds(
    Entry,
    id=LINES,
    title=LINES,
    answer_short=LINES | st.just('一行\n又一行，“引号”和"quotes",逗号'),
    variants=st.lists(LINES, max_size=4).map(tuple),
    answer_full=st.just("") | WORDS,
    category=st.sampled_from(["", *CATEGORY_LABELS]),
    region=st.sampled_from(["", "370900"]),
    item_code=st.just("") | WORDS,
    materials=st.lists(LINES, max_size=3).map(tuple),
    steps=st.lists(LINES, max_size=3).map(tuple),
    fee=st.just("") | WORDS,
    basis=st.just("") | WORDS,
    place_hours=st.just("") | WORDS,
    phone=st.just("") | WORDS,
    link=st.sampled_from(["", "https://12345.example/a?b=c"]),
    audience=st.lists(LINES, max_size=2).map(tuple),
    security=st.sampled_from(Security),
    source_unit=st.just("") | WORDS,
    owner=st.just("") | WORDS,
    effective_from=DAYS,
    valid_until=DAYS,
    version=st.integers(1, 9999),
    status=st.sampled_from(Status),
    review_due=DAYS,
    updated_at=st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])),
)


@pytest.mark.parametrize(("write", "read"), [(write_csv, read_csv), (write_json, read_json)])
@given(entries=st.lists(ENTRIES, max_size=3, unique_by=lambda entry: entry.id))
def test_what_goes_out_comes_in_the_same(write, read, entries):
    assert read(write(entries)) == tuple(entries)


def test_every_field_has_a_column():
    assert {field.name for field in fields(Entry)} == set(COLUMNS)
    assert write_csv([]).splitlines() == [",".join(COLUMNS)]


GOOD = {"id": "a", "title": "标题", "answer_short": "答案"}
BAD_FIELDS = [
    ("id", "", "不能为空"),
    ("title", "", "不能为空"),
    ("title", "题" * 61, "61个字，最多60个"),
    ("answer_short", "答" * 301, "301个字，最多300个"),
    ("answer_short", "答\x07案", "控制字符"),
    ("category", "Z99", "A01 到 E08"),
    ("region", "3709", "6位"),
    ("region", "37090０", "6位"),
    ("status", "online", "可用：draft"),
    ("security", "secret", "可用：public"),
    ("valid_until", "2026-02-30", "2026-12-31"),
    ("effective_from", "明年", "2026-12-31"),
    ("updated_at", "昨天", "2026-12-31T09:00:00+08:00"),
    ("version", "0", "从 1 开始"),
    ("version", "二", "从 1 开始"),
    ("link", "javascript:alert(1)", "https://"),
]


@pytest.mark.parametrize(("field", "value", "cure"), BAD_FIELDS)
def test_a_bad_field_is_named_with_its_line_and_its_cure(field, value, cure):
    row = GOOD | {field: value}
    head = ",".join(row)
    with pytest.raises(BadFile) as caught:
        read_csv(f"{head}\n{','.join(row.values())}\n")
    (fault,) = caught.value.faults
    assert (fault.line, fault.field) == (2, field)
    assert cure in fault.cure


@pytest.mark.parametrize(
    ("text", "line", "field", "cure"),
    [
        ("id,title,answer_short\na,题,答\na,题,答\n", 3, "id", "出现了两次"),
        ('id,title,answer_short\na,题,"两\n行"\nb,题,\n', 4, "answer_short", "不能为空"),
        ("id,title,answer_short\na,题,答,多\n", 2, "整行", "列数"),
        ("id,title,answer_short\na,题\n", 2, "整行", "列数"),
        ('id,title,answer_short\na,题,"答\n', 2, "整行", "引号"),
        ("id,title,answer_short,colour\na,题,答,红\n", 1, "colour", "没有这一列"),
        ("", 1, "表头", "列名"),
        ("id,title\na,题\n", 1, "表头", "缺少answer_short"),
    ],
)
def test_a_broken_csv_is_named_where_it_is_broken(text, line, field, cure):
    with pytest.raises(BadFile) as caught:
        read_csv(text)
    fault = caught.value.faults[0]
    assert (fault.line, fault.field) == (line, field)
    assert cure in fault.cure


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        ("[", "整个文件", "JSON"),
        ("{}", "整个文件", "数组"),
        ("[" * 100_000, "整个文件", "JSON"),
        ('["a"]', "整条", "对象"),
        ('[{"id": "a", "title": "题", "answer_short": 5}]', "answer_short", "应是文字"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "variants": "问"}]', "variants", "列表"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "variants": ["a\\nb"]}]', "variants", "一行文字"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "version": true}]', "version", "整数"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "valid_until": 5}]', "valid_until", "日期"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "colour": "红"}]', "colour", "没有这个字段"),
        ('[{"id": ["a"], "title": "题", "answer_short": "答"}]', "id", "应是文字"),
        ('[{"id": "a", "title": "题", "answer_short": "答", "category": ["D01"]}]', "category", "A01"),
    ],
)
def test_a_broken_json_is_named_where_it_is_broken(text, field, cure):
    with pytest.raises(BadFile) as caught:
        read_json(text)
    fault = caught.value.faults[0]
    assert fault.field == field
    assert cure in fault.cure


def test_all_bad_rows_are_named_at_once():
    with pytest.raises(BadFile) as caught:
        read_csv("id,title,answer_short,status\na,,答,\nb,题,答,x\nc,题,,\n")
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [
        (2, "title"),
        (3, "status"),
        (4, "answer_short"),
    ]


def test_a_table_saved_by_office_programs_is_read():
    text = "\ufeff" + write_csv([ENTRY]).replace("\n", "\r\n").replace("\r\r", "\r")
    assert read_csv(text) == (ENTRY,)


def test_several_values_of_a_field_stand_one_a_line():
    (entry,) = read_csv('id,title,answer_short,variants\r\na,题,答,"一\r\n二"\r\n')
    assert entry.variants == ("一", "二")
    assert "variants" in LISTS


@pytest.mark.parametrize(
    ("change", "days", "review"),
    [
        ({"valid_until": date(2026, 12, 24)}, 30, False),
        ({"valid_until": date(2026, 12, 25)}, None, False),
        ({"valid_until": date(2026, 11, 25)}, 1, False),
        ({"valid_until": date(2026, 11, 23)}, -1, False),
        ({"valid_until": date(2026, 11, 25), "status": Status.OFFLINE}, None, False),
        ({"review_due": date(2026, 11, 24)}, 0, True),
        ({"review_due": date(2026, 11, 25)}, None, True),
        ({}, None, False),
    ],
)
def test_what_ends_within_a_month_or_waits_for_review_is_named(change, days, review):
    found = ending([replace(ENTRY, **change)], NOW)
    assert [(each.days, each.review) for each in found] == ([] if days is None else [(days, review)])
