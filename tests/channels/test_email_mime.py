import base64
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.email import mime

WORDS = "朱镕基与喆–路灯不亮"
GB = WORDS.encode("gb18030")
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


def mail(body=b"x", head=b"", kind=b"text/plain"):
    return b"From: a@qq.com\r\n" + head + b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n" + body


def b64(raw):
    return base64.b64encode(raw)


BODIES = [
    *(
        pytest.param(mail(GB, kind=b"text/plain; charset=" + label), WORDS, id=label.decode())
        for label in b"gb2312 gbk GB_2312-80 x-gbk cp936 euc-cn default x-unknown utf-8 us-ascii gb18030".split()
    ),
    pytest.param(mail(GB), WORDS, id="no label, GBK"),
    pytest.param(mail(WORDS.encode()), WORDS, id="no label, UTF-8"),
    pytest.param(mail(WORDS.encode(), kind=b"text/plain; charset=gb2312"), WORDS, id="gb2312 label, UTF-8"),
    pytest.param(mail("路灯".encode("hz"), kind=b"text/plain; charset=hz-gb-2312"), "路灯", id="HZ"),
    pytest.param(mail("路灯".encode("utf-7"), kind=b"text/plain; charset=utf-7"), "路灯", id="UTF-7"),
    pytest.param(mail("路燈".encode("big5"), kind=b"text/plain; charset=big5"), "路燈", id="Big5"),
    pytest.param(
        mail("größe für".encode("latin-1"), kind=b"text/plain; charset=iso-8859-1"), "größe für", id="German"
    ),
    pytest.param(mail("<meta charset=gbk><p>路灯</p>".encode("gbk"), kind=b"text/html"), "路灯", id="meta"),
    pytest.param(mail(b"plain", kind=b"multipart/mixed"), "plain", id="multipart with no boundary"),
    pytest.param(mail(b"plain", kind=b"text/plain; charset=zlib"), "plain", id="a codec that is no charset"),
    pytest.param(b"", "", id="nothing"),
    pytest.param(b"\n\nhello", "hello", id="no headers"),
]


@pytest.mark.parametrize(("raw", "text"), BODIES)
def test_a_body_is_read_under_whatever_label(raw, text):
    assert mime.read(raw).text == text


