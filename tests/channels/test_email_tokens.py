import hashlib
import hmac
from datetime import date

import pytest

from channels.email import tokens
from normalizer import case_no

CASE = case_no.make("370900", date(2026, 11, 24), 123)


def sign(text, key=b"k"):
    return hmac.digest(key, text.encode(), hashlib.sha256)


@pytest.mark.parametrize(
    "change", [str, str.upper, lambda t: t.replace("-", "-\r\n ", 1)], ids=["as sent", "upper", "folded"]
)
def test_a_message_id_leads_back_to_its_case(change):
    name = tokens.message_id("out/1", CASE, sign, "gov.cn")
    assert name.endswith("@gov.cn>")
    assert tokens.case_in(["<x@y>", change(name)], sign) == CASE
    assert tokens.case_in([name], lambda t: sign(t, b"other")) == ""
    assert tokens.case_in([name.replace(CASE, case_no.make("370900", date(2026, 11, 24), 124))], sign) == ""


def test_a_plus_address_leads_back_to_its_case():
    address = tokens.plus_address("box@gov.cn", CASE, sign)
    assert tokens.case_in_address(["a@b.cn", address.upper()], sign) == CASE
    assert tokens.case_in_address([address.replace(address[20:30], "a" * 10)], sign) == ""
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        pytest.param(f"回复：{tokens.subject_tag(CASE)} 路灯", CASE, id="as sent"),
        pytest.param(f"Re: 【12345－{CASE}】", CASE, id="wide brackets"),
        pytest.param(f"[12345-{case_no.grouped(CASE)}]", CASE, id="grouped"),
        pytest.param(f"[12345-{CASE[:-1]}{(int(CASE[-1]) + 1) % 10}]", "", id="wrong check digit"),
        pytest.param(CASE, "", id="no tag"),
    ],
)
def test_a_subject_tag_names_a_case(subject, found):
    assert tokens.case_in_subject(subject) == found


def test_a_mail_without_a_case_has_a_message_id_too():
    assert tokens.message_id("o1", "", sign, "gov.cn") == "<o1@gov.cn>"
