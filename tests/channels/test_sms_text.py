import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.text import (
    GSM7,
    WIDE,
    WIDE_REFERENCE,
    Long,
    count,
    decoded,
    fewest,
    header,
    joined,
    opened,
    payload,
    segments,
    signed,
)
from normalizer.errors import InvalidInput

WORDS = st.text(alphabet=st.sampled_from("井盖丢了。 a12345😀👨\u200d👩é\u0301"), max_size=400)


@given(WORDS)
def test_the_segments_of_a_text_hold_all_of_it_and_fit(text):
    parts = segments(text)
    limit = 140 if len(parts) == 1 else 134
    assert "".join(part.text for part in parts) == text
    assert all(len(part.text.encode("utf-16-be")) <= limit for part in parts)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert {part.total for part in parts} == {len(parts)}


@given(WORDS, st.integers(0, 255))
def test_what_is_sent_in_parts_is_read_again(text, reference):
    parts = segments(text)
    contents = [payload(part, reference) for part in parts]
    assert all(len(content) <= 140 for content in contents)
    if len(parts) == 1:
        assert decoded(contents[0], 8) == text
        return
    read = [opened(content) for content in contents]
    assert [long for long, _ in read] == [Long(reference, len(parts), n + 1) for n in range(len(parts))]
    assert joined(decoded(rest, 8) for _, rest in read) == text


LENGTHS = [
    ("seventy are one", "字" * 70, [70]),
    ("seventy-one are two", "字" * 71, [67, 4]),
    ("an emoji takes two", "字" * 69 + "😀", [67, 3]),
    ("an emoji is not cut", "字" * 66 + "😀" + "字" * 60, [66, 61]),
    ("a number is not cut", "字" * 60 + "37092611240001233" + "。", [60, 18]),
    ("a number longer than half a message is", "1" * 100, [67, 33]),
    ("an accent stays with its letter", "字" * 66 + "e\u0301" + "字" * 9, [66, 11]),
    ("a family stays together", "字" * 64 + "👨\u200d👩" + "字" * 9, [64, 12]),
    ("a skin stays on its hand", "字" * 65 + "👍🏽" + "字" * 9, [65, 11]),
]


@pytest.mark.parametrize(("label", "text", "lengths"), LENGTHS, ids=[row[0] for row in LENGTHS])
def test_a_text_is_cut_where_nothing_breaks(label, text, lengths):
    assert [len(part.text) for part in segments(text)] == lengths
    assert count(text) == len(lengths)


FEWEST = [
    ("one is one in either, and the surer is taken", "a" * 70, WIDE, 1),
    ("two become one", "a" * 71, GSM7, 1),
    ("160 letters are one", "a" * 160, GSM7, 1),
    ("161 are two of 153", "a" * 161, GSM7, 2),
    ("an extended letter takes two", "€" * 81, WIDE, 2),
    ("a single Han makes all wide", "a" * 100 + "井", WIDE, 2),
]


@pytest.mark.parametrize(("label", "text", "alphabet", "parts"), FEWEST, ids=[row[0] for row in FEWEST])
def test_the_alphabet_that_needs_fewest_is_taken(label, text, alphabet, parts):
    made = fewest(text, (WIDE, GSM7))
    assert ({part.alphabet for part in made}, len(made)) == ({alphabet}, parts)
    assert "".join(part.text for part in made) == text


GSM = [("a" * 160, [160]), ("a" * 161, [153, 8]), ("€" * 80, [80]), ("€" * 81, [76, 5])]


@pytest.mark.parametrize(("text", "lengths"), GSM)
def test_latin_holds_more_when_the_route_sends_it(text, lengths):
    assert [len(part.text) for part in segments(text, GSM7)] == lengths


def test_latin_refuses_what_it_cannot_say():
    with pytest.raises(InvalidInput):
        segments("井", GSM7)