SUBJECTS = [
    pytest.param(b"=?gb2312?B?" + b64(GB) + b"?=", id="GBK bytes called gb2312"),
    pytest.param(b"=?x-gbk?B?" + b64(GB) + b"?=", id="x-gbk"),
    pytest.param(b"=?utf-8?B?" + b64(GB) + b"?=", id="GBK bytes called utf-8"),
    pytest.param(GB, id="raw GBK"),
    pytest.param(WORDS.encode(), id="raw UTF-8"),
    pytest.param(b'"=?gbk?B?' + b64(GB) + b'?="', id="inside quotes"),
    pytest.param(
        b"=?utf-8?B?" + b64(WORDS.encode()[:7]) + b"?=\r\n =?utf-8?B?" + b64(WORDS.encode()[7:]) + b"?=",
        id="a character split between words",
    ),
    pytest.param(b"=?gbk?B?" + b64(GB).rstrip(b"=") + b"?=", id="no padding"),
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_read_however_encoded(subject):
    assert mime.read(mail(head=b"Subject: " + subject + b"\r\n")).subject.strip('"') == WORDS


NAMES = [
    pytest.param(b"filename==?gb2312?B?" + b64("路灯.png".encode("gbk")) + b"?=", id="unquoted encoded word"),
    pytest.param(b'filename="=?gb2312?B?' + b64("路灯.png".encode("gbk")) + b'?="', id="quoted encoded word"),
    pytest.param(b"filename*=GBK''%C2%B7%B5%C6.png", id="RFC 2231"),
    pytest.param(
        b"filename*0*=gb2312''%C2%B7;\r\n filename*1*=%B5%C6; filename*2=.png", id="RFC 2231 continued"
    ),
    pytest.param(b'filename="' + "路灯.png".encode("gbk") + b'"', id="raw GBK"),
    pytest.param(b'filename="' + "路灯.png".encode() + b'"', id="raw UTF-8"),
    pytest.param(b'filename="../../' + "路灯.png".encode() + b'"', id="a path"),
    pytest.param(b'filename="C:\\\\x\\\\' + "路灯.png".encode() + b'"', id="a Windows path"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_keeps_its_name_and_content(name):
    raw = mail(
        b"--b\r\nContent-Type: text/plain; charset=gbk\r\n\r\n"
        + GB
        + b"\r\n--b\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Disposition: attachment; "
        + name
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64(PNG)
        + b"\r\n--b--",
        kind=b'multipart/mixed; boundary="b"',
    )
    letter = mime.read(raw)
    (file,) = letter.attachments
    assert (file.name, file.content, file.kind, letter.text) == ("路灯.png", PNG, "image/png", WORDS)


def test_remote_images_are_off_and_those_of_the_mail_are_numbered():
    page = b'<p onclick=x>see<script>bad()</script><img src="cid:p1"><img src="http://spy/x.gif"></p>'
    raw = mail(
        b"--b\r\nContent-Type: text/html\r\n\r\n"
        + page
        + b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <p1>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(PNG) + b"\r\n--b--",
        kind=b"multipart/related; boundary=b",
    )
    letter = mime.read(raw)
    assert letter.html == '<p>see<img src="attachment:0"><img></p>'
    assert letter.attachments[0].inline
    assert letter.text == "see"


def test_a_mail_within_a_mail_is_read_even_packed_in_base64():
    inner = mail(GB, head=b"Subject: inner\r\n", kind=b"text/plain; charset=gb2312")
    for body, encoding in ((inner, b"8bit"), (base64.encodebytes(inner), b"base64")):
        part = (
            b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
            + encoding
            + b"\r\n\r\n"
            + body
            + b"\r\n--b--"
        )
        (nested,) = mime.read(mail(part, kind=b"multipart/mixed; boundary=b")).nested
        assert (nested.subject, nested.text) == ("inner", WORDS)


def tnef(name, content):
    def attribute(level, number, kind, data):
        head = struct.pack("<BHHI", level, number, kind, len(data))
        return head + data + struct.pack("<H", sum(data) & 0xFFFF)

    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x9006, 8, struct.pack("<I", 0x10000))
        + attribute(2, 0x9002, 6, b"\0" * 14)
        + attribute(2, 0x8010, 1, name + b"\0")
        + attribute(2, 0x800F, 6, content)
    )


def winmail(content):
    return mail(
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64(content) + b"\r\n--b--",
        kind=b"multipart/mixed; boundary=b",
    )


def test_winmail_dat_is_opened():
    (file,) = mime.read(winmail(tnef("路灯.png".encode("gbk"), PNG))).attachments
    assert (file.name, file.content, file.kind) == ("路灯.png", PNG, "image/png")


def test_a_broken_winmail_dat_is_kept_as_it_is():
    letter = mime.read(winmail(tnef(b"a", PNG)[:30]))
    assert letter.attachments[0].name == "winmail.dat"
    assert letter.damaged == ("winmail.dat",)


def nested_multiparts(depth):
    raw = b"x"
    for number in range(depth):
        mark = b"b%d" % number
        raw = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\r\n\r\n--"
            + mark
            + b"\r\n"
            + raw
            + b"\r\n--"
            + mark
            + b"--"
        )
    return raw


