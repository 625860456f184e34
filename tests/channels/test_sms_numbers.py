import pytest

from channels.sms.numbers import bare, machine

NUMBERS = [
    ("as it is", "13800000001", "13800000001", False),
    ("with the country", "8613800000001", "13800000001", False),
    ("with a plus", "+8613800000001", "13800000001", False),
    ("with noughts", "008613800000001", "13800000001", False),
    ("with blanks and hyphens", "+86 138-0000-0001", "13800000001", False),
    ("86 that is no country", "861380", "861380", False),
    ("a firm", "10690001234", "10690001234", True),
    ("a firm with the country", "8610690001234", "10690001234", True),
    ("a bank with the country and a plus", "+8695588", "95588", True),
    ("a call centre", "4008001234", "4008001234", True),
    ("a person in Myanmar", "+959123456789", "959123456789", False),
    ("a person in Romania", "+40012345678", "40012345678", False),
    ("nobody", "", "", False),
]


@pytest.mark.parametrize(("label", "number", "digits", "firm"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_a_number_is_read_and_a_firm_is_known(label, number, digits, firm):
    assert (bare(number), machine(number)) == (digits, firm)