def test_no_header_can_count_more_than_255_parts():
    with pytest.raises(InvalidInput):
        segments("字" * 67 * 256)


SIGNED = [
    ("first", "您好", "泰安12345", "【泰安12345】您好"),
    ("not twice", "【泰安12345】您好", "泰安12345", "【泰安12345】您好"),
    ("moved from the end", "您好【泰安12345】", "泰安12345", "【泰安12345】您好"),
    ("written with its brackets", "您好", "【泰安12345】", "【泰安12345】您好"),
    ("none", "您好", "", "您好"),
    ("another's stays", "【工会】您好", "泰安12345", "【泰安12345】【工会】您好"),
]


@pytest.mark.parametrize(("label", "text", "name", "whole"), SIGNED, ids=[row[0] for row in SIGNED])
def test_the_signature_stands_first_and_once(label, text, name, whole):
    assert signed(text, name) == whole
    assert signed(whole, name) == whole


def test_the_signature_counts():
    assert count("字" * 61 + "") == 1
    assert count(signed("字" * 61, "泰安12345")) == 1
    assert count(signed("字" * 62, "泰安12345")) == 2


HEADERS = [
    ("8-bit", "050003 2A 03 02", Long(42, 3, 2)),
    ("16-bit", "060804 012A 03 02", Long(WIDE_REFERENCE + 298, 3, 2)),
    ("after an element we do not know", "09 0504 0B84 23F0 0003 2A", None),
    ("behind a port", "0B 0504 0B84 23F0 0003 2A 03 02", Long(42, 3, 2)),
    ("part nought is none", "050003 2A 03 00", None),
    ("a part beyond the last is none", "050003 2A 03 04", None),
]


@pytest.mark.parametrize(("label", "data", "long"), HEADERS, ids=[row[0] for row in HEADERS])
def test_a_header_is_read(label, data, long):
    assert opened(bytes.fromhex(data) + b"\x4e\x95") == (long, b"\x4e\x95")


def test_a_header_longer_than_the_content_is_none():
    assert opened(b"\x30ab") == (None, b"\x30ab")
    assert opened(b"") == (None, b"")


@given(st.binary(max_size=140), st.integers(0, 255))
def test_no_content_is_too_odd_to_be_read(content, coding):
    long, rest = opened(content)
    assert content.endswith(rest)
    assert long is None or 1 <= long.number <= long.total
    joined([decoded(content, coding)]).encode()


CODINGS = [
    ("ascii", 0, b"CX 1", "CX 1"),
    ("ascii in name only", 0, "井盖".encode("gb18030"), "井盖"),
    ("UCS-2", 8, "井盖😀".encode("utf-16-be"), "井盖😀"),
    ("GB", 15, "井盖㐀".encode("gb18030"), "井盖㐀"),
    ("binary, in fact UCS-2", 4, "井盖丢了".encode("utf-16-be"), "井盖丢了"),
    ("binary, in fact GB", 4, "井盖丢了".encode("gb18030"), "井盖丢了"),
    ("binary, in fact UTF-8", 246, "井盖丢了".encode(), "井盖丢了"),
    ("an odd byte", 8, "井".encode("utf-16-be") + b"\x4e", "井\ufffd"),
]


@pytest.mark.parametrize(("label", "coding", "content", "text"), CODINGS, ids=[row[0] for row in CODINGS])
def test_content_is_read_by_its_coding(label, coding, content, text):
    assert joined([decoded(content, coding)]) == text


def test_an_emoji_that_the_handset_cut_in_two_is_mended():
    whole = "好😀好".encode("utf-16-be")
    first, second = decoded(whole[:4], 8), decoded(whole[4:], 8)
    assert joined([first, second]) == "好😀好"
    assert first.encode()
    assert joined([first]) == "好\ufffd"


def test_a_built_header_is_the_one_of_the_norm():
    assert header(Long(0x1FF, 3, 1)) == bytes.fromhex("050003FF0301")