HOSTILE = [
    pytest.param(nested_multiparts(3000), id="3,000 parts within parts"),
    pytest.param(nested_multiparts(60), id="60 parts within parts"),
    pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 150 + b"x", id="150 mails within mails"),
    pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"x", id="5,000 mails within mails"),
    pytest.param(mail(b"--b\r\n\r\nx\r\n" * 10_000, kind=b"multipart/mixed; boundary=b"), id="10,000 parts"),
    pytest.param(mail(b"<div>" * 100_000 + b"x", kind=b"text/html"), id="deep HTML"),
    pytest.param(mail(b"&" * 500_000, kind=b"text/html"), id="entities"),
]


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_hostile_mail_is_capped_quickly_and_said_to_be_damaged(raw):
    start = time.perf_counter()
    assert mime.read(raw).damaged
    assert time.perf_counter() - start < 5


LABELS = st.sampled_from(
    [
        "gb2312",
        "gbk",
        "utf-8",
        "x-gbk",
        "default",
        "big5",
        "us-ascii",
        "utf-16",
        "idna",
        "iso-8859-1",
        "\xff",
        "",
    ]
)
CODECS = st.sampled_from(["gb18030", "utf-8", "utf-16", "big5"])
LABELLED = st.sampled_from(["gb18030", "utf-8", "utf-16"])
CHINESE = st.text("路灯井盖噪声投诉一a b\n", min_size=1, max_size=20)


@st.composite
def leaves(draw):
    """A part with what must come out of it, if its label tells the truth or is one of the family."""
    words = draw(CHINESE)
    content = draw(st.one_of(st.binary(max_size=60), st.just(words.encode(draw(CODECS), "replace"))))
    kind = draw(
        st.sampled_from(
            ["text/plain", "text/html", "image/png", "message/rfc822", "message/delivery-status", "", "x"]
        )
    )
    where = draw(
        st.sampled_from(["attachment; filename=f", "inline", "attachment", "attachment; filename*=x'", ""])
    )
    head = f"Content-Type: {kind}; charset={draw(LABELS)}\r\nContent-Disposition: {where}\r\n".encode(
        "latin-1"
    )
    if draw(st.booleans()):
        return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)
    return head + b"\r\n" + content


@st.composite
def nasty(draw):
    body = draw(st.recursive(leaves(), multiparts, max_leaves=5))
    head = (
        b"Subject: " + draw(st.binary(max_size=30)) + b"\r\nFrom: " + draw(st.binary(max_size=30)) + b"\r\n"
    )
    raw = head + body
    cut = draw(st.integers(0, len(raw)))
    return draw(st.sampled_from([raw, raw, raw[:cut], raw.replace(b"\r\n", b"\n")]))


def multiparts(children):
    return st.tuples(
        st.sampled_from(["mixed", "alternative", "related", "report"]), st.lists(children, max_size=3)
    ).map(
        lambda pair: (
            f"Content-Type: multipart/{pair[0]}; boundary=q{len(pair[1])}\r\n\r\n".encode()
            + b"".join(b"--q%d\r\n" % len(pair[1]) + child + b"\r\n" for child in pair[1])
            + b"--q%d--" % len(pair[1])
        ),
    )


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(nasty())
def test_a_nasty_mail_raises_nothing(raw):
    letter = mime.read(raw)
    letter.text.encode()
    letter.subject.encode()
    letter.html.encode()
    assert not any(why.startswith("structure: ") and why.endswith("Error") for why in letter.damaged)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=60), st.booleans()), max_size=6),
    CHINESE.filter(str.strip),
    LABELLED,
)
def test_every_file_and_the_text_come_out(files, words, codec):
    parts = [
        b"Content-Type: text/plain; charset="
        + codec.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b64(words.encode(codec))
    ]
    for content, named in files:
        name = b"; filename=x.bin" if named else b""
        parts.append(
            b"Content-Disposition: attachment"
            + name
            + b"\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + b64(content)
        )
    raw = mail(
        b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--",
        kind=b"multipart/mixed; boundary=b",
    )
    letter = mime.read(raw)
    assert [file.content for file in letter.attachments] == [content for content, _ in files]
    assert letter.text.strip() == words.strip()
