import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.sms import gsm7
from channels.sms import smpp_pdu as pdu
from normalizer.errors import InvalidInput

DIGITS = st.text("0123456789", max_size=20)
WORDS = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=5)
PARTIES = st.builds(pdu.Party, DIGITS, st.integers(0, 6), st.integers(0, 18))
TLVS = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=300), max_size=4)
MESSAGES = st.builds(
    pdu.Message,
    source=PARTIES,
    destination=PARTIES,
    content=st.binary(max_size=254),
    coding=st.sampled_from([0, 1, 3, 8]),
    esm_class=st.integers(0, 255),
    registered=st.integers(0, 1),
    service_type=WORDS,
    tlvs=TLVS,
)


@given(MESSAGES)
def test_a_message_comes_back_from_its_bytes(message):
    assert pdu.decode_message(message.encode()) == message


@given(st.builds(pdu.Pdu, *(st.integers(0, 0xFFFFFFFF) for _ in range(3)), st.binary(max_size=99)))
def test_a_pdu_comes_back_from_its_bytes(given_pdu):
    assert pdu.decode(given_pdu.encode()) == given_pdu


def test_a_bind_has_the_bytes_of_the_norm():
    body = pdu.Bind("12345", "secret", "VMA").encode()
    assert body == b"12345\x00secret\x00VMA\x00\x34\x00\x00\x00"
    assert pdu.decode_bind(body) == pdu.Bind("12345", "secret", "VMA")


def test_a_password_is_not_shown():
    assert "secret" not in repr(pdu.Bind("12345", "secret"))


@pytest.mark.parametrize("read", [pdu.decode, pdu.length, pdu.decode_bind, pdu.decode_message])
@given(data=st.binary(max_size=200))
@example(data=b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00")
@example(data=b"\xff\xff\xff\xff" + bytes(12))
def test_bytes_from_anywhere_raise_nothing_but_invalid_input(read, data):
    try:
        read(data)
    except InvalidInput:
        return


@given(MESSAGES)
def test_whatever_a_message_holds_a_report_is_read_or_there_is_none(message):
    report = pdu.read_report(message)
    assert report is None or report.name


def receipt(content=b"", tlvs=None):
    party = pdu.Party("1")
    return pdu.Message(party, party, content, esm_class=pdu.RECEIPT, tlvs=tlvs or {})


TEXT = b"id:0000002a sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:UNDELIV err:045 text:id:9"
REPORTS = [
    ("text", receipt(TEXT), ("0000002a", "UNDELIV", "045")),
    (
        "parameters",
        receipt(tlvs={pdu.RECEIPTED_ID: b"abc\x00", pdu.MESSAGE_STATE: b"\x02"}),
        ("abc", "DELIVRD", ""),
    ),
    (
        "both",
        receipt(TEXT, {pdu.RECEIPTED_ID: b"abc\x00", pdu.MESSAGE_STATE: b"\x08"}),
        ("abc", "REJECTD", "045"),
    ),
    ("payload", receipt(tlvs={pdu.MESSAGE_PAYLOAD: TEXT}), ("0000002a", "UNDELIV", "045")),
]


@pytest.mark.parametrize(
    ("message", "expected"), [row[1:] for row in REPORTS], ids=[row[0] for row in REPORTS]
)
def test_a_receipt_is_read_in_every_form(message, expected):
    assert pdu.read_report(message) == pdu.Report(*expected)


def test_a_receipt_without_a_name_is_none():
    assert pdu.read_report(receipt(b"stat:DELIVRD")) is None


SEGMENTS = [
    (
        "all three",
        {pdu.SAR_REFERENCE: b"\x01\x02", pdu.SAR_TOTAL: b"\x03", pdu.SAR_NUMBER: b"\x02"},
        (258, 3, 2),
    ),
    ("two only", {pdu.SAR_REFERENCE: b"\x01\x02", pdu.SAR_TOTAL: b"\x03"}, None),
    (
        "number beyond the total",
        {pdu.SAR_REFERENCE: b"\x01", pdu.SAR_TOTAL: b"\x03", pdu.SAR_NUMBER: b"\x04"},
        None,
    ),
    ("number nought", {pdu.SAR_REFERENCE: b"\x01", pdu.SAR_TOTAL: b"\x03", pdu.SAR_NUMBER: b"\x00"}, None),
]


@pytest.mark.parametrize(
    ("tlvs", "expected"), [row[1:] for row in SEGMENTS], ids=[row[0] for row in SEGMENTS]
)
def test_sar_parameters_say_which_part_it_is(tlvs, expected):
    assert receipt(tlvs=tlvs).segment == expected


LONG = [
    ("system id", lambda: pdu.Bind("a" * 16, "")),
    ("password", lambda: pdu.Bind("a", "b" * 9)),
    ("number", lambda: pdu.Message(pdu.Party("1" * 21), pdu.Party("1"), b"")),
    ("content", lambda: receipt(bytes(255))),
    ("string with an end inside", lambda: pdu.Bind("a\x00b", "")),
]


@pytest.mark.parametrize("make", [row[1] for row in LONG], ids=[row[0] for row in LONG])
def test_what_a_field_cannot_hold_is_refused(make):
    with pytest.raises(InvalidInput):
        make().encode()


ALPHABET = gsm7.decode(bytes(range(0x1B))) + gsm7.decode(bytes(range(0x1C, 128))) + "€^{}[]~|\\"


@given(st.text(ALPHABET))
def test_a_text_in_the_alphabet_comes_back(text):
    octets = gsm7.encode(text)
    assert gsm7.decode(octets) == text


@given(st.binary())
def test_any_octets_have_a_text(data):
    assert isinstance(gsm7.decode(data), str)


OCTETS = [
    ("at sign", "@", b"\x00"),
    ("dollar", "$", b"\x02"),
    ("underscore", "_", b"\x11"),
    ("euro", "€", b"\x1b\x65"),
    ("bracket", "[", b"\x1b\x3c"),
    ("accents", "àÜ", b"\x7f\x5e"),
]


@pytest.mark.parametrize(("text", "octets"), [row[1:] for row in OCTETS], ids=[row[0] for row in OCTETS])
def test_the_alphabet_is_that_of_the_norm(text, octets):
    assert gsm7.encode(text) == octets
    assert sum(map(gsm7.width, text)) == len(octets)


@pytest.mark.parametrize("text", ["井", "`", "\x1b", "a井"])
def test_what_the_alphabet_has_not_is_refused(text):
    with pytest.raises(InvalidInput):
        gsm7.encode(text)
