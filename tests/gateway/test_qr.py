"""The QR codes that we draw: the marks below are of codes that another program's reader (ZXing) has read."""

import hashlib

import pytest

from gateway.web import qr
from normalizer.errors import InvalidInput

URI = "otpauth://totp/%E6%8E%A5%E8%AF%89:xiaoli?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=%E6%8E%A5%E8%AF%89"


@pytest.mark.parametrize(
    ("text", "side", "mark"),
    [
        pytest.param("12345", 21, "e2c539b053b7ee12", id="the smallest"),
        pytest.param(URI, 41, "311dd0d20803d9f1", id="what an app of codes reads"),
        pytest.param("接" * 60, 53, "75f77ca4124332f0", id="the largest"),
    ],
)
def test_a_code_is_the_one_that_was_read(text, side, mark):
    wide, drawn = qr.path(text)
    assert (wide, hashlib.sha256(drawn.encode()).hexdigest()[:16]) == (side, mark)


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(InvalidInput):
        qr.matrix("a" * 181)
