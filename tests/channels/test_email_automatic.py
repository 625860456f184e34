import pytest

from channels.email import mime, proof
from channels.email.automatic import automatic, own
from channels.email.bounces import bounce


def mail(head="", body="您好", sender="a@qq.com", subject="路灯"):
    return mime.read(
        f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <1@qq.com>\r\n{head}\r\n{body}".encode()
    )


AUTOMATIC = [
    ("Return-Path: <>\r\n", "a@qq.com", "x", "return-path"),
    ("Auto-Submitted: auto-replied\r\n", "a@qq.com", "x", "auto-submitted"),
    ("Auto-Submitted: auto-generated (x)\r\n", "a@qq.com", "x", "auto-submitted"),
    ("X-QQ-AUTO-REPLY: true\r\nIn-Reply-To: <x@y>\r\n", "a@qq.com", "x", "qq-auto-reply"),
    ("X-Auto-Response-Suppress: All\r\n", "a@qq.com", "x", "auto-response-suppress"),
    ("Precedence: bulk\r\n", "a@qq.com", "x", "precedence"),
    ("Precedence: auto_reply\r\n", "a@qq.com", "x", "precedence"),
    ("List-Id: <x>\r\n", "a@qq.com", "x", "list"),
    ("Content-Type: multipart/report; boundary=b\r\n", "a@qq.com", "x", "report"),
    ("X-Autoreply: yes\r\n", "a@qq.com", "x", "autoreply"),
    ("X-Autorespond: x\r\n", "a@qq.com", "x", "autoreply"),
    ("", "MAILER-DAEMON@x.cn", "x", "robot"),
    ("", "postmaster@qq.com", "x", "robot"),
    ("", "no-reply@x.cn", "x", "robot"),
    ("", "a@qq.com", "自动回复: 路灯", "subject"),
    ("", "a@qq.com", "自动答复：路灯", "subject"),
    ("", "a@qq.com", "系统退信/The email is returned", "subject"),
    ("", "a@qq.com", "Automatic reply: x", "subject"),
    ("", "a@qq.com", "Out of Office", "subject"),
    ("", "a@qq.com", "Undelivered Mail Returned to Sender", "subject"),
    ("", "a@qq.com", "回复：路灯", ""),
    ("Auto-Submitted: no\r\nPrecedence: normal\r\nReturn-Path: <a@qq.com>\r\n", "a@qq.com", "x", ""),
    ("", "noreplying@qq.com", "投诉自动回复不准", ""),
]


@pytest.mark.parametrize(("head", "sender", "subject", "reason"), AUTOMATIC)
def test_a_machine_is_known_by_any_of_its_marks(head, sender, subject, reason):
    assert automatic(mail(head, sender=sender, subject=subject)) == reason


def test_our_own_mails_are_known():
    assert own(mail("X-Loop: gov.cn\r\n"), "gov.cn")
    assert own(mail(), "QQ.com")
    assert not own(mail(), "gov.cn")


def dsn(action, status):
    returned = (
        "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@gov.cn>\r\nSubject: x\r\n\r\nx"
    )
    return mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        "--b\r\n\r\nfailed\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; Zhang@qq.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} said{returned}\r\n--b--",
    )


@pytest.mark.parametrize(
    ("status", "permanent"), [("5.1.1", True), ("5.7.129", True), ("5.7.133", True), ("4.4.1", False)]
)
def test_a_delivery_report_names_mail_person_and_status(status, permanent):
    found = bounce(dsn("failed", status))
    assert (found.original, found.recipient, found.status, found.permanent) == (
        "<ours@gov.cn>", "zhang@qq.com", status, permanent,
    )  # fmt: skip


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_a_report_of_anything_else_is_no_bounce(action):
    assert bounce(dsn(action, "4.0.0")) is None


FREE = [
    pytest.param(
        "PostMaster@qq.com", "系统退信/The email is returned",
        "抱歉，您的邮件被退回来了……\r\n收件人邮箱（zhang@qq.com）不存在。\r\n550 5.1.1 Mailbox not found\r\nMessage-ID: <ours@gov.cn>",
        ("<ours@gov.cn>", "zhang@qq.com", "5.1.1", True), id="QQ",
    ),
    pytest.param(
        "Postmaster@163.com", "系统退信",
        "很遗憾，您的邮件未能成功投递到以下地址：\r\nzhang@163.com\r\n退信原因：该用户不存在",
        ("", "zhang@163.com", "", True), id="163",
    ),
    pytest.param(
        "Postmaster@163.com", "系统退信", "邮件发送到 zhang@163.com 失败：对方邮箱已满 SMTP error 452 mailbox full",
        ("", "zhang@163.com", "", False), id="full",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sender", "subject", "body", "found"), FREE)
def test_a_chinese_free_form_bounce_is_read(sender, subject, body, found):
    seen = bounce(mail(body=body, sender=sender, subject=subject))
    assert (seen.original, seen.recipient, seen.status, seen.permanent) == found


def test_a_citizen_who_writes_of_a_returned_mail_is_no_bounce():
    assert bounce(mail(subject="系统退信了怎么办", body="账号不存在")) is None


def test_only_our_own_server_says_whether_a_sender_is_genuine():
    letter = mail(
        "Authentication-Results: mx.gov.cn; spf=pass (ok; sure) smtp.mailfrom=qq.com;\r\n dkim=fail header.d=qq.com; dmarc=none\r\n"
        "Authentication-Results: mx.gov.cn; spf=fail\r\nAuthentication-Results: evil; dmarc=pass\r\n"
    )
    assert proof.note(letter, "mx.gov.cn") == {
        "spf": "通过（qq.com）",
        "dkim": "未通过（qq.com）",
        "dmarc": "未设置",
    }
    assert proof.note(letter, "other") == {}
    assert proof.note(letter, "") == {}
