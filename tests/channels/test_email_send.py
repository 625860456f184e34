"""What leaves by SMTP: threaded, marked as a machine's, known by one Message-ID; and what a relay's answers mean."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP

import dkim
import pytest
from aiohttp import ClientSession
from aiosmtpd import smtp as aiosmtpd
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from channels.contract import SendError, SendReason
from channels.email import tokens
from channels.email.channel import build
from channels.email.compose import compose
from channels.email.settings import Settings
from channels.settings import read
from gateway.sandbox.post.office import Fault, Post, PostSettings
from normalizer.errors import Misconfigured
from normalizer.message import Address, OutboundMessage, Part, PartKind
from tests.kit.doors import NOW, Blobs, sign, tools

CASE = "37092611240001233"
CITIZEN = "zhang@qq.com"
THREAD = json.dumps(
    {"id": "<m1@qq.com>", "references": ["<m0@qq.com>"], "subject": "Re: 路灯坏了"}, ensure_ascii=False
)


def message(number=1, **changes):
    values = {"text": "您好：\n\n已受理 <b>", "case_no": CASE, "thread": THREAD} | changes
    return OutboundMessage(f"{number:032x}", Address("mail", CITIZEN), **values)


def test_a_reply_stands_in_its_thread_and_says_that_a_machine_wrote_it():
    mail = compose(message(), chosen(1), sign, NOW)
    assert mail["Subject"] == f"回复：路灯坏了 [12345-{CASE}]"
    assert (mail["In-Reply-To"], mail["References"]) == ("<m1@qq.com>", "<m0@qq.com> <m1@qq.com>")
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert mail["X-Loop"] == "jiesu.city.example"
    assert tokens.case_in([mail["Message-ID"]], sign) == CASE
    text, html = mail.iter_parts()
    assert "已受理 <b>" in text.get_content()
    assert "已受理 &lt;b&gt;" in html.get_content()
    assert compose(message(), chosen(1), sign, NOW)["Message-ID"] == mail["Message-ID"]


def test_a_long_message_id_stays_one_word_on_the_wire():
    long = f"<{'PH0PR11MB' * 12}@namprd11.prod.outlook.com>"
    thread = json.dumps({"id": long, "references": [long, long], "subject": "x"})
    written = compose(message(thread=thread), chosen(1), sign, NOW).as_bytes().decode()
    assert f"In-Reply-To: {long}\r\n" in written
    assert f"References: {long} {long} {long}\r\n" in written


@pytest.mark.parametrize(
    ("changes", "subject", "submitted"),
    [
        ({"thread": "", "notice": "replied"}, f"您的诉求已有答复 [12345-{CASE}]", "auto-generated"),
        ({"thread": "", "case_no": ""}, "您的来信已收到", "auto-replied"),
        ({"thread": "no json", "notice": "merged"}, f"您的诉求有新进展 [12345-{CASE}]", "auto-generated"),
        ({"thread": THREAD.replace("路灯坏了", f"路灯 [12345-{CASE}]")}, f"回复：路灯 [12345-{CASE}]", "auto-replied"),
        ({"thread": THREAD.replace("路灯坏了", "a\\r\\nBcc: x@y.z")}, f"回复：a Bcc: x@y.z [12345-{CASE}]", "auto-replied"),
    ],
)  # fmt: skip
def test_subjects(changes, subject, submitted):
    mail = compose(message(**changes), chosen(1), sign, NOW)
    assert (mail["Subject"], mail["Auto-Submitted"], mail["Bcc"]) == (subject, submitted, None)


def test_where_the_mailbox_takes_it_the_reply_address_names_the_case():
    mail = compose(message(), chosen(1, plus_addressing=True), sign, NOW)
    assert tokens.case_in_address([mail["Reply-To"].addresses[0].addr_spec], sign) == CASE


async def test_mails_go_over_one_connection_and_a_dead_one_is_replaced(post):
    async with channel(post) as mailbox:
        first = await mailbox.send(message(1))
        await mailbox.send(message(2))
        assert first.names[0] == compose(message(1), chosen(1), sign, NOW)["Message-ID"]
        await mailbox._relay._smtp.quit()
        await mailbox.send(message(3))
    assert [mail.subject for mail in post.mails(CITIZEN)] == [f"回复：路灯坏了 [12345-{CASE}]"] * 3


async def test_a_mail_brings_a_file_or_says_in_the_record_why_not(post):
    blobs = Blobs()
    content = b"%PDF-1.7" + bytes(range(256)) * 9
    part = Part(
        PartKind.FILE, blob=await blobs.put(content), mime="application/pdf", name="办理结果.pdf", size=99
    )
    async with channel(post, blobs=blobs) as mailbox:
        assert (await mailbox.send(message(1, part=part, notice="agent"))).instead == ""
        gone = await mailbox.send(message(2, part=replace(part, blob="0" * 64), notice="agent"))
        large = await mailbox.send(message(3, part=replace(part, size=16 * 1024 * 1024), notice="agent"))
    assert "not here any more" in gone.instead
    assert "mails take" in large.instead
    with_file, *without = (message_from_bytes(mail.raw, policy=SMTP) for mail in post.mails(CITIZEN))
    (attached,) = with_file.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("办理结果.pdf", content)
    assert "已受理" in with_file.get_body(("plain",)).get_content()
    assert [list(mail.iter_attachments()) for mail in without] == [[], []]


@pytest.mark.parametrize(
    ("step", "fault", "reason"),
    [
        pytest.param("RCPT", Fault("code", 550), SendReason.UNREACHABLE, id="no such person"),
        pytest.param("RCPT", Fault("code", 451), SendReason.BUSY, id="come again"),
        pytest.param("DATA", Fault("code", 554), SendReason.CONTENT, id="taken for spam"),
        pytest.param("DATA", Fault("code", 452), SendReason.BUSY, id="disk full"),
        pytest.param("RCPT", Fault("cut"), SendReason.CONNECTION, id="cut before the content"),
        pytest.param("DATA", Fault("cut"), SendReason.TIMEOUT, id="cut after the content"),
        pytest.param("DATA", Fault("slow", seconds=3.0), SendReason.TIMEOUT, id="no answer in time"),
    ],
)
async def test_what_a_relay_answers(post, step, fault, reason):
    async with channel(post) as mailbox:
        mailbox._relay.seconds = 1.0
        post.faults[step].append(fault)
        with pytest.raises(SendError) as refused:
            await mailbox.send(message())
        assert refused.value.reason is reason
        await mailbox.send(message(2))
    assert len(post.mails(CITIZEN)) >= 1


async def test_a_relay_that_refuses_our_own_address_forbids_us_to_write():
    class Strict:
        async def handle_MAIL(self, *asked):  # noqa: N802 - aiosmtpd's name
            return "553 Mail from must equal authorized user"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: aiosmtpd.SMTP(Strict(), loop=loop), "127.0.0.1", 0)
    async with server, ClientSession() as http:
        settings = raw(server.sockets[0].getsockname()[1], smtp_user="")
        mailbox = build(
            "mail", {key: value for key, value in settings.items() if key != "smtp_secret"}, tools(http)
        )
        with pytest.raises(SendError) as refused:
            await mailbox.send(message())
        await mailbox._relay.close()
    assert (refused.value.reason, refused.value.retryable) == (SendReason.FORBIDDEN, False)


async def test_a_wrong_password_and_nobody_there(post):
    async with channel(post, smtp_secret="wrong") as mailbox:
        with pytest.raises(SendError) as refused:
            await mailbox.send(message())
        assert refused.value.reason is SendReason.CREDENTIALS
        mailbox_finding, relay_finding = await mailbox.check()
    assert (mailbox_finding.ok, relay_finding.ok, "smtp_secret" in relay_finding.cure) == (True, False, True)
    async with channel(post, smtp_port=1, imap_port=1) as mailbox:
        with pytest.raises(SendError) as away:
            await mailbox.send(message())
        assert away.value.reason is SendReason.CONNECTION
        assert not any(finding.ok for finding in await mailbox.check())


async def test_an_address_is_answered_so_often_an_hour_and_no_more(post):
    async with channel(post, replies_per_hour=2) as mailbox:
        for number in (1, 2):
            await mailbox.send(message(number))
        with pytest.raises(SendError) as stopped:
            await mailbox.send(message(3))
        assert stopped.value.reason is SendReason.QUOTA
        await mailbox.send(message(4, notice="replied"))


async def test_what_did_not_leave_is_not_counted_and_no_address_is_told(post):
    async with channel(post, replies_per_hour=1) as mailbox:
        post.faults["RCPT"].append(Fault("code", 550))
        with pytest.raises(SendError) as refused:
            await mailbox.send(message(1))
        assert "@" not in str(refused.value)
        await mailbox.send(message(2))
        strange = OutboundMessage("3" * 32, Address("mail", "a..b@docomo.ne.jp"), "x", notice="replied")
        with pytest.raises(SendError) as away:
            await mailbox.send(strange)
        assert away.value.reason is SendReason.UNREACHABLE


async def test_a_signed_mail_verifies(post):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    async with channel(post, dkim_selector="s1", dkim_key=pem) as mailbox:
        await mailbox.send(message())
    [mail] = post.mails(CITIZEN)
    assert message_from_bytes(mail.raw, policy=SMTP)["DKIM-Signature"]
    assert dkim.verify(mail.raw, dnsfunc=lambda name, timeout=5: record)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "nobody"}, "channels.mail.address"),
        ({"imap_security": "starttls"}, "channels.mail"),
        ({"dkim_selector": "s1"}, "channels.mail"),
        ({"colour": "red"}, "channels.mail.colour"),
    ],
)
def test_a_wrong_setting_is_named(changes, field):
    with pytest.raises(Misconfigured) as wrong:
        chosen(1, **changes)
    assert wrong.value.setting == field


def raw(port, imap_port=1, **changes):
    values = {
        "kind": "email",
        "address": "12345@city.example",
        "imap_host": "127.0.0.1",
        "imap_port": imap_port,
        "imap_security": "none",
        "imap_user": "12345@city.example",
        "imap_secret": "hotline",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_user": "12345@city.example",
        "smtp_secret": "hotline",
    }
    return values | changes


def chosen(port, **changes):
    return read(Settings, "mail", raw(port, **changes))


@asynccontextmanager
async def channel(post, **changes):
    async with ClientSession() as http:
        blobs = changes.pop("blobs", None)
        given = raw(post.smtp_port, **({"imap_port": post.imap_port} | changes))
        made = build("mail", given, tools(http, blobs=blobs))
        try:
            yield made
        finally:
            await made._relay.close()


@pytest.fixture
async def post():
    async with Post(PostSettings("12345@city.example", "hotline")) as office:
        yield office
