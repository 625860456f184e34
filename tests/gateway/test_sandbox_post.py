"""The post office takes the hotline's mail and brings the citizens', as any mail server would; peers are the library's."""

import asyncio
import contextlib
import imaplib
import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from gateway.sandbox.post.office import Attachment, Fault, Post

NOW = 1_795_500_000.0
HOTLINE = "12345@city.test"


@pytest.fixture
async def post():
    async with Post(clock=lambda: NOW) as opened:
        yield opened


def letter(subject="受理通知", text="您的诉求已受理。", to="wang@mail.test"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"12345热线 <{HOTLINE}>", to, subject
    mail["Message-ID"] = "<case-1@city.test>"
    mail.set_content(text)
    return mail


def submit(port, mail, password="hotline"):
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.login(HOTLINE, password)
        return smtp.send_message(mail)


def inbox(port, password="hotline"):
    with imaplib.IMAP4("127.0.0.1", port, timeout=5) as imap:
        imap.login(HOTLINE, password)
        imap.select()
        found = imap.uid("SEARCH", "ALL")[1][0].split()
        return [imap.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1] for uid in found]


async def test_a_mail_of_the_service_is_in_the_citizens_list(post):
    seen = []
    post.watchers.add(lambda: seen.append(True))
    await asyncio.to_thread(submit, post.smtp_port, letter())
    (shown,) = post.shown()["citizens"]
    (mail,) = shown["mails"]
    assert shown["address"] == "wang@mail.test"
    assert {name: mail[name] for name in ("who", "from", "subject", "text", "at")} == {
        "who": "service",
        "from": HOTLINE,
        "subject": "受理通知",
        "text": "您的诉求已受理。",
        "at": NOW,
    }
    assert mail["headers"]["Message-ID"] == "<case-1@city.test>"
    assert seen


async def test_a_mail_of_a_citizen_is_in_the_hotlines_inbox(post):
    file = Attachment("井盖.jpg", b"\xff\xd8\xff", "image/jpeg")
    name = await post.write("wang@mail.test", "井盖丢了", "幸福路12号", attachments=[file])
    (raw,) = await asyncio.to_thread(inbox, post.imap_port)
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["Message-ID"], mail["Subject"], mail["From"]) == (name, "井盖丢了", "wang@mail.test")
    (attachment,) = mail.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("井盖.jpg", b"\xff\xd8\xff")
    assert [mail.who for mail in post.mails("wang@mail.test")] == ["citizen"]


async def test_an_answer_names_the_mail_it_answers(post):
    await asyncio.to_thread(submit, post.smtp_port, letter())
    (received,) = post.mails("wang@mail.test")
    await post.write("wang@mail.test", "回复：受理通知", "谢谢", received)
    (raw,) = await asyncio.to_thread(inbox, post.imap_port)
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["In-Reply-To"], mail["References"]) == ("<case-1@city.test>", "<case-1@city.test>")


async def test_who_idles_on_the_inbox_is_told_at_once(post):
    reader, writer = await asyncio.open_connection("127.0.0.1", post.imap_port)

    async def until(start):
        async with asyncio.timeout(5):
            while not (line := await reader.readline()).startswith(start):
                assert line, "the server closed"
        return line

    await until(b"* OK")
    writer.write(b'a LOGIN "12345@city.test" "hotline"\r\nb SELECT INBOX\r\nc IDLE\r\n')
    await until(b"+")
    await post.write("wang@mail.test", "井盖丢了", "幸福路12号")
    assert await until(b"* 1 EXISTS") == b"* 1 EXISTS\r\n"
    writer.write(b"DONE\r\n")
    await until(b"c OK")
    writer.close()


async def test_a_wrong_password_opens_neither_door(post):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(submit, post.smtp_port, letter(), "guess")
    with pytest.raises(imaplib.IMAP4.error):
        await asyncio.to_thread(inbox, post.imap_port, "guess")


@pytest.mark.parametrize(
    ("label", "step", "fault", "error", "arrived"),
    [
        ("recipient unknown", "RCPT", Fault("code", 550), smtplib.SMTPRecipientsRefused, 0),
        ("recipient later", "RCPT", Fault("code", 451), smtplib.SMTPRecipientsRefused, 0),
        ("data refused", "DATA", Fault("code", 554), smtplib.SMTPDataError, 0),
        ("data later", "DATA", Fault("code", 452), smtplib.SMTPDataError, 0),
        ("cut at the recipient", "RCPT", Fault("cut"), smtplib.SMTPServerDisconnected, 0),
        ("cut and lost", "DATA", Fault("cut"), smtplib.SMTPServerDisconnected, 0),
        ("cut after it was taken", "DATA", Fault("cut", deliver=True), smtplib.SMTPServerDisconnected, 1),
    ],
)
async def test_a_fault_is_met_once_and_the_next_mail_goes_through(post, label, step, fault, error, arrived):
    post.faults[step].append(fault)
    with pytest.raises((error, ConnectionResetError)) as met:
        await asyncio.to_thread(submit, post.smtp_port, letter())
    if fault.kind == "code":
        assert str(fault.code) in str(met.value), label
    assert len(post.mails("wang@mail.test")) == arrived, label
    await asyncio.to_thread(submit, post.smtp_port, letter())
    assert len(post.mails("wang@mail.test")) == arrived + 1


async def test_a_slow_server_answers_when_its_time_has_come():
    gate, reached = asyncio.Event(), asyncio.Event()

    async def pause(seconds):
        assert seconds == 20
        reached.set()
        await gate.wait()

    async with Post(pause=pause) as post:
        post.faults["DATA"].append(Fault("slow", seconds=20))
        sending = asyncio.create_task(asyncio.to_thread(submit, post.smtp_port, letter()))
        async with asyncio.timeout(5):
            await reached.wait()
            assert not sending.done()
            gate.set()
            assert await sending == {}


async def test_closing_ends_open_connections():
    async with Post() as post:
        streams = [
            await asyncio.open_connection("127.0.0.1", port) for port in (post.smtp_port, post.imap_port)
        ]
        for reader, _ in streams:
            await reader.readline()
    for reader, writer in streams:
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        writer.close()
