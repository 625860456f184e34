"""What a relay's refusals mean: real answers of real servers, each with what is to be done."""

from __future__ import annotations

import pytest

from channels.contract import SendReason
from channels.email.answers import Step, refusal

MAIL, RCPT, DATA = Step


@pytest.mark.parametrize(
    ("step", "code", "words", "reason"),
    [
        pytest.param(MAIL, 421, "4.7.0 Too many connections", SendReason.BUSY, id="closing"),
        pytest.param(RCPT, 421, "Service not available", SendReason.BUSY, id="closing, at the recipient"),
        pytest.param(MAIL, 530, "5.7.0 Authentication required", SendReason.CREDENTIALS, id="not logged in"),
        pytest.param(MAIL, 535, "5.7.8 Error: authentication failed", SendReason.CREDENTIALS, id="password"),
        pytest.param(MAIL, 550, "5.7.1 Sender rejected", SendReason.FORBIDDEN, id="our address"),
        pytest.param(MAIL, 553, "Mail from must equal authorized user", SendReason.FORBIDDEN, id="163"),
        pytest.param(RCPT, 553, "5.7.1 Sender address rejected: not owned", SendReason.REFUSED, id="policy at RCPT"),
        pytest.param(RCPT, 550, "5.1.8 Sender address rejected", SendReason.FORBIDDEN, id="our domain unknown"),
        pytest.param(MAIL, 552, "5.3.4 Message size exceeds fixed limit", SendReason.CONTENT, id="SIZE"),
        pytest.param(DATA, 552, "Message too large", SendReason.CONTENT, id="too large, no enhanced code"),
        pytest.param(DATA, 554, "5.3.4 Message too big", SendReason.CONTENT, id="too large by the enhanced code"),
        pytest.param(RCPT, 552, "5.2.2 Mailbox full", SendReason.UNREACHABLE, id="his mailbox is full"),
        pytest.param(RCPT, 450, "4.7.1 Client host rejected", SendReason.THROTTLED, id="put off"),
        pytest.param(RCPT, 451, "4.7.1 Greylisting in action", SendReason.THROTTLED, id="greylisted"),
        pytest.param(RCPT, 450, "4.2.0 <a@b.cn>: Greylisted, see", SendReason.THROTTLED, id="postgrey"),
        pytest.param(RCPT, 451, "gray-listed, try again later", SendReason.THROTTLED, id="no enhanced code"),
        pytest.param(RCPT, 451, "4.3.0 Temporary lookup failure", SendReason.BUSY, id="their fault"),
        pytest.param(RCPT, 450, "mailbox busy", SendReason.BUSY, id="450 alone"),
        pytest.param(DATA, 452, "4.3.1 Insufficient system storage", SendReason.BUSY, id="disk full"),
        pytest.param(RCPT, 550, "5.1.1 User unknown", SendReason.UNREACHABLE, id="no such person"),
        pytest.param(DATA, 554, "5.1.1 User unknown", SendReason.UNREACHABLE, id="no such person, told late"),
        pytest.param(RCPT, 550, "No such user here", SendReason.UNREACHABLE, id="550 alone"),
        pytest.param(RCPT, 554, "5.4.4 Host not found", SendReason.UNREACHABLE, id="no such domain"),
        pytest.param(RCPT, 554, "5.7.1 Relay access denied", SendReason.REFUSED, id="relay denied"),
        pytest.param(DATA, 550, "5.7.1 Message rejected by policy", SendReason.REFUSED, id="policy"),
        pytest.param(RCPT, 554, "Blocked", SendReason.REFUSED, id="554 alone, at the recipient"),
        pytest.param(DATA, 554, "Transaction failed", SendReason.CONTENT, id="554 alone, at the letter"),
        pytest.param(DATA, 550, "Mail content denied", SendReason.CONTENT, id="QQ"),
        pytest.param(DATA, 554, "5.6.0 Message contains NUL", SendReason.CONTENT, id="form"),
        pytest.param(RCPT, 501, "Syntax", SendReason.CONTENT, id="what nobody foresaw"),
    ],
)  # fmt: skip
def test_what_a_refusal_means(step, code, words, reason):
    refused = refusal(step, code, words)
    assert refused.reason is reason
    assert refused.retry_after == (300 if reason is SendReason.THROTTLED else None)


def test_an_address_in_the_words_is_told_to_nobody():
    assert str(refusal(RCPT, 550, "5.1.1 <zhang@qq.com> unknown")) == "unreachable: RCPT 550 5.1.1"
