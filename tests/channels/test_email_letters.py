"""A mail into a message: the case it is about, the machine that wrote it, the files it brought."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiohttp import ClientSession

from channels.email import mime, tokens
from channels.email.compose import POLICY
from channels.email.letters import Letters
from channels.email.settings import Settings
from channels.settings import read
from normalizer.message import Address, Delivery, Part, PartKind
from tests.kit.doors import Blobs, Media, Receipts, sign, tools

CASE, OTHER = "37092611240001233", "37092611240000019"
OURS = tokens.message_id("0" * 32, CASE, sign, "jiesu.city.example")
FORGED = OURS.replace("-", "-a", 1)


def mail(text="补充：路灯还没修。", **headers):
    made = EmailMessage(policy=POLICY)
    values = {
        "From": "张三 <Zhang@QQ.com>",
        "To": "12345@city.example",
        "Subject": "路灯",
        "Message-ID": "<m1@qq.com>",
    }
    for name, value in (values | headers).items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


@pytest.mark.parametrize(
    ("headers", "about"),
    [
        pytest.param({}, "", id="nothing proves anything"),
        pytest.param({"In_Reply_To": OURS}, CASE, id="our signed Message-ID"),
        pytest.param({"References": f"<x@y> {OURS} <z@y>"}, CASE, id="among the references"),
        pytest.param({"In_Reply_To": FORGED}, "", id="a forged one"),
        pytest.param({"Subject": f"Re: [12345-{CASE}]"}, "", id="a number in the subject proves nothing"),
        pytest.param(
            {"To": tokens.plus_address("12345@city.example", CASE, sign)}, CASE, id="the address of the answer"
        ),
        pytest.param({"In_Reply_To": "<relay-7@mx.example>"}, OTHER, id="the relay's own name for our mail"),
        pytest.param({"References": "<unknown@qq.com> <relay-7@mx.example>"}, OTHER, id="an earlier mail of the thread"),
    ],
)  # fmt: skip
async def test_which_case_a_mail_is_proved_to_be_about(headers, about):
    message = await taken(mail(**headers), receipts=Receipts(about={"<relay-7@mx.example>": OTHER}))
    assert message.about == about
    assert (message.sender, message.name) == ("zhang@qq.com", "<m1@qq.com>")


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({}, ""),
        ({"X-QQ-AUTO-REPLY": "true"}, "qq-auto-reply"),
        ({"Auto-Submitted": "auto-replied"}, "auto-submitted"),
        ({"X-Loop": "jiesu.city.example"}, "own"),
        ({"Precedence": "bulk"}, "precedence"),
    ],
)
async def test_a_machine_is_known_and_named(headers, automatic):
    message = await taken(mail(**headers))
    assert (message.automatic, message.notes.get("automatic", "")) == (bool(automatic), automatic)


async def test_files_lie_in_our_store_and_quotes_are_cut_for_reading_only():
    made = mail("新的情况。\n\n------------------ 原始邮件 ------------------\n发件人: 12345\n旧的内容。\n")
    made.add_attachment(
        b"\x89PNG\r\n\x1a\n" + bytes(40), maintype="application", subtype="x", filename="../路灯.png"
    )
    blobs = Blobs()
    message = await taken(made, blobs=blobs)
    text, photo = message.parts
    assert text.text == "新的情况。"
    assert "旧的内容" in message.full_text
    assert (await taken(mail("新的情况。\n\n再说一句。"))).full_text == ""
    assert (photo.kind, photo.mime, photo.name, photo.size) == (PartKind.FILE, "image/png", "路灯.png", 48)
    assert blobs.files[photo.blob].startswith(b"\x89PNG")
    assert message.raw == made.as_bytes()


async def test_what_the_pipeline_of_files_accepts_comes_as_it_says():
    made = mail("新的情况。")
    for name in ("路灯.png", "炸弹.zip"):
        made.add_attachment(b"content", maintype="application", subtype="x", filename=name)
    lamp = Part(PartKind.IMAGE, name="路灯.png", mime="image/png", size=7, blob="k" * 64)
    media, blobs = Media({"路灯.png": lamp}), Blobs()
    message = await taken(made, media=media, blobs=blobs)
    _, photo, refused = message.parts
    assert photo is lamp
    assert (refused.kind, refused.name) == (PartKind.FILE, "炸弹.zip")
    assert blobs.files[refused.blob] == b"content"
    assert {sender for sender, _ in media.brought} == {Address(message.account, message.sender)}


async def test_a_large_raw_mail_goes_to_the_store_too():
    blobs = Blobs()
    message = await taken(mail("路灯坏了。" * 20_000), blobs=blobs)
    assert (message.raw, len(blobs.files[message.raw_blob]) > 64 * 1024) == (b"", True)


async def test_a_constant_message_id_makes_no_mail_a_repeat_of_another():
    first, second, again = [await taken(mail(text)) for text in ("第一封", "第二封", "第一封")]
    assert first.external_id == again.external_id != second.external_id


async def test_what_cannot_be_read_whole_keeps_the_raw_mail_for_an_agent():
    blobs = Blobs()
    async with ClientSession() as http:
        raw = b"From: a@b.cn\r\nContent-Type: text/plain; charset=x-nothing\r\n\r\n\xff\xfe\x81\x82\x9f"
        message = await letters(http, blobs=blobs).message(mime.read(raw), raw)
    assert message.damaged
    assert blobs.files[message.parts[-1].blob] == raw


@pytest.mark.parametrize(
    ("original", "status", "delivery"),
    [
        (OURS, "5.1.1", Delivery.FAILED),
        (OURS.replace("city.example", "City.Example"), "5.1.1", Delivery.FAILED),
        (OURS, "4.2.2", None),
        ("<somebody@elsewhere.example>", "5.1.1", None),
    ],
)
@pytest.mark.parametrize("domain", ["", "jiesu.CITY.example"])
async def test_a_bounce_is_a_receipt_only_for_what_we_sent_and_for_good(original, status, delivery, domain):
    raw = _BOUNCE.format(original=original, status=status).encode()
    async with ClientSession() as http:
        receipt = letters(http, domain=domain).receipt(mime.read(raw), datetime(2026, 11, 24, tzinfo=UTC))
    assert (receipt.delivery if receipt else None) == delivery
    assert receipt is None or receipt.provider_id == OURS


FIRST, NEWEST = "<first@qq.com>", "<newest@qq.com>"
MANY = [f"<{number}.{'x' * 60}@qq.com>" for number in range(99)]


@pytest.mark.parametrize(
    ("references", "kept"),
    [
        pytest.param([FIRST, NEWEST], [FIRST, NEWEST], id="all where they fit"),
        pytest.param([], [], id="none"),
        pytest.param([FIRST, "<中文@qq.com>", "<a b@qq.com>", NEWEST], [FIRST, "<ab@qq.com>", NEWEST], id="not an id"),
        pytest.param([FIRST, f"<{'y' * 500}@qq.com>", NEWEST], [FIRST, NEWEST], id="an endless one"),
        pytest.param([FIRST, *MANY, NEWEST], [FIRST, *MANY[-18:], NEWEST], id="the first and the newest of many"),
        pytest.param([FIRST, *MANY, *MANY, NEWEST], [FIRST, *MANY[-18:], NEWEST], id="of more than are read"),
    ],
)  # fmt: skip
async def test_a_thread_is_kept_by_its_first_and_newest_ids_whole_ones_only(references, kept):
    raw = (
        mail().as_bytes().replace(b"Subject:", f"References: {' '.join(references)}\r\nSubject:".encode(), 1)
    )
    async with ClientSession() as http:
        message = await letters(http).message(mime.read(raw), raw)
    assert json.loads(message.thread)["references"] == kept
    assert len(message.thread) <= 1500


async def test_no_id_and_no_subject_makes_a_thread_too_long():
    message = await taken(mail(**{"Message-ID": f"<{'z' * 900}@qq.com>", "Subject": '"\\' * 300}))
    assert (json.loads(message.thread)["id"], message.name) == ("", "")
    assert len(message.thread) <= 1500


async def test_html_that_is_too_long_is_cut_and_said_to_be():
    made = mail()
    picture = f"<img src='data:image/png;base64,{'A' * 1_500_000}'>"
    made.set_content(f"<p>路灯坏了。</p>{picture}<p>请来修。</p>", subtype="html")
    blobs = Blobs()
    message = await taken(made, blobs=blobs)
    assert message.damaged
    assert message.notes["damaged"] == "html cut"
    assert "请来修" in blobs.files[message.parts[0].blob].decode()
    assert message.parts[-1].name == "原始邮件.eml"


def letters(http, domain="", **given):
    settings = read(
        Settings,
        "mail",
        {
            "kind": "email",
            "address": "12345@city.example",
            "imap_host": "h",
            "imap_user": "u",
            "imap_secret": "s",
            "smtp_host": "h",
            "domain": domain,
        },
    )
    return Letters("mail", settings, tools(http, **given))


async def taken(made, **given):
    raw = made.as_bytes()
    async with ClientSession() as http:
        return await letters(http, **given).message(mime.read(raw), raw)


_BOUNCE = """From: MAILER-DAEMON@mx.example
To: 12345@city.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I am sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; zhang@qq.com
Action: failed
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: {original}
Subject: x

--b--
"""
